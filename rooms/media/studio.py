"""All that one live room needs to sound: its bridge and mountpoint in Janus, its leveller and its recorder."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from django.conf import settings

from rooms.media import audience, commands, stage
from rooms.media.children import Child
from rooms.media.client import Janus
from rooms.media.ports import free_port
from rooms.recording import store

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
        folder, window = store.hls_folder(pk), store.window_folder(pk)
        self.leveller = Child(f"leveller of room {pk}", lambda: commands.leveller_command(ports[0], mountpoint.port))
        self.recorder = Child(
            f"recorder of room {pk}",
            lambda: commands.recorder_command(ports[1], folder, next_run(pk)),
            lock=folder / ".lock",
        )
        # Takes the recorder's place while nothing is recorded: both take in the same port, so never both at once.
        self.window = Child(
            f"window of room {pk}",
            lambda: commands.window_command(ports[1], window, next_run(pk)),
            lock=window / ".lock",
        )

    @classmethod
    async def build(cls, janus: Janus, pk: int, taken: Collection[int], *, recording: bool) -> Studio:
        """Make everything anew. What fails half-way is swept when the session is made again or the room ends."""
        make_folders(pk, recording)
        key = settings.JANUS_ADMIN_KEY
        first, last = settings.MEDIA_RTP_PORTS
        level_port = free_port(first, last, taken)
        ports = level_port, free_port(first, last, {*taken, level_port})
        bridge = await stage.create(janus, f"room-{pk}", key, store.tracks_folder(pk) if recording else None)
        mountpoint = await audience.create(janus, f"room-{pk}", key)
        studio = cls(pk, bridge, mountpoint, ports, recording=recording, tracked=recording)
        await studio.ensure()
        for port in ports:
            await stage.forward(janus, bridge, key, port)
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
        make_folders(self.pk, recording)

    async def follow_tracks(self, janus: Janus) -> bool:
        """Janus begins or ends its tracks as recording goes. True when it had to."""
        if self.tracked == self.recording:
            return False
        await stage.set_tracks(janus, self.bridge, store.tracks_folder(self.pk) if self.recording else None)
        self.tracked = self.recording
        return True

    async def ensure(self) -> None:
        """Both children run, and the one that writes does."""
        await self.leveller.ensure()
        writer = self.writer
        if writer.running and writer.age > SETTLE and self._silent_for() > STALLED:
            log.warning("room %s: the %s has not written for %.1f s", self.pk, writer.name, self._silent_for())
            await writer.kill()
        await writer.ensure()
        if self.recording:
            keep_list(self.pk)

    async def check_level(self, janus: Janus) -> None:
        """The mountpoint hears the leveller; one that hangs is started again."""
        age = await audience.silent_for(janus, self.mountpoint)
        if self.leveller.running and self.leveller.age > SETTLE and age > STALLED:
            log.warning("room %s: the leveller has not sent for %.1f s", self.pk, age)
            await self.leveller.kill()
            await self.leveller.ensure()

    def _silent_for(self) -> float:
        paths = store.live_paths(self.pk)
        return min([self.writer.age, *(time.time() - path.stat().st_mtime for path in paths[-1:])])

    async def drop_children(self) -> None:
        """Janus is gone, and with it their sequence of packets: both must start afresh."""
        await asyncio.gather(self.leveller.kill(), self.recorder.stop(1.0), self.window.kill())

    async def take_down(self, janus: Janus) -> None:
        """The room ended: hang everybody up, close tracks, write the last piece."""
        await stage.destroy(janus, self.bridge)
        ends = (
            self.leveller.kill(),
            self.recorder.stop(),
            self.window.kill(),
            audience.destroy(janus, self.mountpoint),
        )
        await asyncio.gather(*ends, return_exceptions=True)
        await asyncio.to_thread(shutil.rmtree, store.window_folder(self.pk), ignore_errors=True)


def make_folders(pk: int, recording: bool) -> None:
    """Private to us and the web server's group. Nothing is made on a disk that is full."""
    folders = [store.folder(pk), store.hls_folder(pk), store.tracks_folder(pk)]
    for folder in folders if recording else [Path(settings.WINDOW_DIR), store.window_folder(pk)]:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        if folder.stat().st_uid != os.geteuid():  # everybody may write to /dev/shm
            raise PermissionError(f"{folder} belongs to somebody else")


def sweep_windows(live: Collection[int]) -> None:
    """Remove from memory what a supervisor that died left of rooms that are over."""
    for folder in Path(settings.WINDOW_DIR).glob("*"):
        if not (folder.name.isdigit() and int(folder.name) in live):
            shutil.rmtree(folder, ignore_errors=True)


def keep_list(pk: int) -> None:
    """Give the recorder's playlist a second name. ffmpeg puts a new file in its place each second: on a full disk an
    empty one, so that the list of all that was recorded would be lost. The second name costs no space."""
    for playlist in store.playlist_paths(pk)[-1:]:
        kept, new = store.kept_path(playlist), playlist.with_suffix(".keep")
        new.unlink(missing_ok=True)
        new.hardlink_to(playlist)
        if kept.exists() and kept.stat().st_size >= new.stat().st_size:
            new.unlink()
        else:
            new.replace(kept)


def next_run(pk: int) -> int:
    """The number of a recorder's or a window's start: one above all that left a file."""
    folders = (store.hls_folder(pk), store.window_folder(pk))
    names = [path.name.partition("-")[0] for folder in folders for path in folder.glob("*-init.mp4")]
    names += [path.stem for folder in folders for path in folder.glob("*.m3u8")]
    runs = [int(name) for name in names if name.isdigit()]
    return max(runs, default=-1) + 1
