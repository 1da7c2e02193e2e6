"""Queries about reports."""

from __future__ import annotations

from uuid import UUID

from moderation.models import Report
from people.models import User


def own_report(reporter: User, slug: str, receipt: UUID) -> Report | None:
    """Find a person's own report in a room by the number of its receipt."""
    rows = Report.objects.select_related("room").filter(reporter=reporter, room__slug=slug, receipt=receipt)
    return rows.first()
