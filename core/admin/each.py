"""An act of the admin on several rows: each by itself, by the one action that everybody uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.contrib import messages
from django.http import HttpRequest

from core.refusals import Refused

Row = TypeVar("Row")


def to_each(request: HttpRequest, rows: Iterable[Row], act: Callable[[Row, Any], object]) -> int:
    """Do something to each row as the person of the request; say which refused. Returns how many did not."""
    done = 0
    for row in rows:
        try:
            act(row, request.user)
        except Refused as refused:
            messages.warning(request, f"{row}: {refused.text}")
        else:
            done += 1
    return done
