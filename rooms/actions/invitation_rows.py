"""Changes of invitations that follow from other acts: arrival, removal, the end of a room."""

from __future__ import annotations

from django.utils import timezone

from people.models import User
from rooms.models import Invitation, Room
from rooms.rules.facts import GIVING_A_RIGHT, STANDING
from rooms.wire.sides import Sided, invitation_state, tell_host_side

PENDING, ACCEPTED = Invitation.State.PENDING, Invitation.State.ACCEPTED


def as_message(room: Room, invitation: Invitation) -> Sided:
    """The message about an invitation to the host's side; its `user` and `by` must be loaded."""
    return {"type": "invitation", "room": room.slug, "data": invitation_state(invitation)}


def note_coming(room: Room, user: User) -> None:
    """Note that a person came in for the first time after they were invited; coming is also the answer to an invitation
    to listen. The host's side is told of those who are to speak: they are few."""
    now, waiting = timezone.now(), Invitation.objects.filter(room=room, user=user, came_at=None)
    waiting.filter(kind=Invitation.Kind.LISTEN, state=PENDING).update(state=ACCEPTED, answered_at=now, came_at=now)
    if waiting.filter(state__in=STANDING).update(came_at=now):
        to_speak = Invitation.objects.filter(room=room, user=user, kind=Invitation.Kind.SPEAK, state__in=STANDING)
        tell_host_side(room, *(as_message(room, one) for one in to_speak.select_related("user", "by")))


def revoke_all(room: Room, user: User | int) -> None:
    """Revoke every invitation of a person to a locked room. The person is not told, the host's side is."""
    invitations = Invitation.objects.filter(room=room, user=user)
    invitations.filter(GIVING_A_RIGHT).update(state=Invitation.State.REVOKED)
    by_host_side = invitations.filter(by_helper=True).select_related("user", "by")
    tell_host_side(room, *(as_message(room, one) for one in by_host_side))


def expire_invitations(room: Room) -> None:
    """Expire what nobody answered, because the room is over, which is published by itself. Personal links end with the
    room, too, without a change. One query."""
    Invitation.objects.filter(room=room, state=PENDING).update(state=Invitation.State.EXPIRED)
