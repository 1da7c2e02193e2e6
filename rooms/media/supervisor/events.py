"""Events that Janus sends unasked: connections that came about or ended, and who talks."""

from __future__ import annotations

from typing import Any

from rooms.media.janus import bridge
from rooms.media.supervisor import fairness, handles
from rooms.media.supervisor.context import Context
from rooms.media.supervisor.talking import set_receiving, set_talking


def handle_event(context: Context, event: dict[str, Any]) -> None:
    """Take in one event. Must not wait: work is started beside it."""
    data = event.get("plugindata", {}).get("data", {})
    if event["janus"] in ("hangup", "detached"):
        handle = context.state.handles.get(int(event.get("sender", 0)))
        if handle is not None:
            context.start(handles.connection_lost(context, handle))
    elif data.get("audiobridge") in ("talking", "stopped-talking"):
        context.start(_talking(context, int(event.get("sender", 0)), data))
    elif event["janus"] == "webrtcup":
        context.start(fairness.mark_connected(context, int(event.get("sender", 0))))
    elif event["janus"] == "media" and event.get("type") == "audio":
        handle = context.state.handles.get(int(event.get("sender", 0)))
        if handle is not None and handle.kind == "speak":
            context.start(set_receiving(context, handle, event.get("receiving") is True))
    elif event["janus"] == "timeout":
        context.janus.gone.set()


async def _talking(context: Context, heard_by: int, data: dict[str, Any]) -> None:
    """Publish that somebody talks or stopped. Janus sends the event to every handle; only our agent's is used."""
    number = str(data.get("room", "")).rpartition("-")[2]
    pk = int(number) if number.isdigit() else 0
    room, studio = context.wanted.get(pk), context.studios.get(pk)
    seat_pk = bridge.seat_pk(str(data.get("id", "")))
    if room is None or studio is None or studio.bridge.handle != heard_by or seat_pk not in room.seats:
        return
    await set_talking(context, room, studio, seat_pk, data["audiobridge"] == "talking")
