"""Queries whose SQL Django writes once a process and PostgreSQL plans once a connection. For a large one that runs all
the time, writing and planning it take longer than answering it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Field, ForeignKey, Lookup, QuerySet
from psycopg import sql

PREPARED_AFTER = 2  # runs on a connection: one that is used once gains nothing


@Field.register_lookup
@ForeignKey.register_lookup
class OneOf(Lookup):
    """`column__one_of=values`: what `column__in=values` finds. All values are one parameter, a list, so the statement
    is the same for one as for thousands and can be a `Written`, with a tuple as placeholder."""

    lookup_name = "one_of"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        if not self.rhs:
            raise EmptyResultSet  # no query, as `__in` does
        column, params = self.process_lhs(compiler, connection)
        kind = self.lhs.output_field.rel_db_type(connection).partition("(")[0]  # a cast to a length would cut values
        return f"{column} = ANY(%s::{kind}[])", (*params, self.rhs)


class Written:
    """The SQL of a query of plain columns (`values_list`), with placeholders for what differs from run to run: values
    of the columns' types that stand nowhere else in it."""

    def __init__(self, rows: QuerySet[Any, Any], placeholders: Sequence[Any]) -> None:
        text, params = rows.query.sql_with_params()
        self._names = {placeholder: f"p{number}" for number, placeholder in enumerate(placeholders, 1)}
        between = text.split("%s")
        self.sql = between[0] + "".join(map(str.__add__, map(self._written, params), between[1:]))
        by_number = {name: f"${number}" for number, name in enumerate(self._names.values(), 1)}
        self._numbered = (self.sql % by_number).encode()

    def _written(self, param: Any) -> str:
        if param in self._names:
            return f"%({self._names[param]})s"
        return sql.Literal(param).as_string(None).replace("%", "%%")

    def rows(self, values: Mapping[Any, Any]) -> list[tuple[Any, ...]]:
        """Run it with these values in the places of its placeholders."""
        with self._cursor() as cursor:
            cursor.execute(self.sql, {name: values[placeholder] for placeholder, name in self._names.items()})
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    def _cursor(self) -> Any:
        """Make a cursor of Django's, which counts queries and translates errors, over one that binds values on the
        server: only such statements can be prepared."""
        connection.close_if_health_check_failed()  # as Django's own do, where connections are kept
        connection.ensure_connection()
        raw: Any = connection.connection
        raw.prepare_threshold = PREPARED_AFTER
        return connection._prepare_cursor(Numbered(raw, self._numbered))  # type: ignore[attr-defined]  # not in stubs


class Numbered(psycopg.RawCursor[tuple[Any, ...]]):
    """A cursor that runs one statement by the numbers of its parameters, in which psycopg has no names to look for: in
    a text of thousands of letters that takes as long as all else. Django, and its log, have the text with names."""

    def __init__(self, connection: psycopg.Connection[Any], statement: bytes) -> None:
        super().__init__(connection)
        self._statement = statement

    def execute(self, query: Any, params: Any = None, **options: Any) -> Numbered:
        """Run the statement with the values of `params`, in their order."""
        return super().execute(self._statement, list(params.values()), **options)
