"""Release of handles in Janus: speakers, near listeners, microphone checks."""

from __future__ import annotations

from contextlib import suppress

from people.channels import person_channel
from rooms.media.janus import bridge
from rooms.media.janus.client import JanusGone
from rooms.media.supervisor.context import Context
from rooms.media.supervisor.state import Handle
from rooms.media.supervisor.studio import Studio
from rooms.media.supervisor.talking import end_talking


async def release(context: Context, handle: Handle) -> None:
    """Forget a handle and detach it in Janus."""
    await context.state.drop_handle(handle.id)
    await context.janus.detach(handle.id)


async def release_all(context: Context, studio: Studio) -> None:
    """Release every speaker and near listener of a room."""
    for handle in [*context.state.of("speak", room=studio.pk), *context.state.of("listen", room=studio.pk)]:
        await release(context, handle)


async def remove_seat(context: Context, studio: Studio, seat_pk: int) -> None:
    """Mute a seat's microphone at once, put it out and release it. The caller holds the studio's lock."""
    for handle in context.state.of("speak", room=studio.pk, seat=seat_pk):
        await context.state.drop_handle(handle.id)  # first, or its hang-up looks like an accident
        await bridge.remove(context.janus, studio.bridge, bridge.seat_id(seat_pk), handle.id)
    studio.muted.pop(seat_pk, None)
    await end_talking(context, studio.pk, seat_pk)


async def connection_lost(context: Context, handle: Handle) -> None:
    """Release a handle whose connection ended by itself. A speaker's page is told, and connects again."""
    with suppress(JanusGone, TimeoutError):
        await release(context, handle)
    if handle.kind != "speak":
        return
    await end_talking(context, handle.room, handle.seat)
    room = context.wanted.get(handle.room)
    seat = room.seats.get(handle.seat) if room else None
    if room is not None and seat is not None and not context.state.of("speak", room=room.pk, seat=seat.pk):
        message = {"type": "mic_lost", "room": room.slug, "page": handle.page}
        await context.publish(person_channel(seat.user_pk), message)
