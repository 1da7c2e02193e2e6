"""A probe recording: Janus mixes a second of silence from us and must leave a track of it where tracks go.

Readiness asks for the last result. (Janus that may not write there still lets everybody in.)
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import socket
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis
from django.conf import settings

from core import bus
from core.lane import DiskHangs, Lane
from rooms.media import redis_keys
from rooms.media.ffmpeg.commands import PAYLOAD
from rooms.media.janus import bridge as audiobridge
from rooms.media.janus.client import Janus, JanusError
from rooms.recording import track_memory

log = logging.getLogger(__name__)

ROOM = "probe"
EVERY = 60.0  # seconds between probes
KEPT = 200  # seconds a result counts
_PACKETS = 25  # of 20 ms
_SILENCE = b"\xf8\xff\xfe"  # 20 ms of Opus silence
_lane = Lane("memory of the probe")


async def probe(janus: Janus) -> dict[str, Any]:
    """Record, look, clean up; `{"ok", "why", "at"}`. Raises JanusGone when there is no Janus to try."""
    folder = track_memory.folder(ROOM)
    try:
        await _lane.run(lambda: track_memory.make(ROOM))
        written = await _record(janus, folder)
        why = "" if written else "Janus wrote no track"
    except (OSError, JanusError, TimeoutError) as error:
        if isinstance(error, ConnectionError):
            raise
        why = f"{type(error).__name__}: {error}"
    finally:
        with suppress(DiskHangs):
            await _lane.run(lambda: shutil.rmtree(folder, ignore_errors=True))
    if why:
        log.error("probe recording failed: %s", why)
    return {"ok": not why, "why": why, "at": time.time()}


async def _record(janus: Janus, folder: Path) -> bool:
    bridge = await audiobridge.create(janus, ROOM, settings.JANUS_ADMIN_KEY, folder, plain_rtp=True)
    try:
        handle, port = await audiobridge.seat_by_rtp(janus, bridge)
        await _send_silence(port)
        await janus.detach(handle)
    finally:
        await audiobridge.destroy(janus, bridge)
    return await _lane.run(lambda: _has_track(folder))


def _has_track(folder: Path) -> bool:
    """A file with packets in it: one without is 8 bytes."""
    return any(path.stat().st_size > 100 for path in folder.glob(f"*{audiobridge.PROBE}*.mjr"))


async def _send_silence(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(_PACKETS):
            header = struct.pack("!BBHII", 0x80, PAYLOAD, number, number * 960, 1)
            sender.sendto(header + _SILENCE, ("127.0.0.1", port))
            await asyncio.sleep(0.02)


def probe_recording() -> tuple[bool, str]:
    """The last probe as readiness tells it: whether Janus records, and why not. For code that waits."""
    with redis.Redis.from_url(settings.REDIS_URL, decode_responses=True, socket_timeout=2) as client:
        told: Any = client.get(bus.key(redis_keys.PROBE))
    if told is None:
        return False, "no probe recording was made lately"
    result = json.loads(told)
    return bool(result["ok"]), str(result["why"])
