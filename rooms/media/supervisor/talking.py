"""Publication of who talks. The messages may be lost, so each is repeated: a page stops showing what is not."""

from __future__ import annotations

from rooms import channels
from rooms.media.supervisor import talked
from rooms.media.supervisor.context import Context
from rooms.media.supervisor.state import Handle
from rooms.media.supervisor.studio import Studio
from rooms.media.supervisor.wanted import WantedRoom


async def set_talking(context: Context, room: WantedRoom, studio: Studio, seat_pk: int, talking: bool) -> None:
    """Record that the person of a seat talks, or stopped, and publish it."""
    if talking:
        studio.talking.add(seat_pk)
    else:
        studio.talking.discard(seat_pk)
    if seat_pk in room.seats:
        message = {"type": "talking", "user": room.seats[seat_pk].handle, "talking": talking}
        await context.publish(channels.room_channel(room.pk), message)
    if talking:
        talked.look(room, studio)
    else:
        await talked.save(context, room, studio)


async def end_talking(context: Context, room_pk: int, seat_pk: int) -> None:
    """Publish that somebody stopped whose connection is gone: Janus says nothing of those who leave in mid-sentence."""
    room, studio = context.wanted.get(room_pk), context.studios.get(room_pk)
    if room is not None and studio is not None and seat_pk in studio.talking:
        await set_talking(context, room, studio, seat_pk, False)


async def set_receiving(context: Context, handle: Handle, receiving: bool) -> None:
    """Publish that somebody stopped whose packets cease in mid-sentence, and that they talk once packets arrive again:
    to Janus they talk meanwhile, so it says nothing of either. It tells of packets `no_media_timer` seconds after the
    last one (deploy/janus/janus.jcfg)."""
    room, studio = context.wanted.get(handle.room), context.studios.get(handle.room)
    if room is None or studio is None:
        return
    if not receiving:
        handle.cut_off = handle.seat in studio.talking
        await end_talking(context, handle.room, handle.seat)
    elif handle.cut_off:
        handle.cut_off = False
        await set_talking(context, room, studio, handle.seat, True)


async def repeat_talking(context: Context, room: WantedRoom, studio: Studio) -> None:
    """Publish again who talks. Without it pages that came late would not see it, and all forget it after a while
    (static/js/room/features/seats.js: `TALKING_KEPT`).

    Who is muted is kept in mind: Janus says nothing new when the microphone opens in mid-sentence.
    """
    speaking = {handle.seat for handle in context.state.of("speak", room=room.pk)}
    studio.talking &= speaking & room.seats.keys()
    for seat_pk in [*studio.talking]:
        if not studio.muted.get(seat_pk, True):
            await set_talking(context, room, studio, seat_pk, True)
