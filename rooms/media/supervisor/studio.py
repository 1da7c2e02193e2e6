"""Everything built for one live room: bridge and mountpoint in Janus, and its child processes.

The disk may hang at any moment: whatever touches it is done in the room's own lane (`RoomDisk`), and a room whose lane
hangs goes on without a recording.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings

from core.lane import DiskHangs
from rooms.hooks import media_taps
from rooms.media.ffmpeg import commands
from rooms.media.ffmpeg.child import Child
from rooms.media.ffmpeg.folders import last_run, make_folders
from rooms.media.ffmpeg.ports import NoPort, free_port
from rooms.media.janus import bridge as audiobridge
from rooms.media.janus import mountpoint as streaming
from rooms.media.janus.client import Janus, JanusError
from rooms.media.supervisor.forward import Forward
from rooms.media.supervisor.room_disk import RoomDisk, clear_tracks
from rooms.media.supervisor.talk_clock import TalkClock
from rooms.media.supervisor.tap import TapChild
from rooms.media.supervisor.wanted import WantedSeat
from rooms.recording import store, track_memory
from rooms.recording.hls import window
from rooms.recording.hls.playlists import list_name

log = logging.getLogger(__name__)

STALLED = 4.0  # seconds without a new piece in the playlist; one comes every second
SETTLE = 6.0  # seconds a fresh recorder gets before it can be stalled
SOON = 0.5  # seconds that are waited for children; they usually take a few milliseconds
LEVELLER, RECORDER, WINDOW = "leveller", "recorder", "window"  # the children
WRITER = "writer"  # receives the mix: recorder or window
BLIND = 1000  # the first run's number where the disk does not say which were used: they only have to grow


def no_ports() -> Collection[int]:
    """Default of `taken`: no other studio has ports."""
    return ()


class Studio:
    """Bridge, mountpoint and children of one room. Hold `lock` to change them."""

    def __init__(
        self,
        pk: int,
        bridge: audiobridge.Bridge,
        mountpoint: streaming.Mountpoint,
        ports: dict[str, int],
        *,
        recording: bool,
        tracked: bool,
        disk: RoomDisk | None = None,
        taken: Callable[[], Collection[int]] = no_ports,
    ) -> None:
        """`ports` by receiver of the mix; `recording` is what should be; `tracked` whether Janus writes tracks;
        `taken` the ports of all studios."""
        self.pk = pk
        self.bridge = bridge
        self.mountpoint = mountpoint
        self.lock = asyncio.Lock()
        self.muted: dict[int, bool] = {}
        self.talking: set[int] = set()  # seats, as Janus last said
        self.talk_clock = TalkClock()
        self.recording = recording
        self.tracked = tracked
        self.disk = disk or RoomDisk.of(pk)
        self.taken = taken
        self._playlist: Path | None = None  # of who writes now
        self._written: float | None = None  # when it was, in seconds since 1970
        self._changing: asyncio.Task[None] | None = None
        self.forwards = {name: Forward(self._free_port, ports[name]) for name in (LEVELLER, WRITER)}
        self.children = self._make_children()
        self._add_taps(ports)

    @property
    def ports(self) -> list[int]:
        """The ports on which its children receive the mix."""
        return [forward.port for forward in self.forwards.values() if forward.port is not None]

    def _free_port(self) -> int:
        first, last = settings.MEDIA_RTP_PORTS
        return free_port(first, last, {*self.taken(), *self.ports})

    def _free_tap_port(self) -> int:
        """Pick a port for a tap while less than half are given out: the others are for rooms. Raises NoPort."""
        first, last = settings.MEDIA_RTP_PORTS
        if len({*self.taken(), *self.ports}) * 2 >= (last - first + 1) // 2:
            raise NoPort("half of all ports are given out, the others are kept for rooms")
        return self._free_port()

    def _make_children(self) -> dict[str, Child]:
        """Make leveller, recorder and window. The window takes the recorder's place while nothing is recorded: both
        receive on the same port, so never both at once."""
        pk, folder, memory = self.pk, store.hls_folder(self.pk), store.window_folder(self.pk)
        return {
            LEVELLER: Child(f"leveller of room {pk}", self._leveller_command),
            RECORDER: Child(
                f"recorder of room {pk}",
                self._recorder_command,
                lock=folder / ".lock",
                lane=self.disk.lane,
                ready=lambda: max(last_run(folder), last_run(memory)),
                finishes=True,
            ),
            WINDOW: Child(
                f"window of room {pk}",
                self._window_command,
                lock=memory / ".lock",
                lane=self.disk.memory,
                ready=lambda: last_run(memory),
            ),
        }

    def _add_taps(self, ports: dict[str, int]) -> None:
        """Add a child and a forward for each tap, and end forwards of taps that only an earlier supervisor had."""
        for name, tap in media_taps.items():
            forward = Forward(self._free_tap_port, ports.get(f"tap {name}"))
            self.forwards[f"tap {name}"] = forward
            self.children[f"tap {name}"] = TapChild(self.pk, name, tap, forward)
        for name in ports.keys() - self.forwards.keys():
            self.forwards[name] = Forward(self._free_tap_port, ports[name])
            self.forwards[name].leave_port()

    def _leveller_command(self) -> commands.Command:
        target = self.mountpoint
        key = target.key(settings.JANUS_ADMIN_KEY)
        return commands.leveller_command(*self.forwards[LEVELLER].renew(), target.port, key)

    def _recorder_command(self) -> commands.Command:
        folder = store.hls_folder(self.pk)
        run = self._begin_run(folder, self.children[RECORDER].prepared)
        return commands.recorder_command(*self.forwards[WRITER].renew(), folder, run)

    def _window_command(self) -> commands.Command:
        folder, blind = store.window_folder(self.pk), BLIND - 1 if self.disk.run is None else -1
        run = self._begin_run(folder, max(blind, self.children[WINDOW].prepared))
        return commands.window_command(*self.forwards[WRITER].renew(), folder, run)

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
        """Build everything anew. Leftovers of a failure are swept with the session's start or the room's end."""
        disk = disk or RoomDisk.of(pk)
        tracks = None
        if recording:  # Janus does not make the folder of its tracks
            await disk.lane.run(lambda: make_folders(pk))
            tracks = await disk.memory.run(lambda: track_memory.make(pk))
        key = settings.JANUS_ADMIN_KEY
        first, last = settings.MEDIA_RTP_PORTS
        level_port = free_port(first, last, taken())
        ports = {LEVELLER: level_port, WRITER: free_port(first, last, {*taken(), level_port})}
        bridge = await audiobridge.create(janus, f"room-{pk}", key, tracks)
        mountpoint = await streaming.create(janus, f"room-{pk}", key)
        studio = cls(pk, bridge, mountpoint, ports, recording=recording, tracked=recording, disk=disk, taken=taken)
        try:
            await studio.ensure()
            await studio.apply_forwards(janus)
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
        ports = {str(name): int(port) for name, port in dict(kept["ports"]).items()}
        bridge, mountpoint = audiobridge.Bridge(**kept["bridge"]), streaming.Mountpoint(**kept["mountpoint"])
        tracked = kept.get("tracked", True)
        return cls(pk, bridge, mountpoint, ports, recording=recording, tracked=tracked, disk=disk, taken=taken)

    def as_dict(self) -> dict[str, Any]:
        """For `restore`."""
        return {
            "bridge": self.bridge.as_dict(),
            "mountpoint": self.mountpoint.as_dict(),
            "ports": {name: forward.port for name, forward in self.forwards.items() if forward.port is not None},
            "tracked": self.tracked,
            "run": self.disk.run,
        }

    @property
    def writer(self) -> Child:
        """Child that should write the segments that are listened to: recorder or window."""
        return self.children[RECORDER if self.recording else WINDOW]

    async def update_children(self, recording: bool) -> None:
        """Start, replace or end children as needed. Slow work goes on beside and is looked at in the next round: a mute
        must not wait for a disk. Raises what `ensure` does."""
        for child in self.children.values():
            if isinstance(child, TapChild):
                child.ensure_beside()
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
        """Exchange recorder and window. The recorder writes its last segment, if there is room for it."""
        if recording != self.recording:
            ended = await self.writer.stop(1.0)
            self.recording, self._playlist, self._written = recording, None, None
            if not ended:
                self.forwards[WRITER].leave_port()

    async def set_muted(self, janus: Janus, seat: WantedSeat) -> None:
        """Mute or unmute as the database says. A speaker who hung up this moment is left to the next deep round."""
        try:
            await audiobridge.set_muted(janus, self.bridge, audiobridge.seat_id(seat.pk), seat.muted)
            self.muted[seat.pk] = seat.muted
        except JanusError as error:
            log.info("room %s, seat %s: %s", self.pk, seat.pk, error)

    async def follow_tracks(self, janus: Janus) -> bool:
        """Begin or end Janus' tracks as recording does. True when it had to."""
        if self.tracked == self.recording:
            return False
        tracks = await self.disk.memory.run(lambda: track_memory.make(self.pk)) if self.recording else None
        await audiobridge.set_tracks(janus, self.bridge, tracks)
        self.tracked = self.recording
        return True

    async def ensure(self) -> None:
        """Start leveller and writer where they do not run or hang. Raises DiskHangs, with the leveller running."""
        await self.children[LEVELLER].ensure()  # first: who listens near needs no folder
        writer, playlist = self.writer, self._playlist
        if self.disk.run is None and not self.disk.lane.hangs:
            await self._find_run()
        if self.recording:
            self._written = await self.disk.lane.run(lambda: self.disk.look_after_recording(playlist))
        else:
            self._written = await self.disk.memory.run(lambda: self.disk.look_after_window(playlist))
        if writer.running and writer.age > SETTLE and self._silent_for() > STALLED:
            log.warning("room %s: the %s has not written for %.1f s", self.pk, writer.name, self._silent_for())
            if not await writer.kill():
                self.forwards[WRITER].leave_port()
        await writer.ensure()

    async def _find_run(self) -> None:
        """Find the last run before this supervisor. Where the disk hangs the window begins far above."""
        with suppress(DiskHangs):
            self.disk.run = await self.disk.lane.run(lambda: last_run(store.hls_folder(self.pk)))

    async def apply_forwards(self, janus: Janus) -> None:
        """Make Janus send the mix to every child that was started since the last time."""
        for name, forward in self.forwards.items():  # leveller and writer first
            try:
                await forward.apply(janus, self.bridge)
            except (JanusError, TimeoutError) as error:
                if name in (LEVELLER, WRITER):
                    raise
                log.warning("room %s: the %s gets no mix: %s", self.pk, name, error)

    def _begin_run(self, folder: Path, last: int) -> int:
        """Number a start of recorder or window: above `last`, which left a file, and above every other we know of."""
        run = max(last, -1 if self.disk.run is None else self.disk.run) + 1
        self.disk.run, self._playlist, self._written = run, folder / list_name(run), None
        return run

    async def check_level(self, janus: Janus) -> None:
        """End a leveller whose sound the mountpoint does not get; `ensure` starts it again."""
        age = await streaming.silent_for(janus, self.mountpoint)
        leveller = self.children[LEVELLER]
        if leveller.running and leveller.age > SETTLE and age > STALLED:
            log.warning("room %s: the leveller has not sent for %.1f s", self.pk, age)
            await leveller.kill()

    def _silent_for(self) -> float:
        """Seconds since the writer has written, or was started."""
        age = self.writer.age
        return age if self._written is None else min(age, time.time() - self._written)

    async def drop_children(self) -> None:
        """End all children: Janus is gone, and with it the sequence of packets that they follow."""
        await self._stop_changing()
        await asyncio.gather(*(child.end(1.0) for child in self.children.values()))

    async def take_down(self, janus: Janus) -> None:
        """Hang everybody up, close tracks, write the last segment. Without Janus the children end too: nobody knows of
        them any more, and a recorder's lock would keep the recording from being finished."""
        try:
            await audiobridge.destroy(janus, self.bridge)
            await streaming.destroy(janus, self.mountpoint)
        finally:
            await self._stop_changing()
            await asyncio.gather(*(child.end() for child in self.children.values()), return_exceptions=True)
            with suppress(OSError):  # the next sweep removes it
                await self.disk.memory.run(lambda: window.remove(self.pk))
        try:  # after Janus has written the last of them
            await clear_tracks(self.pk, self.disk.lane)
        except OSError as error:  # in the next sweep, or when the recording is finished
            log.warning("room %s: its tracks wait in memory: %s", self.pk, error)
