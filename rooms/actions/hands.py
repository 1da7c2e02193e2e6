"""Actions on hands: raise and lower one's own; let up, decline and lock as host or co-host.

Hands never enter the room's log. The host's side is told of each, and each person of their own hand and place.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.conf import settings

from people.models import User
from people.standing import lock_standing
from rooms.actions.hand_queue import join_queue, lower_hands, open_hands
from rooms.actions.locking import locked
from rooms.actions.seating import free_places, sit
from rooms.models import Hand, Room, Seat
from rooms.rules import permissions
from rooms.rules.facts import facts_of, facts_of_many
from rooms.rules.permissions import Facts
from rooms.rules.refusals import RoomRefused, refuse
from rooms.wire.events import append_event
from rooms.wire.sides import tell


def raise_hand(room_id: int, user: User) -> int:
    """Put a person at the end of the queue. Returns their place, from 1; raising a hand that is up changes nothing.

    Raises room_ended, the refusal codes of the account and of entry, on_stage_already, hands_locked, place_free,
    not_consented, hands_full.
    """
    with locked(room_id) as room:
        lock_standing(user.pk)
        facts, queue = facts_of(room, user), open_hands(room)
        full = len(queue) >= settings.ROOM_MAX_HANDS
        refuse(permissions.may_raise_hand(facts, free_places=len(free_places(room)), queue_full=full))
        if facts.hand_raised:
            return 1 + next(number for number, hand in enumerate(queue) if hand.user_id == user.pk)
        return join_queue(room, user, queue, invited=facts.invited_to_speak)


def lower_hand(room_id: int, user: User, *, leaving: bool = False) -> None:
    """Lower one's own hand; `leaving` records that the person left the room. A hand that is down changes nothing.

    Raises room_ended.
    """
    with locked(room_id) as room:
        refuse(permissions.may_lower_hand(facts_of(room, user)))
        lower_hands(room, {user.pk: Hand.Outcome.LEFT if leaving else Hand.Outcome.LOWERED})


def let_up(room_id: int, by: User, user: User | None = None) -> Seat:
    """Seat a person whose hand is up, microphone off; without `user` the first in the queue who may come.

    Raises not_host, no_hand, not_allowed (the person lost the right), stage_full, room_ended.
    """
    with locked(room_id) as room:
        refuse(permissions.may_manage(facts_of(room, by)))
        target = user or _next(room, open_hands(room))
        lock_standing(target.pk)
        facts, free = facts_of_many([(room, by.pk), (room, target.pk)]), free_places(room)
        refuse(permissions.may_let_up(facts[room.pk, by.pk], facts[room.pk, target.pk], free_places=len(free)))
        seat = sit(room, target, Seat.Role.SPEAKER, free[0])
        tell(target.pk, {"type": "let_up", "room": room.slug, "by": by.handle})
    return seat


def _next(room: Room, queue: Sequence[Hand]) -> User:
    """The first person in the queue who may come on stage. Raises no_hand."""
    facts = facts_of_many([(room, hand.user_id) for hand in queue])
    for hand in queue:
        if permissions.may_be_let_up(facts[room.pk, hand.user_id]) is None:
            return hand.user
    raise RoomRefused("no_hand")


def decline_hand(room_id: int, by: User, user: User) -> None:
    """Lower somebody's hand without giving a seat. They may raise it again. Raises not_host, no_hand, room_ended."""
    with locked(room_id) as room:
        facts = facts_of_many([(room, by.pk), (room, user.pk)])
        refuse(permissions.may_decline_hand(facts[room.pk, by.pk], facts[room.pk, user.pk]))
        lower_hands(room, {user.pk: Hand.Outcome.DECLINED})


def lock_hands(room_id: int, by: User, locked_now: bool) -> None:
    """Refuse new hands, or accept them again. Hands that are up stay. Raises not_host, room_ended."""
    with locked(room_id) as room:
        refuse(permissions.may_manage(facts_of(room, by)))
        if room.hands_locked != locked_now:
            room.hands_locked = locked_now
            room.save(update_fields=["hands_locked"])
            append_event(room, "hands_locked", {"locked": locked_now})


def lower_lost_hands(room_id: int, hands: Collection[Hand]) -> None:
    """Lower these hands, whose people are away for too long. One that was lowered meanwhile stays as it is, and a
    later one of the same person stays up. Raises room_ended."""
    with locked(room_id) as room:
        refuse(permissions.live(room.status))
        lost = {hand.pk for hand in hands}
        still = Hand.objects.filter(pk__in=lost, lowered_at=None).values_list("user_id", flat=True)
        lower_hands(room, dict.fromkeys(still, Hand.Outcome.LOST))


def lower_forbidden_hands(room: Room) -> None:
    """Lower the hands, in a locked room, of people who may not be in it or on a stage any more."""
    queue = open_hands(room)
    facts = facts_of_many([(room, hand.user_id) for hand in queue])
    gone = [hand.user_id for hand in queue if _forbidden(facts[room.pk, hand.user_id])]
    lower_hands(room, dict.fromkeys(gone, Hand.Outcome.NOT_ALLOWED))


def _forbidden(facts: Facts) -> bool:
    return permissions.may_be_let_up(facts) is not None
