"""The part `hands` of a snapshot: the queue for the host's side, their own hand for a person who asks to speak."""

from __future__ import annotations

from django.db.models import Count, Q, Window

from people.models import User
from rooms.models import Hand, Room
from rooms.rules import permissions
from rooms.rules.permissions import Facts
from rooms.wire.events import iso_of
from rooms.wire.sides import hand_state
from rooms.wire.snapshot import Hands, OwnHand

SHOWN = 100  # hands in a snapshot; the count beside them is exact


def hands_part(room: Room, user: User, facts: Facts) -> Hands:
    """Read the reader's part. One query for the host's side, two for a person whose hand is up, none for others."""
    own = _own_hand(room, user) if facts.hand_raised else None
    if facts.role not in permissions.HELPERS:
        return {"queue": None, "count": None, "own": own}
    # One statement, so that both agree: a page told of more hands than it got adds no new one to its list.
    up = Hand.objects.filter(room=room, lowered_at=None).annotate(number_up=Window(Count("*")))
    first = list(up.select_related("user").order_by("raised_at", "id")[:SHOWN])
    return {"queue": [hand_state(hand) for hand in first], "count": first[0].number_up if first else 0, "own": own}


def _own_hand(room: Room, user: User) -> OwnHand | None:
    up = Hand.objects.filter(room=room, lowered_at=None)
    hand = up.filter(user=user).first()
    if hand is None:  # lowered since the facts were read
        return None
    before = Q(raised_at__lt=hand.raised_at) | Q(raised_at=hand.raised_at, id__lte=hand.pk)
    return {"raised_at": iso_of(hand.raised_at), "place": up.filter(before).count()}
