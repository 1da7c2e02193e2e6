"""The tables between two tests: emptied where they have rows, put back where migrations had filled them.

Django's `flush` empties every table and then lets every app make its permissions and groups anew, which takes longer
than most tests. Here rows that were there after `migrate` (content types, permissions, groups) keep their keys.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, LiteralString

from psycopg import OperationalError, sql

from tests.support.privileges import Connection, superuser

Table = tuple[str, str]  # schema, name
Tables = tuple[Table, ...]
LARGE = 1 << 20  # bytes; emptying a table row by row is quicker below this, and slower above

_filled: dict[Table, tuple[str, bytes]] = {}
_kept: Connection | None = None


def _superuser() -> Connection:
    """A connection that is kept from test to test: a new one has to read about every table first, which takes longer
    than emptying them."""
    global _kept
    if _kept is None or _kept.closed:
        _kept = superuser()
    return _kept


def remember() -> None:
    """Note what every table has; called once, when `migrate` is done."""
    connected = _superuser()
    filled = _with_rows(connected, _tables(connected))
    for table, digest in _digests(connected, filled).items():
        _filled[table] = digest, _copy(connected, table)


def reset() -> None:
    """Bring every table back to what it had then. Sequences go on, as with `flush`."""
    _do(_reset)


def run(statement: LiteralString) -> None:
    """Run a statement with every right."""
    _do(lambda connected: connected.execute(statement))


def _do(act: Callable[[Connection], object]) -> None:
    connected = _superuser()
    try:
        act(connected)
    except OperationalError:
        if not connected.closed:
            raise
        act(_superuser())  # PostgreSQL was restarted since


def _reset(connected: Connection) -> None:
    """It is beyond the site's role, and must not stop at the guard of the ledger: triggers do not fire. It waits for
    transactions that still write, as TRUNCATE does."""
    with connected.transaction():
        connected.execute("SET LOCAL session_replication_role = 'replica'")
        tables = _tables(connected)
        connected.execute(_lock(tables))
        digests = _digests(connected, tuple(_filled))
        changed = [table for table in _with_rows(connected, tables) if table not in _filled]
        changed += [table for table, (digest, _rows) in _filled.items() if digests[table] != digest]
        if changed:
            connected.execute(_empty(changed, _large(connected, changed)), prepare=False)  # several statements in one
        for table in _filled.keys() & set(changed):
            with connected.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(_name(table))) as copy:
                copy.write(_filled[table][1])


def _tables(connected: Connection) -> Tables:
    """Every table; a test may have made one."""
    rows = connected.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'ledger') ORDER BY 1, 2"
    )
    return tuple((schema, name) for schema, name in rows)


def _with_rows(connected: Connection, tables: Tables) -> Tables:
    answers: Any = connected.execute(_which_have_rows(tables)).fetchone()
    return tuple(table for table, has_rows in zip(tables, answers, strict=True) if has_rows)


def _digests(connected: Connection, tables: Tables) -> dict[Table, str]:
    answers: Any = connected.execute(_which_digests(tables)).fetchone()
    return dict(zip(tables, answers, strict=True))


def _large(connected: Connection, tables: list[Table]) -> set[Table]:
    """Those above LARGE, but for tables to which others refer: they cannot be truncated without them."""
    rows = connected.execute(
        "SELECT schema, name FROM unnest(%s::text[], %s::text[]) AS asked (schema, name),"
        " LATERAL (SELECT format('%%I.%%I', schema, name)::regclass AS oid) AS found"
        " WHERE pg_relation_size(found.oid) > %s"
        " AND NOT EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND confrelid = found.oid)",
        [[schema for schema, _name in tables], [name for _schema, name in tables], LARGE],
    )
    return {(schema, name) for schema, name in rows}


# The same statements after every test, each with all tables in it: PostgreSQL keeps their plans by their words.


@cache
def _lock(tables: Tables) -> sql.Composed:
    return sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(sql.SQL(", ").join(map(_name, tables)))


@cache
def _which_have_rows(tables: Tables) -> sql.Composed:
    return _of_each("EXISTS (SELECT FROM {})", tables)


@cache
def _which_digests(tables: Tables) -> sql.Composed:
    return _of_each(
        "(SELECT md5(coalesce(string_agg(row::text, E'\\n' ORDER BY row::text), '')) FROM {} AS row)", tables
    )


def _of_each(question: str, tables: Tables) -> sql.Composed:
    asked = [sql.SQL(question).format(_name(table)) for table in tables]
    return sql.SQL("SELECT {}").format(sql.SQL(", ").join(asked))


def _empty(tables: list[Table], large: set[Table]) -> sql.Composed:
    statements = ("TRUNCATE {}" if table in large else "DELETE FROM {}" for table in tables)
    return sql.SQL("; ").join(
        sql.SQL(statement).format(_name(table)) for statement, table in zip(statements, tables, strict=True)
    )


def _copy(connected: Connection, table: Table) -> bytes:
    with connected.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(_name(table))) as copy:
        return b"".join(copy)


def _name(table: Table) -> sql.Identifier:
    return sql.Identifier(*table)
