"""Kinds of direct messages about rooms: an invitation by host or co-host, and a room that a guest shares.

A card says what is true now. It names the room only to a reader who may still come in, and never says why an invitation
is not open any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from people.models import User
from rooms.actions.announcing import announce_invitations, announce_rooms
from rooms.models import Invitation, Room
from rooms.rules import permissions
from rooms.rules.facts import facts_of_many
from social.hooks import DrawnMessage, MessageKind
from social.models import Message

OPEN = (Invitation.State.PENDING, Invitation.State.ACCEPTED)


class InvitationKind(MessageKind):
    """An invitation to speak or to listen, by host or co-host; `data` is {"invitation": primary key}.

    Context and data of a card: `kind` (speak, listen), `state` (pending, accepted, declined, over), `own` (the reader
    is invited, and not the sender), `room` (slug), `title`, `path` (null where the reader may not come in), `live`.
    """

    def draw(self, messages: Sequence[Message], reader: User) -> dict[int, DrawnMessage]:
        """Read invitations and rooms as they are now: four queries."""
        pks = {message.data.get("invitation") for message in messages}
        rows = Invitation.objects.select_related("room").in_bulk(pks - {None})
        open_rooms = _open_rooms((row.room for row in rows.values()), reader)
        return {
            message.pk: _invitation_card(rows.get(message.data.get("invitation")), open_rooms, reader)
            for message in messages
        }

    def kept_text(self, data: Mapping[str, Any]) -> str:
        return _invitation_line(data.get("kind", "listen"), data.get("state", "over"), data.get("title"))

    def delivered(self, messages: Sequence[Message]) -> None:
        """Announce them on pages and by e-mail."""
        announce_invitations(messages)


class RoomKind(MessageKind):
    """A room that a guest shares; `data` is {"room": primary key}. Context and data of a card: `room`, `title`, `path`
    and `live` as in InvitationKind, `state` (open, over)."""

    def draw(self, messages: Sequence[Message], reader: User) -> dict[int, DrawnMessage]:
        """Read rooms as they are now: four queries."""
        pks = {message.data.get("room") for message in messages}
        open_rooms = _open_rooms(Room.objects.in_bulk(pks - {None}).values(), reader)
        return {message.pk: _room_card(open_rooms.get(message.data.get("room"))) for message in messages}

    def kept_text(self, data: Mapping[str, Any]) -> str:
        return _room_line(data.get("title"))

    def delivered(self, messages: Sequence[Message]) -> None:
        """Announce them on pages and by e-mail."""
        announce_rooms(messages)


def _open_rooms(rooms: Iterable[Room], reader: User) -> dict[int, Room]:
    """Those of the rooms, by primary key, that are live or to come and that the reader may enter."""
    alive = [room for room in rooms if not room.is_over]
    facts = facts_of_many([(room, reader.pk) for room in alive])
    return {room.pk: room for room in alive if permissions.may_enter(facts[room.pk, reader.pk]) is None}


def _named(room: Room | None) -> dict[str, Any]:
    if room is None:
        return {"room": None, "title": None, "path": None, "live": False}
    return {"room": room.slug, "title": room.shown_title, "path": room.get_absolute_url(), "live": room.is_live}


def _invitation_card(row: Invitation | None, open_rooms: Mapping[int, Room], reader: User) -> DrawnMessage:
    room = None if row is None else open_rooms.get(row.room_id)
    kind = "listen" if row is None else str(row.kind)
    declined = row is not None and row.state == Invitation.State.DECLINED
    is_open = row is not None and room is not None and row.state in OPEN
    state = "declined" if declined else str(row.state) if is_open and row is not None else "over"
    own = row is not None and row.user_id == reader.pk
    data = {"kind": kind, "state": state, "own": own, **_named(room if state != "over" else None)}
    return DrawnMessage(_invitation_line(kind, state, data["title"]), "rooms/card_invitation.html", data, data)


def _invitation_line(kind: str, state: str, title: str | None) -> str:
    if state == "over":
        return _("An invitation that is not open any more")
    if kind == "speak":
        if title is None:
            return _("An invitation to speak")
        return _("An invitation to speak in “%(title)s”") % {"title": title}
    return _("An invitation to listen") if title is None else _("An invitation to “%(title)s”") % {"title": title}


def _room_card(room: Room | None) -> DrawnMessage:
    data = {"state": "over" if room is None else "open", **_named(room)}
    return DrawnMessage(_room_line(data["title"]), "rooms/card_room.html", data, data)


def _room_line(title: str | None) -> str:
    if title is None:
        return _("A room that is over, or not open to you")
    return _("A room: “%(title)s”") % {"title": title}
