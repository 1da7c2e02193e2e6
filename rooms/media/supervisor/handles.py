"""Let go of handles in Janus: of speakers, near listeners and microphone checks."""

from __future__ import annotations

from contextlib import suppress

from rooms import channels
from rooms.media.janus import bridge
from rooms.media.janus.client import JanusGone
from rooms.media.supervisor.context import Context
from rooms.media.supervisor.state import Handle
from rooms.media.supervisor.studio import Studio


async def let_go(context: Context, handle: Handle) -> None:
    """A handle that is not needed any more."""
    await context.kept.drop_handle(handle.id)
    await context.janus.detach(handle.id)


async def let_all_go(context: Context, studio: Studio) -> None:
    """Every speaker and near listener of a room."""
    for handle in [*context.kept.of("speak", room=studio.pk), *context.kept.of("listen", room=studio.pk)]:
        await let_go(context, handle)


async def remove_seat(context: Context, studio: Studio, seat_pk: int) -> None:
    """A seat's microphone: silent at once, out, let go. The caller holds the studio."""
    for handle in context.kept.of("speak", room=studio.pk, seat=seat_pk):
        await context.kept.drop_handle(handle.id)  # first, or its hang-up looks like an accident
        await bridge.remove(context.janus, studio.bridge, bridge.seat_id(seat_pk), handle.id)
    studio.muted.pop(seat_pk, None)


async def lost(context: Context, handle: Handle) -> None:
    """Somebody's connection ended by itself. Who spoke is told: their page connects again."""
    with suppress(JanusGone, TimeoutError):
        await let_go(context, handle)
    if handle.kind != "speak":
        return
    room = context.wanted.get(handle.room)
    seat = room.seats.get(handle.seat) if room else None
    if room is not None and seat is not None and not context.kept.of("speak", room=room.pk, seat=seat.pk):
        message = {"type": "mic_lost", "room": room.slug, "page": handle.page}
        await context.publish(channels.person_channel(seat.user_pk), message)
