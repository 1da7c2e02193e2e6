"""Admin actions on several rows: one call of the ordinary action for each row, so that one refusal stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.contrib import messages
from django.http import HttpRequest

from core.refusals import Refused

Row = TypeVar("Row")


def apply_to_each(request: HttpRequest, rows: Iterable[Row], act: Callable[[Row, Any], object]) -> int:
    """Call `act(row, request.user)` for each row and show a warning for each that is refused. Returns how many
    succeeded."""
    done = 0
    for row in rows:
        try:
            act(row, request.user)
        except Refused as refused:
            messages.warning(request, f"{row}: {refused.text}")
        else:
            done += 1
    return done
