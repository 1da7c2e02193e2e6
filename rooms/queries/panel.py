"""Parts of a snapshot about the audience and for the host panel: one's own being unseen, talk time, what happened."""

from __future__ import annotations

from typing import Any

from people.models import User
from rooms.hooks import personal_parts
from rooms.models import Room, RoomEvent, Seat
from rooms.rules import permissions
from rooms.rules.permissions import Facts
from rooms.talk_time import talked_in
from rooms.wire.snapshot import Happened, Panel

SHOWN = 50  # events in a snapshot
KINDS = (
    *(
        "room_opened",
        "seat_taken",
        "seat_left",
        "seat_muted",
        "seats_changed",
        "host_changed",
        "host_lost",
        "host_back",
    ),
    *("recording_paused", "recording_resumed", "entry_policy_set", "speak_policy_set", "hands_locked"),
)
# The field of an event's data that is its `detail`.
DETAILS = {
    "seat_left": "reason",
    "host_changed": "reason",
    "recording_paused": "reason",
    "entry_policy_set": "policy",
    "speak_policy_set": "policy",
}


@personal_parts.register("unseen")
def unseen(room: Room, user: User, facts: Facts) -> bool | None:
    """Whether the reader listens unseen in this room, while they listen; None until they chose, which is unseen too."""
    return facts.listens_unseen if facts.chose_listening else None


@personal_parts.register("panel")
def panel(room: Room, user: User, facts: Facts) -> Panel | None:
    """Read the host panel's part: three queries for host and co-hosts, None for others."""
    if facts.role not in permissions.HELPERS:
        return None
    seats = Seat.objects.filter(room=room, left_at=None).values_list("user_id", "user__handle")
    return {"talked": talked_in(room.pk, dict(seats)), "happened": happened(room)}


def happened(room: Room) -> list[Happened]:
    """Read the last of what happened in a room from its log, oldest first: two queries."""
    rows = list(RoomEvent.objects.filter(room=room, type__in=KINDS).order_by("-seq")[:SHOWN])[::-1]
    roles: dict[str, str] = {}
    entries = [entry for row in rows for entry in _entries(row, roles)]
    handles = {handle for entry in entries for handle in (entry["user"], entry["by"]) if handle}
    names = dict(User.objects.filter(handle__in=handles).values_list("handle", "display_name"))
    for entry in entries:
        entry["name"], entry["by_name"] = names.get(entry["user"] or "", ""), names.get(entry["by"] or "", "")
    return entries


def _entries(row: RoomEvent, roles: dict[str, str]) -> list[Happened]:
    """Entries of one event, without names. `roles` has the roles by handle that earlier events told, and is updated."""
    if row.type == "seats_changed":
        return _changed_roles(row, roles)
    data: dict[str, Any] = row.data
    if row.type == "host_changed":
        roles |= {seat["user"]: seat["role"] for seat in data["seats"]}
        return [_entry(row, row.type, data["host"], by=data["former"], detail=data["reason"])]
    if row.type == "seat_taken":
        roles[data["seat"]["user"]] = data["seat"]["role"]
        return [_entry(row, row.type, data["seat"]["user"])]
    if row.type == "hands_locked":
        return [_entry(row, row.type, None, detail="on" if data["locked"] else "off")]
    if row.type == "seat_muted":
        detail = "held" if data["held"] else "off" if data["muted"] else "on"
        return [_entry(row, row.type, data["user"], by=data["by"], detail=detail)]
    return [_entry(row, row.type, data.get("user"), detail=data.get(DETAILS.get(row.type, ""), ""))]


def _changed_roles(row: RoomEvent, roles: dict[str, str]) -> list[Happened]:
    """Entries of people who became co-host or speaker; of those whose role was not known there is none."""
    entries = []
    for seat in row.data["seats"]:
        before = roles.get(seat["user"], seat["role"])
        roles[seat["user"]] = seat["role"]
        if before != seat["role"]:
            named = seat["role"] == "cohost"
            entries.append(_entry(row, "cohost_named" if named else "cohost_ended", seat["user"]))
    return entries


def _entry(row: RoomEvent, type_: str, user: str | None, *, by: str | None = None, detail: str = "") -> Happened:
    made: Happened = {
        "seq": row.seq,
        "at": row.at_ms,
        "type": type_,
        "user": user,
        "name": "",
        "by": by,
        "by_name": "",
        "detail": detail,
    }
    return made
