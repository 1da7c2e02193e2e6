"""All that one live room needs to sound: its bridge and mountpoint in Janus, its leveller and its recorder.

The disk may hang at any moment: whatever touches it is done in the room's own lane (`RoomDisk`), and a room whose lane
hangs goes on without a recording.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from core.lane import DiskHangs, Lane
from rooms.media import srtp
from rooms.media.ffmpeg import commands
from rooms.media.ffmpeg.child import Child
from rooms.media.ffmpeg.folders import keep_list, last_run, make_folders, written_at
from rooms.media.ffmpeg.ports import free_port
from rooms.media.janus import bridge as audiobridge
from rooms.media.janus import mountpoint as streaming
from rooms.media.janus.client import Janus, JanusError
from rooms.media.supervisor.wanted import WantedSeat
from rooms.recording import store, track_memory
from rooms.recording.hls import window
from rooms.recording.hls.playlists import list_name

log = logging.getLogger(__name__)

STALLED = 4.0  # seconds without a new piece in the playlist; one comes every second
SETTLE = 6.0  # seconds a fresh recorder gets before it can be stalled
SOON = 0.5  # seconds that are waited for children; they usually take a few milliseconds
BLIND = 1000  # the first run's number where the disk does not say which were used: they only have to grow


@dataclass
class RoomDisk:
    """A room's way to the disk, however often its studio is built: its lane, and the number of its last run."""

    lane: Lane
    memory: Lane  # the same for WINDOW_DIR
    run: int | None = None  # None where it is not known

    @classmethod
    def of(cls, pk: int) -> RoomDisk:
        """A new one."""
        return cls(Lane(f"disk of room {pk}"), Lane(f"memory of room {pk}"))


def no_ports() -> Collection[int]:
    """Of nobody else."""
    return ()


class Studio:
    """Built for one room. `lock` is held by whoever changes what is in it."""

    def __init__(
        self,
        pk: int,
        bridge: audiobridge.Bridge,
        mountpoint: streaming.Mountpoint,
        ports: tuple[int, int],
        *,
        recording: bool,
        tracked: bool,
        disk: RoomDisk | None = None,
        taken: Callable[[], Collection[int]] = no_ports,
    ) -> None:
        """`recording` is what should be; `tracked` whether Janus writes tracks; `taken` the ports of all studios."""
        self.pk = pk
        self.bridge = bridge
        self.mountpoint = mountpoint
        self.ports = ports
        self.lock = asyncio.Lock()
        self.muted: dict[int, bool] = {}
        self.recording = recording
        self.tracked = tracked
        self.disk = disk or RoomDisk.of(pk)
        self.taken = taken
        self.levelled_at = time.monotonic()
        self._playlist: Path | None = None  # of who writes now
        self._written: float | None = None  # when it was, in seconds since 1970
        self._told = False  # that the list cannot be kept
        self._keys: dict[int, str] = {}  # of what ffmpeg takes in, by port: new with each start
        self._forwarded: dict[int, str] = {}  # the keys with which Janus sends there
        self._left_ports: list[int] = []  # on which somebody sits who does not end
        self._changing: asyncio.Task[None] | None = None
        self._make_children()

    def _make_children(self) -> None:
        pk, folder, memory = self.pk, store.hls_folder(self.pk), store.window_folder(self.pk)

        def level() -> commands.Command:
            port, target = self.ports[0], self.mountpoint
            key = target.key(settings.JANUS_ADMIN_KEY)
            return commands.leveller_command(port, self._new_key(port), target.port, key)

        def record() -> commands.Command:
            port, run = self.ports[1], self._begin_run(folder, self.recorder.prepared)
            return commands.recorder_command(port, self._new_key(port), folder, run)

        def show() -> commands.Command:
            blind = BLIND - 1 if self.disk.run is None else -1
            port, run = self.ports[1], self._begin_run(memory, max(blind, self.window.prepared))
            return commands.window_command(port, self._new_key(port), memory, run)

        self.leveller = Child(f"leveller of room {pk}", level)
        self.recorder = Child(
            f"recorder of room {pk}",
            record,
            lock=folder / ".lock",
            lane=self.disk.lane,
            ready=lambda: max(last_run(folder), last_run(memory)),
        )
        # Takes the recorder's place while nothing is recorded: both take in the same port, so never both at once.
        self.window = Child(
            f"window of room {pk}",
            show,
            lock=memory / ".lock",
            lane=self.disk.memory,
            ready=lambda: last_run(memory),
        )

    @classmethod
    async def build(
        cls,
        janus: Janus,
        pk: int,
        taken: Callable[[], Collection[int]] = no_ports,
        *,
        recording: bool,
        disk: RoomDisk | None = None,
    ) -> Studio:
        """Make everything anew. What fails half-way is swept when the session is made again or the room ends."""
        disk = disk or RoomDisk.of(pk)
        tracks = None
        if recording:  # Janus does not make the folder of its tracks
            await disk.lane.run(lambda: make_folders(pk))
            tracks = await disk.memory.run(lambda: track_memory.make(pk))
        key = settings.JANUS_ADMIN_KEY
        first, last = settings.MEDIA_RTP_PORTS
        level_port = free_port(first, last, taken())
        ports = level_port, free_port(first, last, {*taken(), level_port})
        bridge = await audiobridge.create(janus, f"room-{pk}", key, tracks)
        mountpoint = await streaming.create(janus, f"room-{pk}", key)
        studio = cls(pk, bridge, mountpoint, ports, recording=recording, tracked=recording, disk=disk, taken=taken)
        try:
            await studio.ensure()
            await studio.forward(janus)
        except BaseException:  # nobody else knows of them
            await studio.drop_children()
            raise
        return studio

    @classmethod
    def restore(
        cls,
        pk: int,
        kept: dict[str, Any],
        taken: Callable[[], Collection[int]] = no_ports,
        *,
        recording: bool,
        disk: RoomDisk | None = None,
    ) -> Studio:
        """Take over what an earlier supervisor built and Janus still has. Raises KeyError, TypeError, ValueError where
        what was kept is not that."""
        first, second = kept["ports"]
        bridge, mountpoint = audiobridge.Bridge(**kept["bridge"]), streaming.Mountpoint(**kept["mountpoint"])
        tracked = kept.get("tracked", True)
        return cls(
            pk, bridge, mountpoint, (first, second), recording=recording, tracked=tracked, disk=disk, taken=taken
        )

    def as_dict(self) -> dict[str, Any]:
        """For `restore`."""
        return {
            "bridge": self.bridge.as_dict(),
            "mountpoint": self.mountpoint.as_dict(),
            "ports": list(self.ports),
            "tracked": self.tracked,
            "run": self.disk.run,
        }

    @property
    def writer(self) -> Child:
        """Who should write the pieces that are listened to."""
        return self.recorder if self.recording else self.window

    async def tend(self, recording: bool) -> None:
        """Children as they should be. What takes longer goes on beside, and is looked at again in the next round: who
        is muted meanwhile must not wait for a disk. Raises what `ensure` does."""
        if self._changing is None:
            self._changing = asyncio.create_task(self._change(recording), name=f"children of room {self.pk}")
        await asyncio.wait([self._changing], timeout=SOON)
        if self._changing.done():
            done, self._changing = self._changing, None
            done.result()

    async def _change(self, recording: bool) -> None:
        await self.set_recording(recording)
        await self.ensure()

    async def _stop_changing(self) -> None:
        if self._changing is not None:
            changing, self._changing = self._changing, None
            changing.cancel()
            await asyncio.wait([changing], timeout=SETTLE)

    async def set_recording(self, recording: bool) -> None:
        """Recorder and window change places. The recorder writes its last piece, if there is room for it."""
        if recording != self.recording:
            ended = await self.writer.stop(1.0)
            self.recording, self._playlist, self._written = recording, None, None
            if not ended:
                self._leave_port()

    def _leave_port(self) -> None:
        """Whoever wrote does not end, and keeps the port: the next takes another."""
        first, last = settings.MEDIA_RTP_PORTS
        self._left_ports.append(self.ports[1])
        self._keys.pop(self.ports[1], None)
        self.ports = self.ports[0], free_port(first, last, {*self.taken(), *self.ports})

    async def set_muted(self, janus: Janus, seat: WantedSeat) -> None:
        """A microphone as the database says. One that hung up this moment is left to the next deep look."""
        try:
            await audiobridge.set_muted(janus, self.bridge, audiobridge.seat_id(seat.pk), seat.muted)
            self.muted[seat.pk] = seat.muted
        except JanusError as error:
            log.info("room %s, seat %s: %s", self.pk, seat.pk, error)

    async def follow_tracks(self, janus: Janus) -> bool:
        """Janus begins or ends its tracks as recording goes. True when it had to."""
        if self.tracked == self.recording:
            return False
        tracks = await self.disk.memory.run(lambda: track_memory.make(self.pk)) if self.recording else None
        await audiobridge.set_tracks(janus, self.bridge, tracks)
        self.tracked = self.recording
        return True

    async def ensure(self) -> None:
        """Both children run, and the one that writes does. Raises DiskHangs, with the leveller running."""
        await self.leveller.ensure()  # first: who listens near needs no folder
        writer, playlist = self.writer, self._playlist
        if self.disk.run is None and not self.disk.lane.hangs:
            await self._find_run()
        if self.recording:
            self._written = await self.disk.lane.run(lambda: self._look_after(playlist))
        else:
            self._written = await self.disk.memory.run(lambda: self._look_after_window(playlist))
        if writer.running and writer.age > SETTLE and self._silent_for() > STALLED:
            log.warning("room %s: the %s has not written for %.1f s", self.pk, writer.name, self._silent_for())
            if not await writer.kill():
                self._leave_port()
        await writer.ensure()

    async def _find_run(self) -> None:
        """Which runs there were before this supervisor. Where the disk hangs the window begins far above them."""
        with suppress(DiskHangs):
            self.disk.run = await self.disk.lane.run(lambda: last_run(store.hls_folder(self.pk)))

    def _look_after(self, playlist: Path | None) -> float | None:
        """Work on the disk, each second: folders are there, tracks go on from memory, the list has its second name.
        Returns when the list was written."""
        make_folders(self.pk)
        try:
            track_memory.drain(self.pk)
        except OSError as error:  # a disk that is full: the tracks wait in memory
            log.warning("room %s: its tracks wait: %s", self.pk, error)
        if playlist is None:
            return None
        try:
            keep_list(playlist)
        except OSError as error:  # a file system without hard links: the recording goes on without
            if not self._told:
                log.warning("room %s: its playlist gets no second name: %s", self.pk, error)
            self._told = True
        return written_at(playlist)

    def _look_after_window(self, playlist: Path | None) -> float | None:
        window.make(self.pk)
        return None if playlist is None else written_at(playlist)

    def _new_key(self, port: int) -> str:
        """The key for a child that is about to start: it must know its sender's count of packets from the first."""
        self._keys[port] = srtp.new_key()
        return self._keys[port]

    async def forward(self, janus: Janus) -> None:
        """Janus sends the mix to every child that was started since it was last told."""
        for port, key in list(self._keys.items()):
            if self._forwarded.get(port) != key:
                await audiobridge.forward(janus, self.bridge, settings.JANUS_ADMIN_KEY, port, key)
                self._forwarded[port] = key
        while self._left_ports:
            await audiobridge.stop_forward(janus, self.bridge, settings.JANUS_ADMIN_KEY, self._left_ports[-1])
            self._forwarded.pop(self._left_ports.pop(), None)

    def _begin_run(self, folder: Path, found: int) -> int:
        """The number of a start of recorder or window: above `found`, what left a file, and what we know besides."""
        run = max(found, -1 if self.disk.run is None else self.disk.run) + 1
        self.disk.run, self._playlist, self._written = run, folder / list_name(run), None
        return run

    async def check_level(self, janus: Janus) -> None:
        """The mountpoint hears the leveller; one that hangs is ended, and `ensure` starts it again."""
        age = await streaming.silent_for(janus, self.mountpoint)
        if self.leveller.running and self.leveller.age > SETTLE and age > STALLED:
            log.warning("room %s: the leveller has not sent for %.1f s", self.pk, age)
            await self.leveller.kill()

    def _silent_for(self) -> float:
        """Seconds since who writes has written, or was started."""
        age = self.writer.age
        return age if self._written is None else min(age, time.time() - self._written)

    async def drop_children(self) -> None:
        """Janus is gone, and with it their sequence of packets: both must start afresh."""
        await self._stop_changing()
        await asyncio.gather(self.leveller.kill(), self.recorder.stop(1.0), self.window.kill())

    async def take_down(self, janus: Janus) -> None:
        """The room ended: hang everybody up, close tracks, write the last piece. Without Janus the children end too:
        nobody knows of them any more, and a recorder's lock would keep the recording from being finished."""
        try:
            await audiobridge.destroy(janus, self.bridge)
            await streaming.destroy(janus, self.mountpoint)
        finally:
            await self._stop_changing()
            ends = (self.leveller.kill(), self.recorder.stop(), self.window.kill())
            await asyncio.gather(*ends, return_exceptions=True)
            with suppress(OSError):  # the next sweep removes it
                await self.disk.memory.run(lambda: window.remove(self.pk))
        try:  # after Janus has written the last of them
            await clear_tracks(self.pk, self.disk.lane)
        except OSError as error:  # in the next sweep, or when the recording is finished
            log.warning("room %s: its tracks wait in memory: %s", self.pk, error)


async def clear_tracks(pk: int, lane: Lane) -> None:
    """Nothing of a room that is over stays in memory: its tracks go on to the disk. Raises OSError."""

    def clear() -> None:
        purged = not store.folder(pk).exists()
        if purged or track_memory.drain(pk):
            track_memory.remove(pk)

    await lane.run(clear)
