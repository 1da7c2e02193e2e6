"""Acts that follow at once from a report's category (`Category.Route`), beside its case."""

from __future__ import annotations

from moderation.actions.alarms import alert
from moderation.actions.at_once import close_copy
from moderation.models import Case, Category


def follow_route(case: Case, category: Category) -> None:
    """Follow the way of a category: child abuse closes the copy and is for staff of that role alone; a life in danger
    alerts seniors. The caller has the case locked."""
    if category.route == Category.Route.CHILD_SAFETY:
        close_copy(case)
    elif category.route == Category.Route.LIFE_IN_DANGER:
        alert(case)
