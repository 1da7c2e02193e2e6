"""The part `invitations` of a snapshot: one's own, and for host and co-hosts those of their room."""

from __future__ import annotations

from collections import Counter

from django.db.models import Case, Count, IntegerField, Value, When

from people.models import User
from rooms.models import Arrival, Invitation, PersonalLink, Room
from rooms.rules import permissions
from rooms.rules.facts import STANDING
from rooms.rules.permissions import Facts
from rooms.wire.sides import invitation_state, link_state
from rooms.wire.snapshot import InvitationCount, Invitations, OwnInvitation
from social.models import Block

MOST = 200  # invitations, and links, in a snapshot
MOST_COUNTS = 50

_SPEAK_FIRST = Case(When(kind=Invitation.Kind.SPEAK, then=Value(0)), default=Value(1), output_field=IntegerField())


def invitations_part(room: Room, user: User, facts: Facts) -> Invitations:
    """Read the reader's part. Five queries for the host's side, one for a person who is invited, none for others."""
    own = own_invitation(room, user) if facts.invited else None
    if facts.role not in permissions.HELPERS:
        return {"own": own, "list": None, "links": None, "counts": None}
    rows = Invitation.objects.filter(room=room, by_helper=True).select_related("user", "by")
    links = PersonalLink.objects.filter(room=room).order_by("-pk")[:MOST]
    return {
        "own": own,
        "list": [invitation_state(row) for row in rows.order_by(_SPEAK_FIRST, "-pk")[:MOST]],
        "links": [link_state(link, room) for link in links],
        "counts": counts(room),
    }


def own_invitation(room: Room, user: User) -> OwnInvitation | None:
    """Read the reader's invitation by host or co-host that stands, one to speak first; none by somebody whom they
    block. One query."""
    rows = Invitation.objects.filter(room=room, user=user, by_helper=True, state__in=STANDING).select_related("by")
    blocked = Block.objects.filter(blocker=user).values("blocked")
    row = rows.exclude(by__in=blocked).order_by(_SPEAK_FIRST, "-pk").first()
    if row is None:
        return None
    return {
        "by": row.by.handle,
        "by_name": row.by.display_name,
        "kind": "speak" if row.kind == Invitation.Kind.SPEAK else "listen",
        "state": "pending" if row.state == Invitation.State.PENDING else "accepted",
    }


def counts(room: Room) -> list[InvitationCount]:
    """How many people came in by each person's invitations and shared link, most first. Three queries."""
    invited = Invitation.objects.filter(room=room, came_at__isnull=False).order_by().values_list("by")
    arrived = Arrival.objects.filter(link__room=room).order_by().values_list("link__by")
    came: Counter[int] = Counter(dict(invited.annotate(number=Count("user", distinct=True))))
    came.update(dict(arrived.annotate(number=Count("pk"))))
    people = User.objects.in_bulk([pk for pk, _number in came.most_common(MOST_COUNTS)])
    return [
        {"by": people[pk].handle, "name": people[pk].display_name, "came": number}
        for pk, number in came.most_common(MOST_COUNTS)
    ]
