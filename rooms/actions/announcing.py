"""Announcements of invitations whose message was delivered: on the person's pages, and by e-mail where they want it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from allauth.account.models import EmailAddress

from people import notify
from people.models import User
from rooms.models import Invitation, Room
from rooms.rules import permissions
from rooms.rules.facts import facts_of_many
from rooms.wire.sides import Personal, tell_each
from social.models import Message


@dataclass(frozen=True)
class Announcement:
    """An invitation to be announced; `by_link` is one that the person got by a personal link, just now."""

    user: User
    by: User
    room: Room
    kind: str
    by_link: bool = False


def announce_invitations(messages: Sequence[Message]) -> None:
    """Announce invitations by host or co-host, from the cards that were delivered. What was taken back meanwhile is
    announced to nobody."""
    pks = [message.data.get("invitation") for message in messages]
    rows = Invitation.objects.filter(pk__in=pks, state=Invitation.State.PENDING).select_related("room", "by", "user")
    _announce([Announcement(row.user, row.by, row.room, row.kind, row.link_id is not None) for row in rows])


def announce_rooms(messages: Sequence[Message]) -> None:
    """Announce invitations by guests, from the cards of rooms that were delivered."""
    rooms = Room.objects.in_bulk({message.data.get("room") for message in messages})
    people = User.objects.in_bulk({pk for message in messages for pk in (message.receiver_id, message.sender_id)})
    announcements = []
    for message in messages:
        user, by = people[message.receiver_id], people.get(message.sender_id or 0)
        room = rooms.get(message.data.get("room"))
        if room is not None and by is not None and not room.is_over:
            announcements.append(Announcement(user, by, room, Invitation.Kind.LISTEN))
    _announce(announcements)


def _announce(announcements: Sequence[Announcement]) -> None:
    tell_each([(one.user.pk, _as_message(one)) for one in announcements])
    wanted = [one for one in announcements if one.user.invitations_by_mail and not one.by_link]
    pks = {one.user.pk for one in wanted}
    verified = set(EmailAddress.objects.filter(user__in=pks, verified=True).values_list("user_id", "email"))
    facts = facts_of_many([(one.room, one.user.pk) for one in wanted])
    for one in wanted:
        if (one.user.pk, one.user.email) in verified:
            sees_room = permissions.may_enter(facts[one.room.pk, one.user.pk]) is None
            _mail(one, sees_room=sees_room)


def _as_message(one: Announcement) -> Personal:
    return {"type": "invited", "room": one.room.slug, "by": one.by.handle}


def _mail(one: Announcement, *, sees_room: bool) -> None:
    """Mail an invitation; the room's title only to a person who may come in."""
    notify.send(
        one.user,
        "rooms/email/invited.txt",
        by=one.by,
        room=one.room if sees_room else None,
        speak=one.kind == Invitation.Kind.SPEAK,
        path=one.room.get_absolute_url(),
    )
