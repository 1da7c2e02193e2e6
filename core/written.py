"""Queries whose SQL Django writes once a process. For a large one that runs all the time, writing it takes longer than
answering it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.models import QuerySet


class Written:
    """The SQL of a query of plain columns (`values_list`), with placeholders for what differs from run to run: values
    of the columns' types that stand nowhere else in it."""

    def __init__(self, rows: QuerySet[Any, Any]) -> None:
        self.sql, self.params = rows.query.sql_with_params()

    def rows(self, values: Mapping[Any, Any]) -> list[tuple[Any, ...]]:
        """Run it with these values in the places of their placeholders."""
        with connection.cursor() as cursor:
            cursor.execute(self.sql, [values.get(param, param) for param in self.params])
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
