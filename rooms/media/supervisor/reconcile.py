"""Reconciliation of one room in Janus and ffmpeg with the database. Failures are tried again in the next round."""

from __future__ import annotations

import asyncio
import logging
import time

from core.threads import in_thread
from rooms import channels
from rooms.media.janus import bridge
from rooms.media.janus.client import JanusError
from rooms.media.supervisor import handles, talked, wanted
from rooms.media.supervisor.context import FAILURES, Context
from rooms.media.supervisor.disk import tell_room
from rooms.media.supervisor.studio import Studio
from rooms.media.supervisor.talking import repeat_talking
from rooms.recording.tasks import finish_recording

log = logging.getLogger(__name__)

SETTLED = 5.0  # seconds after which Janus must know of a handle


async def build_room(context: Context, room: wanted.WantedRoom) -> None:
    """Build a room that has nothing yet."""
    disk = context.room_disk(room.pk)
    studio = await Studio.build(context.janus, room.pk, context.ports, recording=context.may_record(disk), disk=disk)
    context.studios[room.pk] = studio
    await context.state.save_room(room.pk, studio.as_dict())
    log.info("room %s: built", room.pk)
    if room.pk in context.rebuilt:
        context.rebuilt.discard(room.pk)
        await context.publish(channels.room_channel(room.pk), {"type": "media_restarted"})


async def take_down_room(context: Context, studio: Studio) -> None:
    """Take down a room that is over. A worker finishes its recording, or the sweep where the queue is away."""
    async with studio.lock:
        context.studios.pop(studio.pk, None)
        try:
            try:
                await handles.release_all(context, studio)
            finally:
                await studio.take_down(context.janus)
        except FAILURES:  # the children ended; what Janus may still have of it is tried again
            context.studios[studio.pk] = studio
            raise
        await context.state.drop_room(studio.pk)
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


async def reconcile_room(context: Context, room: wanted.WantedRoom, studio: Studio, deep: bool) -> None:
    """Make a built room match what is wanted. `deep`: compare with Janus itself, too."""
    async with studio.lock:
        await _apply_seats(context, room, studio)  # first: who was muted while no supervisor lived is not heard again
        if deep:  # before anything is asked of a room that Janus may have lost
            if not await _compare_with_janus(context, room, studio):
                return
            await _apply_seats(context, room, studio)
        try:
            await studio.update_children(context.may_record(studio.disk))
        finally:  # who listens near needs no disk
            await studio.apply_forwards(context.janus)
        if room.told_paused == studio.recording:
            await tell_room(room.pk, not studio.recording)
        await studio.follow_tracks(context.janus)
        if context.state.rooms.get(room.pk) != studio.as_dict():
            await context.state.save_room(room.pk, studio.as_dict())
        if deep:
            await repeat_talking(context, room, studio)
            await talked.report(context, room, studio)
            await studio.check_level(context.janus)


async def _apply_seats(context: Context, room: wanted.WantedRoom, studio: Studio) -> None:
    """Apply the wanted seats: speakers on the page that holds their microphone, muted as the database says."""
    for handle in context.state.of("speak", room=room.pk):
        seat = room.seats.get(handle.seat)
        if seat is None or (seat.page != handle.page and not await in_thread(wanted.holds, handle)):
            await handles.remove_seat(context, studio, handle.seat)
        elif studio.muted.get(seat.pk) != seat.muted:
            await studio.set_muted(context.janus, seat)
            talked.look(room, studio)


async def _compare_with_janus(context: Context, room: wanted.WantedRoom, studio: Studio) -> bool:
    """Put out strangers that Janus has in the room, and release speakers that it lost. False when the room itself is
    gone."""
    try:
        inside = await bridge.participants(context.janus, studio.bridge)
    except JanusError as error:
        log.warning("room %s is gone from Janus: %s", room.pk, error)
        await _forget_room(context, studio)
        return False
    speaking = {handle.seat: handle for handle in context.state.of("speak", room=room.pk)}
    for name, muted in inside.items():
        seat_pk = bridge.seat_pk(name)
        if seat_pk in speaking:
            studio.muted[seat_pk] = muted
        else:
            await bridge.remove(context.janus, studio.bridge, name, None)
    for seat_pk, handle in speaking.items():
        if bridge.seat_id(seat_pk) not in inside and time.time() - handle.since > SETTLED:
            await handles.connection_lost(context, handle)
    return True


async def _forget_room(context: Context, studio: Studio) -> None:
    """Forget a room that Janus lost, so that the next round builds it again."""
    context.studios.pop(studio.pk, None)
    context.rebuilt.add(studio.pk)
    try:
        await handles.release_all(context, studio)
    finally:
        await studio.drop_children()
    await context.state.drop_room(studio.pk)
    context.changed.set()
