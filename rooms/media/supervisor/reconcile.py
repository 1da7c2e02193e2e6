"""One room in Janus and ffmpeg, made as the database wants it. What fails here is tried again in the next round."""

from __future__ import annotations

import asyncio
import logging
import time

from core.threads import in_thread
from rooms import channels
from rooms.media.janus import bridge
from rooms.media.janus.client import JanusError
from rooms.media.supervisor import handles, wanted
from rooms.media.supervisor.context import FAILURES, Context
from rooms.media.supervisor.disk import tell_room
from rooms.media.supervisor.studio import Studio
from rooms.recording.tasks import finish_recording

log = logging.getLogger(__name__)

SETTLED = 5.0  # seconds after which Janus must know of a handle


async def build(context: Context, room: wanted.WantedRoom) -> None:
    """A room that has nothing yet."""
    disk = context.room_disk(room.pk)
    studio = await Studio.build(context.janus, room.pk, context.ports, recording=context.may_record(disk), disk=disk)
    context.studios[room.pk] = studio
    await context.kept.keep_room(room.pk, studio.as_dict())
    log.info("room %s: built", room.pk)
    if room.pk in context.rebuilt:
        context.rebuilt.discard(room.pk)
        await context.publish(channels.room_channel(room.pk), {"type": "media_restarted"})


async def take_down(context: Context, studio: Studio) -> None:
    """A room that is over. Its recording is finished by a worker, or by the sweep where the queue is away."""
    async with studio.lock:
        context.studios.pop(studio.pk, None)
        try:
            try:
                await handles.let_all_go(context, studio)
            finally:
                await studio.take_down(context.janus)
        except FAILURES:  # the children ended; what Janus may still have of it is tried again
            context.studios[studio.pk] = studio
            raise
        await context.kept.drop_room(studio.pk)
    context.rebuilt.discard(studio.pk)
    context.room_disks.pop(studio.pk, None)
    log.info("room %s: taken down", studio.pk)
    context.start(_ask_to_finish(studio.pk))


async def _ask_to_finish(room_pk: int) -> None:
    """Have the recording finished. Without the queue nothing is lost: the sweep asks again, every half minute."""
    try:
        await asyncio.to_thread(finish_recording.apply_async, (room_pk,), retry=False)
    except Exception as error:  # of kombu, of the client of its broker, or of the system
        log.warning("room %s: its recording is finished later: %s %s", room_pk, type(error).__name__, error)


async def mend(context: Context, room: wanted.WantedRoom, studio: Studio, deep: bool) -> None:
    """A room that is there. `deep`: Janus itself is asked, too."""
    async with studio.lock:
        await _obey(context, room, studio)  # first: who was muted while no supervisor lived is not heard again
        if deep:  # before anything is asked of a room that Janus may have lost
            if not await _compare(context, room, studio):
                return
            await _obey(context, room, studio)
        try:
            await studio.tend(context.may_record(studio.disk))
        finally:  # who listens near needs no disk
            await studio.forward(context.janus)
        if room.told_paused == studio.recording:
            await tell_room(room.pk, not studio.recording)
        await studio.follow_tracks(context.janus)
        if context.kept.rooms.get(room.pk) != studio.as_dict():
            await context.kept.keep_room(room.pk, studio.as_dict())
        if deep:
            await studio.check_level(context.janus)


async def _obey(context: Context, room: wanted.WantedRoom, studio: Studio) -> None:
    """Let people on stage speak from the page that holds their microphone, muted as the database says."""
    for handle in context.kept.of("speak", room=room.pk):
        seat = room.seats.get(handle.seat)
        if seat is None or (seat.page != handle.page and not await in_thread(wanted.holds, handle)):
            await handles.remove_seat(context, studio, handle.seat)
        elif studio.muted.get(seat.pk) != seat.muted:
            await studio.set_muted(context.janus, seat)


async def _compare(context: Context, room: wanted.WantedRoom, studio: Studio) -> bool:
    """Compare with Janus, which is right: strangers are put out, those who are gone are forgotten. False when the
    room itself is not there any more."""
    try:
        inside = await bridge.participants(context.janus, studio.bridge)
    except JanusError as error:
        log.warning("room %s is gone from Janus: %s", room.pk, error)
        await _abandon(context, studio)
        return False
    speaking = {handle.seat: handle for handle in context.kept.of("speak", room=room.pk)}
    for name, muted in inside.items():
        seat_pk = bridge.seat_pk(name)
        if seat_pk in speaking:
            studio.muted[seat_pk] = muted
        else:
            await bridge.remove(context.janus, studio.bridge, name, None)
    for seat_pk, handle in speaking.items():
        if bridge.seat_id(seat_pk) not in inside and time.time() - handle.since > SETTLED:
            await handles.lost(context, handle)
    return True


async def _abandon(context: Context, studio: Studio) -> None:
    """Forget a room that Janus lost, so that the next round builds it again."""
    context.studios.pop(studio.pk, None)
    context.rebuilt.add(studio.pk)
    try:
        await handles.let_all_go(context, studio)
    finally:
        await studio.drop_children()
    await context.kept.drop_room(studio.pk)
    context.changed.set()
