"""Live rooms for staff: whether they may listen in, and their part of the room's page."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from moderation.addresses import path_of
from moderation.models import Report
from moderation.queries.access import facts_of
from moderation.queries.rooms import case_in_room, is_party_of_room
from moderation.rules.access import why_not_act_at_once
from people.models import User
from rooms.hooks import personal_parts, staff_access
from rooms.models import Room
from rooms.wire.snapshot import StaffPart


@staff_access.register("moderation")
def may_listen(user_pk: int, room_pk: int) -> bool:
    """Whether a person may listen in: to a room with an open case that they may see; seniors to any room in which they
    have no part. The caller has checked the second step."""
    user, room = User.objects.filter(pk=user_pk).first(), Room.objects.filter(pk=room_pk).first()
    if user is None or room is None:
        return False
    user.step_check = lambda: True
    return _has_reach(user, room)


def _has_reach(user: User, room: Room) -> bool:
    if not user.has_perm("moderation.view_case") or is_party_of_room(user, room):
        return False
    return user.has_perm("moderation.open_case") or case_in_room(user, room) is not None


@personal_parts.register("staff")
def staff_part(room: Room, user: User, _facts: Any) -> StaffPart | None:
    """The bar of staff. None, without a query, for who has no rights of staff now; None for parties, and for moderators
    where nobody reported the room."""
    if not user.has_perm("moderation.view_case") or is_party_of_room(user, room):
        return None
    case = case_in_room(user, room)
    if case is None and not user.has_perm("moderation.open_case"):
        return None
    return {
        "case": path_of(case.pk) if case else None,
        "report_count": Report.objects.filter(case=case).count() if case else 0,
        "may_end": bool(case and room.is_live and why_not_act_at_once(facts_of(case, user)) is None),
        "end_url": reverse("admin:moderation_case_end_room", args=[room.slug]),
    }
