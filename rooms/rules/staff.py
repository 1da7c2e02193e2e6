"""Rights of staff in a live room: hearing it unseen, and messages about reports and cases."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from django.conf import settings

from people.models import User
from people.staff_gate import fresh_sessions, fresh_sessions_with, with_step_of
from rooms.hooks import staff_access
from rooms.models import Room
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.identity import Who
from rooms.rules.permissions import Facts
from rooms.rules.refusals import refuse
from rooms.staff_presence import Listener, present


def may_hear_staff_channel(sessions: Collection[str]) -> set[str]:
    """Return those sessions (by ident) that get messages to staff now."""
    return fresh_sessions_with(settings.STAFF_CHANNEL_PERMISSION, sessions)


def has_staff_access(user_pk: int, room_pk: int) -> bool:
    """Whether an app above gives this account access to a live room as staff."""
    return any(gives_access(user_pk, room_pk) for gives_access in staff_access.values())


def why_not_listen_as_staff(facts: Facts, user_pk: int, room_pk: int, *, fresh_step: bool) -> str | None:
    """Return the code for which an account may not listen in as staff; None if it may."""
    access = fresh_step and has_staff_access(user_pk, room_pk)
    return permissions.may_listen_as_staff(facts, fresh_step=fresh_step, access=access)


def listening_sessions(listeners: Collection[Listener]) -> set[Listener]:
    """Select those (room, session) whose second step lets them listen in: used lately, and no long pause since, in
    which neither a request came nor the page was in use."""
    fresh = fresh_sessions({session for _room, session in listeners})
    idle = {one for one in listeners if one[1] not in fresh}
    here = present(idle)
    rested = fresh_sessions({session for _room, session in here}, present=True) if here else set()
    return {one for one in listeners if one[1] in fresh or (one in here and one[1] in rested)}


def check_staff_listening(room: Room, user: User, session: str) -> None:
    """Check that a session (by ident) may listen in to a room as staff. Raises no_staff_access, room_ended, the codes
    of closed and suspended accounts."""
    fresh = bool(listening_sessions({(room.pk, session)}))
    refuse(why_not_listen_as_staff(facts_of(room, user), user.pk, room.pk, fresh_step=fresh))


def with_staff_rights(who: Who) -> Who:
    """Return the same person with the permissions that their session gives now; others than staff unchanged."""
    if who.user is None or not who.user.is_staff or not who.session:
        return who
    return replace(who, user=with_step_of(who.user, who.session))
