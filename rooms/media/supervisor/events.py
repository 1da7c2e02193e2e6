"""Events that Janus sends unasked: connections that came about or ended, and who talks."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rooms import channels
from rooms.media.janus import bridge
from rooms.media.janus.client import JanusGone
from rooms.media.supervisor import fairness
from rooms.media.supervisor.state import Handle

if TYPE_CHECKING:
    from rooms.media.supervisor.loop import Supervisor


def take(sup: Supervisor, event: dict[str, Any]) -> None:
    """One event. It must not wait: work is done beside it."""
    data = event.get("plugindata", {}).get("data", {})
    if event["janus"] in ("hangup", "detached"):
        handle = sup.kept.handles.get(int(event.get("sender", 0)))
        if handle is not None:
            sup.start(lost(sup, handle))
    elif data.get("audiobridge") in ("talking", "stopped-talking"):
        sup.start(_talking(sup, int(event.get("sender", 0)), data))
    elif event["janus"] == "webrtcup":
        sup.start(fairness.connected(sup, int(event.get("sender", 0))))
    elif event["janus"] == "timeout":
        sup.janus.gone.set()


async def lost(sup: Supervisor, handle: Handle) -> None:
    """Somebody's connection ended by itself. Who spoke is told: their page connects again."""
    with suppress(JanusGone, TimeoutError):
        await sup.let_go(handle)
    if handle.kind != "speak":
        return
    room = sup.wanted.get(handle.room)
    seat = room.seats.get(handle.seat) if room else None
    if room is not None and seat is not None and not sup.kept.of("speak", room=room.pk, seat=seat.pk):
        lost = {"type": "mic_lost", "room": room.slug, "page": handle.page}
        await sup.publish(channels.person_channel(seat.user_pk), lost)


async def _talking(sup: Supervisor, heard_by: int, data: dict[str, Any]) -> None:
    """Tell everybody in the room that somebody talks. Every handle in the room is told; our agent's word counts."""
    number = str(data.get("room", "")).rpartition("-")[2]
    pk = int(number) if number.isdigit() else 0
    room, studio = sup.wanted.get(pk), sup.studios.get(pk)
    seat_pk = bridge.seat_pk(str(data.get("id", "")))
    if room is None or studio is None or studio.bridge.handle != heard_by or seat_pk not in room.seats:
        return
    talking = data["audiobridge"] == "talking"
    message = {"type": "talking", "user": room.seats[seat_pk].handle, "talking": talking}
    await sup.publish(channels.room_channel(room.pk), message)
