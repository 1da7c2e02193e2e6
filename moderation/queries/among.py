"""Conditions on keys that PostgreSQL reads before it looks for rows."""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, F, Func, QuerySet, Subquery


class Among(Func):
    """Whether a column is one of the keys of a query: `column = ANY(ARRAY(query))`.

    Means what `IN` means. The keys are read first, then each is looked up in the column's index; `IN` is a join, for
    which all cases are read as soon as the keys are more than a few.
    """

    template = "%(expressions)s)"
    arg_joiner = " = ANY(ARRAY"
    output_field = BooleanField()

    def __init__(self, column: str, keys: QuerySet[Any, Any], **extra: Any) -> None:
        super().__init__(F(column), Subquery(keys.order_by() if not keys.query.is_sliced else keys), **extra)
