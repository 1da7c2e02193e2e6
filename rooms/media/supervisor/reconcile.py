"""One room in Janus and ffmpeg, made as the database wants it. What fails here is tried again in the next round."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from core.threads import in_thread
from rooms import channels
from rooms.media.janus import bridge
from rooms.media.janus.client import JanusError
from rooms.media.supervisor import events, wanted
from rooms.media.supervisor.disk import tell_room
from rooms.media.supervisor.state import Handle
from rooms.media.supervisor.studio import Studio
from rooms.media.supervisor.verbs import FAILURES
from rooms.recording.tasks import finish_recording

if TYPE_CHECKING:
    from rooms.media.supervisor.loop import Supervisor

log = logging.getLogger(__name__)

SETTLED = 5.0  # seconds after which Janus must know of a handle


async def build(sup: Supervisor, room: wanted.WantedRoom) -> None:
    """A room that has nothing yet."""
    disk = sup.disk_of(room.pk)
    studio = await Studio.build(sup.janus, room.pk, sup.ports, recording=sup.may_record(disk), disk=disk)
    sup.studios[room.pk] = studio
    await sup.kept.keep_room(room.pk, studio.as_dict())
    log.info("room %s: built", room.pk)
    if room.pk in sup.rebuilt:
        sup.rebuilt.discard(room.pk)
        await sup.publish(channels.room_channel(room.pk), {"type": "media_restarted"})


async def take_down(sup: Supervisor, studio: Studio) -> None:
    """A room that is over. Its recording is finished by a worker, or by the sweep where the queue is away."""
    async with studio.lock:
        sup.studios.pop(studio.pk, None)
        try:
            try:
                await _let_all_go(sup, studio)
            finally:
                await studio.take_down(sup.janus)
        except FAILURES:  # the children ended; what Janus may still have of it is tried again
            sup.studios[studio.pk] = studio
            raise
        await sup.kept.drop_room(studio.pk)
    sup.rebuilt.discard(studio.pk)
    sup.disks.pop(studio.pk, None)
    log.info("room %s: taken down", studio.pk)
    sup.start(_ask_to_finish(studio.pk))


async def _ask_to_finish(room_pk: int) -> None:
    """Have the recording finished. Without the queue nothing is lost: the sweep asks again, every half minute."""
    try:
        await asyncio.to_thread(finish_recording.apply_async, (room_pk,), retry=False)
    except Exception as error:  # of kombu, of the client of its broker, or of the system
        log.warning("room %s: its recording is finished later: %s %s", room_pk, type(error).__name__, error)


async def mend(sup: Supervisor, room: wanted.WantedRoom, studio: Studio, deep: bool) -> None:
    """A room that is there. `deep`: Janus itself is asked, too."""
    async with studio.lock:
        await _obey(sup, room, studio)  # first: who was muted while no supervisor lived is not heard again
        if deep:  # before anything is asked of a room that Janus may have lost
            if not await _compare(sup, room, studio):
                return
            await _obey(sup, room, studio)
        try:
            await studio.tend(sup.may_record(studio.disk))
        finally:  # who listens near needs no disk
            await studio.forward(sup.janus)
        if room.told_paused == studio.recording:
            await tell_room(room.pk, not studio.recording)
        await studio.follow_tracks(sup.janus)
        if sup.kept.rooms.get(room.pk) != studio.as_dict():
            await sup.kept.keep_room(room.pk, studio.as_dict())
        if deep:
            await studio.check_level(sup.janus)


async def _obey(sup: Supervisor, room: wanted.WantedRoom, studio: Studio) -> None:
    """Let people on stage speak from the page that holds their microphone, muted as the database says."""
    for handle in sup.kept.of("speak", room=room.pk):
        seat = room.seats.get(handle.seat)
        if seat is None or (seat.page != handle.page and not await in_thread(wanted.holds, handle)):
            await remove_seat(sup, studio, handle.seat)
        elif studio.muted.get(seat.pk) != seat.muted:
            await studio.set_muted(sup.janus, seat)


async def _compare(sup: Supervisor, room: wanted.WantedRoom, studio: Studio) -> bool:
    """Compare with Janus, which is right: strangers are put out, those who are gone are forgotten. False when the
    room itself is not there any more."""
    try:
        inside = await bridge.participants(sup.janus, studio.bridge)
    except JanusError as error:
        log.warning("room %s is gone from Janus: %s", room.pk, error)
        await _abandon(sup, studio)
        return False
    speaking = {handle.seat: handle for handle in sup.kept.of("speak", room=room.pk)}
    for name, muted in inside.items():
        seat_pk = bridge.seat_pk(name)
        if seat_pk in speaking:
            studio.muted[seat_pk] = muted
        else:
            await bridge.remove(sup.janus, studio.bridge, name, None)
    for seat_pk, handle in speaking.items():
        if bridge.seat_id(seat_pk) not in inside and time.time() - handle.since > SETTLED:
            await events.lost(sup, handle)
    return True


async def _abandon(sup: Supervisor, studio: Studio) -> None:
    """Forget a room that Janus lost, so that the next round builds it again."""
    sup.studios.pop(studio.pk, None)
    sup.rebuilt.add(studio.pk)
    try:
        await _let_all_go(sup, studio)
    finally:
        await studio.drop_children()
    await sup.kept.drop_room(studio.pk)
    sup.changed.set()


async def remove_seat(sup: Supervisor, studio: Studio, seat_pk: int) -> None:
    """A seat's microphone: silent at once, out, let go. The caller holds the studio."""
    for handle in sup.kept.of("speak", room=studio.pk, seat=seat_pk):
        await sup.kept.drop_handle(handle.id)  # first, or its hang-up looks like an accident
        await bridge.remove(sup.janus, studio.bridge, bridge.seat_id(seat_pk), handle.id)
    studio.muted.pop(seat_pk, None)


async def let_go(sup: Supervisor, handle: Handle) -> None:
    """A handle that is not needed any more."""
    await sup.kept.drop_handle(handle.id)
    await sup.janus.detach(handle.id)


async def _let_all_go(sup: Supervisor, studio: Studio) -> None:
    for handle in [*sup.kept.of("speak", room=studio.pk), *sup.kept.of("listen", room=studio.pk)]:
        await let_go(sup, handle)
