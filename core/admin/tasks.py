"""Tasks of staff: the cards at the top of the admin's index, which apps register."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest

from core.hooks import Hook


@dataclass(frozen=True)
class Task:
    """One card of the index: a link to what waits, with how much of it there is (None where it is not counted).

    `urgent` makes it red. Cards with the lowest `order` come first.
    """

    title: str
    count: int | None
    text: str
    url: str
    urgent: bool = False
    order: int = 100


# Each returns its card, or None for a reader who may not act on it.
admin_tasks: Hook[Callable[[HttpRequest], Task | None]] = Hook("core.admin_tasks")


def tasks_for(request: HttpRequest) -> list[Task]:
    """Return the cards of this reader, in order."""
    cards = [card for make in admin_tasks.values() if (card := make(request)) is not None]
    return sorted(cards, key=lambda card: card.order)
