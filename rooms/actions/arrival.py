"""Arrival of a person at a room: the check of the right to enter, and the listener cookie of an account's browser."""

from __future__ import annotations

import logging

from redis.exceptions import RedisError

from rooms import presence
from rooms.actions.invitation_rows import note_coming
from rooms.actions.removals import keep_cookies
from rooms.models import Room
from rooms.rules import permissions
from rooms.rules.facts import facts_of_who
from rooms.rules.identity import Who, listener_mac
from rooms.rules.permissions import Facts
from rooms.rules.refusals import RoomRefused, refuse

log = logging.getLogger(__name__)


def admit(room: Room, who: Who, facts: Facts | None = None) -> Facts:
    """Return the facts of a person who may enter the room; raise RoomRefused for anybody else.

    An account that is refused with not_allowed learns whom it could follow to come in, always: under every policy, and
    removed or blocked as well, so that the offer says nothing about the reason.

    The listener cookie that an account's browser sends along is remembered while the account may be here, and kept
    with the removal once it was removed: signed out, the same browser is then refused too.

    The first time that somebody comes in who was invited is noted with the invitation, once they are seen.

    `facts`: of this person, where the caller has read them already.
    """
    facts = facts or facts_of_who(room, who)
    code = permissions.may_enter(facts)
    if who.user is not None and who.listener:
        mac = listener_mac(room.pk, who.listener)
        if facts.removed:
            keep_cookies(room, who.user, [mac])
        elif code is None:
            _remember(room.pk, who.user.pk, mac)
    if code == "not_allowed" and who.user is not None:
        raise RoomRefused("not_allowed", more={"follow": room.host.handle})
    refuse(code)
    if who.user is not None and facts.awaited and room.is_live and not facts.listens_unseen:
        note_coming(room, who.user)
    return facts


def _remember(room_pk: int, user_pk: int, mac: str) -> None:
    try:
        presence.remember_cookie(room_pk, user_pk, mac)
    except RedisError as error:
        log.warning("a listener cookie is not remembered, Redis is away: %s", error)
