"""All that one live room needs to sound: its bridge and mountpoint in Janus, its leveller and its recorder."""

from __future__ import annotations

import asyncio
import logging
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

    def __init__(self, pk: int, bridge: stage.Bridge, mountpoint: audience.Mountpoint, ports: tuple[int, int]) -> None:
        self.pk = pk
        self.bridge = bridge
        self.mountpoint = mountpoint
        self.ports = ports
        self.lock = asyncio.Lock()
        self.muted: dict[int, bool] = {}
        self.levelled_at = time.monotonic()
        folder = store.hls_folder(pk)
        self.leveller = Child(f"leveller of room {pk}", lambda: commands.leveller_command(ports[0], mountpoint.port))
        self.recorder = Child(
            f"recorder of room {pk}",
            lambda: commands.recorder_command(ports[1], folder, next_run(folder)),
            lock=folder / ".lock",
        )

    @classmethod
    async def build(cls, janus: Janus, pk: int, taken: Collection[int]) -> Studio:
        """Make everything anew. What fails half-way is swept when the session is made again or the room ends."""
        make_folders(pk)
        key = settings.JANUS_ADMIN_KEY
        first, last = settings.MEDIA_RTP_PORTS
        level_port = free_port(first, last, taken)
        ports = level_port, free_port(first, last, {*taken, level_port})
        bridge = await stage.create(janus, f"room-{pk}", key, store.tracks_folder(pk))
        mountpoint = await audience.create(janus, f"room-{pk}", key)
        studio = cls(pk, bridge, mountpoint, ports)
        await studio.ensure()
        for port in ports:
            await stage.forward(janus, bridge, key, port)
        return studio

    @classmethod
    def restore(cls, pk: int, kept: dict[str, Any]) -> Studio:
        """What an earlier supervisor built and Janus still has."""
        ports = kept["ports"]
        return cls(pk, stage.Bridge(**kept["bridge"]), audience.Mountpoint(**kept["mountpoint"]), (ports[0], ports[1]))

    def as_dict(self) -> dict[str, Any]:
        """For `restore`."""
        return {
            "bridge": self.bridge.as_dict(),
            "mountpoint": self.mountpoint.as_dict(),
            "ports": list(self.ports),
        }

    async def ensure(self) -> None:
        """Both children run, and the recorder writes."""
        await self.leveller.ensure()
        if self.recorder.running and self.recorder.age > SETTLE and self._silent_for() > STALLED:
            log.warning("room %s: the recorder has not written for %.1f s", self.pk, self._silent_for())
            await self.recorder.kill()
        await self.recorder.ensure()

    async def check_level(self, janus: Janus) -> None:
        """The mountpoint hears the leveller; one that hangs is started again."""
        age = await audience.silent_for(janus, self.mountpoint)
        if self.leveller.running and self.leveller.age > SETTLE and age > STALLED:
            log.warning("room %s: the leveller has not sent for %.1f s", self.pk, age)
            await self.leveller.kill()
            await self.leveller.ensure()

    def _silent_for(self) -> float:
        paths = store.playlist_paths(self.pk)
        return min([self.recorder.age, *(time.time() - path.stat().st_mtime for path in paths[-1:])])

    async def drop_children(self) -> None:
        """Janus is gone, and with it their sequence of packets: both must start afresh."""
        await asyncio.gather(self.leveller.kill(), self.recorder.stop(1.0))

    async def take_down(self, janus: Janus) -> None:
        """The room ended: hang everybody up, close tracks, write the last piece."""
        await stage.destroy(janus, self.bridge)
        await asyncio.gather(
            self.leveller.kill(), self.recorder.stop(), audience.destroy(janus, self.mountpoint), return_exceptions=True
        )


def make_folders(pk: int) -> None:
    """Private to us and the web server's group."""
    for folder in (store.folder(pk), store.hls_folder(pk), store.tracks_folder(pk)):
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)


def next_run(folder: Path) -> int:
    """The number of a recorder's start: one above all that left a file."""
    names = [path.name.partition("-")[0] for path in folder.glob("*-init.mp4")]
    names += [path.stem for path in folder.glob("*.m3u8")]
    runs = [int(name) for name in names if name.isdigit()]
    return max(runs, default=-1) + 1
