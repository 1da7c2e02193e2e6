"""All that one live room needs to sound: its bridge and mountpoint in Janus, its leveller and its recorder."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings

from rooms.media import audience, commands, srtp, stage
from rooms.media.children import Child
from rooms.media.client import Janus, JanusError
from rooms.media.folders import keep_list, make_folders, next_run
from rooms.media.ports import free_port
from rooms.media.wanted import WantedSeat
from rooms.recording import store, window
from rooms.recording.playlists import list_name

log = logging.getLogger(__name__)

STALLED = 4.0  # seconds without a new piece in the playlist; one comes every second
SETTLE = 6.0  # seconds a fresh recorder gets before it can be stalled


class Studio:
    """Built for one room. `lock` is held by whoever changes what is in it."""

    def __init__(
        self,
        pk: int,
        bridge: stage.Bridge,
        mountpoint: audience.Mountpoint,
        ports: tuple[int, int],
        *,
        recording: bool,
        tracked: bool,
    ) -> None:
        """`recording` is what should be; `tracked` whether Janus writes tracks."""
        self.pk = pk
        self.bridge = bridge
        self.mountpoint = mountpoint
        self.ports = ports
        self.lock = asyncio.Lock()
        self.muted: dict[int, bool] = {}
        self.recording = recording
        self.tracked = tracked
        self.levelled_at = time.monotonic()
        self._playlist: Path | None = None  # of who writes now
        self._told = False  # that the list cannot be kept
        folder, memory = store.hls_folder(pk), store.window_folder(pk)
        self._keys: dict[int, str] = {}  # of what ffmpeg takes in, by port: new with each start
        self._forwarded: dict[int, str] = {}  # the keys with which Janus sends there
        self.leveller = Child(
            f"leveller of room {pk}",
            lambda: commands.leveller_command(
                ports[0], self._new_key(ports[0]), mountpoint.port, mountpoint.key(settings.JANUS_ADMIN_KEY)
            ),
        )
        self.recorder = Child(
            f"recorder of room {pk}",
            lambda: commands.recorder_command(ports[1], self._new_key(ports[1]), folder, self._next_run(folder)),
            lock=folder / ".lock",
        )
        # Takes the recorder's place while nothing is recorded: both take in the same port, so never both at once.
        self.window = Child(
            f"window of room {pk}",
            lambda: commands.window_command(ports[1], self._new_key(ports[1]), memory, self._next_run(memory)),
            lock=memory / ".lock",
        )

    @classmethod
    async def build(cls, janus: Janus, pk: int, taken: Collection[int], *, recording: bool) -> Studio:
        """Make everything anew. What fails half-way is swept when the session is made again or the room ends."""
        if recording:  # Janus does not make the folder of its tracks
            make_folders(pk, recording)
        key = settings.JANUS_ADMIN_KEY
        first, last = settings.MEDIA_RTP_PORTS
        level_port = free_port(first, last, taken)
        ports = level_port, free_port(first, last, {*taken, level_port})
        bridge = await stage.create(janus, f"room-{pk}", key, store.tracks_folder(pk) if recording else None)
        mountpoint = await audience.create(janus, f"room-{pk}", key)
        studio = cls(pk, bridge, mountpoint, ports, recording=recording, tracked=recording)
        try:
            await studio.ensure()
            await studio.forward(janus)
        except BaseException:  # nobody else knows of them
            await studio.drop_children()
            raise
        return studio

    @classmethod
    def restore(cls, pk: int, kept: dict[str, Any], *, recording: bool) -> Studio:
        """What an earlier supervisor built and Janus still has."""
        first, second = kept["ports"]
        bridge, mountpoint = stage.Bridge(**kept["bridge"]), audience.Mountpoint(**kept["mountpoint"])
        return cls(pk, bridge, mountpoint, (first, second), recording=recording, tracked=kept.get("tracked", True))

    def as_dict(self) -> dict[str, Any]:
        """For `restore`."""
        return {
            "bridge": self.bridge.as_dict(),
            "mountpoint": self.mountpoint.as_dict(),
            "ports": list(self.ports),
            "tracked": self.tracked,
        }

    @property
    def writer(self) -> Child:
        """Who should write the pieces that are listened to."""
        return self.recorder if self.recording else self.window

    async def set_recording(self, recording: bool) -> None:
        """Recorder and window change places. The recorder writes its last piece, if there is room for it."""
        if recording != self.recording:
            await self.writer.stop(1.0)
            self.recording = recording

    async def set_muted(self, janus: Janus, seat: WantedSeat) -> None:
        """A microphone as the database says. One that hung up this moment is left to the next deep look."""
        try:
            await stage.set_muted(janus, self.bridge, stage.seat_id(seat.pk), seat.muted)
            self.muted[seat.pk] = seat.muted
        except JanusError as error:
            log.info("room %s, seat %s: %s", self.pk, seat.pk, error)

    async def follow_tracks(self, janus: Janus) -> bool:
        """Janus begins or ends its tracks as recording goes. True when it had to."""
        if self.tracked == self.recording:
            return False
        await stage.set_tracks(janus, self.bridge, store.tracks_folder(self.pk) if self.recording else None)
        self.tracked = self.recording
        return True

    async def ensure(self) -> None:
        """Both children run, and the one that writes does."""
        await self.leveller.ensure()  # first: who listens near needs no folder
        make_folders(self.pk, self.recording)
        writer = self.writer
        if writer.running and writer.age > SETTLE and self._silent_for() > STALLED:
            log.warning("room %s: the %s has not written for %.1f s", self.pk, writer.name, self._silent_for())
            await writer.kill()
        await writer.ensure()
        if self.recording and self._playlist is not None:
            await self._keep_list(self._playlist)

    def _new_key(self, port: int) -> str:
        """The key for a child that is about to start: it must know its sender's count of packets from the first."""
        self._keys[port] = srtp.new_key()
        return self._keys[port]

    async def forward(self, janus: Janus) -> None:
        """Janus sends the mix to every child that was started since it was last told."""
        for port, key in self._keys.items():
            if self._forwarded.get(port) != key:
                await stage.forward(janus, self.bridge, settings.JANUS_ADMIN_KEY, port, key)
                self._forwarded[port] = key

    async def _keep_list(self, playlist: Path) -> None:
        """Where it does not work (a file system without hard links), the recording goes on without."""
        try:
            await asyncio.to_thread(keep_list, playlist)
        except OSError as error:
            if not self._told:
                log.warning("room %s: its playlist gets no second name: %s", self.pk, error)
            self._told = True

    def _next_run(self, folder: Path) -> int:
        run = next_run(self.pk)
        self._playlist = folder / list_name(run)
        return run

    async def check_level(self, janus: Janus) -> None:
        """The mountpoint hears the leveller; one that hangs is started again."""
        age = await audience.silent_for(janus, self.mountpoint)
        if self.leveller.running and self.leveller.age > SETTLE and age > STALLED:
            log.warning("room %s: the leveller has not sent for %.1f s", self.pk, age)
            await self.leveller.kill()
            await self.leveller.ensure()
            await self.forward(janus)

    def _silent_for(self) -> float:
        """Seconds since who writes has written, or was started."""
        age = self.writer.age
        with suppress(FileNotFoundError):
            if self._playlist is not None:
                age = min(age, time.time() - self._playlist.stat().st_mtime)
        return age

    async def drop_children(self) -> None:
        """Janus is gone, and with it their sequence of packets: both must start afresh."""
        await asyncio.gather(self.leveller.kill(), self.recorder.stop(1.0), self.window.kill())

    async def take_down(self, janus: Janus) -> None:
        """The room ended: hang everybody up, close tracks, write the last piece. Without Janus the children end too:
        nobody knows of them any more, and a recorder's lock would keep the recording from being finished."""
        try:
            await stage.destroy(janus, self.bridge)
            await audience.destroy(janus, self.mountpoint)
        finally:
            ends = (self.leveller.kill(), self.recorder.stop(), self.window.kill())
            await asyncio.gather(*ends, return_exceptions=True)
            with suppress(OSError):  # the next sweep removes it
                await asyncio.to_thread(window.remove, self.pk)
