"""The queue of hands in a room that the caller holds locked: read it, and lower hands, whatever the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils import timezone

from people.models import User
from rooms.models import Hand, Room
from rooms.wire.events import iso_of
from rooms.wire.sides import Personal, Sided, hand_state, tell, tell_each, tell_host_side


def open_hands(room: Room) -> list[Hand]:
    """Hands that are up, in the order of the queue, with their people; at most ROOM_MAX_HANDS, and the hands of
    people who were invited to speak beyond that. One query."""
    return list(Hand.objects.filter(room=room, lowered_at=None).select_related("user").order_by("raised_at", "id"))


def join_queue(room: Room, user: User, queue: Sequence[Hand], *, invited: bool) -> int:
    """Put a person at the end of the queue (`open_hands(room)`), and publish it. Returns their place, from 1."""
    # Never before a hand that is up, whatever the clocks of two servers say: places only move up.
    raised_at = max([timezone.now(), *(hand.raised_at for hand in queue[-1:])])
    hand = Hand.objects.create(room=room, user=user, invited=invited, raised_at=raised_at)
    place = len(queue) + 1
    tell_host_side(room, {"type": "hand_raised", "room": room.slug, "data": hand_state(hand)})
    tell(user.pk, {"type": "hand_up", "room": room.slug, "raised_at": iso_of(raised_at), "place": place})
    return place


def lower_hands(room: Room, outcomes: Mapping[int, str]) -> list[Hand]:
    """Lower the hands of these accounts (primary key → Hand.Outcome), and publish who has which place now. Returns the
    hands that were up. Two queries, one where none of them was up."""
    queue = open_hands(room) if outcomes else []
    lowered = [hand for hand in queue if hand.user_id in outcomes]
    if not lowered:
        return []
    now = timezone.now()
    for hand in lowered:
        hand.lowered_at, hand.outcome = now, outcomes[hand.user_id]
    Hand.objects.bulk_update(lowered, ["lowered_at", "outcome"])
    tell_host_side(room, *(_lowered(room, hand) for hand in lowered))
    tell_each([(hand.user_id, _down(room, hand)) for hand in lowered] + _moved_up(room, queue))
    return lowered


def close_queue(room: Room) -> None:
    """Lower every hand because the room ends, which is published by itself. One query."""
    Hand.objects.filter(room=room, lowered_at=None).update(lowered_at=timezone.now(), outcome=Hand.Outcome.ROOM_ENDED)


def _lowered(room: Room, hand: Hand) -> Sided:
    data = {"user": hand.user.handle, "raised_at": iso_of(hand.raised_at)}
    return {"type": "hand_lowered", "room": room.slug, "data": data}


def _down(room: Room, hand: Hand) -> Personal:
    kind = "hand_declined" if hand.outcome == Hand.Outcome.DECLINED else "hand_down"
    return {"type": kind, "room": room.slug, "raised_at": iso_of(hand.raised_at), "outcome": hand.outcome}


def _moved_up(room: Room, queue: Sequence[Hand]) -> list[tuple[int, Personal]]:
    """New places of the people behind the first lowered hand of a queue."""
    staying = [hand for hand in queue if hand.lowered_at is None]
    first = next(number for number, hand in enumerate(queue) if hand.lowered_at is not None)
    return [
        (hand.user_id, {"type": "hand_place", "room": room.slug, "raised_at": iso_of(hand.raised_at), "place": place})
        for place, hand in enumerate(staying[first:], first + 1)
    ]
