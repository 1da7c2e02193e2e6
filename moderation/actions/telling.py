"""Messages to pages of staff about cases."""

from __future__ import annotations

from moderation.actions.joining import kept_from
from moderation.models import Case
from moderation.queries.access import took_part
from rooms.wire.sides import tell_staff


def case_changed(case: Case) -> None:
    """Tell pages of staff, after the commit, that a case is another one now: queues, counts, the case's page. Parties
    are not told; a case for few is named without its room."""
    is_for_few = case.child_safety or case.for_seniors
    slug = case.room.slug if case.room is not None and not is_for_few else ""
    tell_staff({"type": "case_changed", "room": slug, "data": {"case": case.pk}}, not_to=kept_from(case))


def review_changed(case: Case) -> None:
    """Tell pages of staff, after the commit, that something changed in the appeals of a case: as `case_changed` does,
    and not to those who had a part in its decisions."""
    is_for_few = case.child_safety or case.for_seniors
    slug = case.room.slug if case.room is not None and not is_for_few else ""
    not_to = {*kept_from(case), *took_part(case)}
    tell_staff({"type": "case_changed", "room": slug, "data": {"case": case.pk}}, not_to=not_to)
