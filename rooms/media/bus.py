"""Names in Redis for sound. Every key and channel stands under REDIS_PREFIX (`rooms.bus`)."""

from __future__ import annotations

from rooms.bus import connect, key, person_channel, room_channel

REQUESTS = "media:requests"  # list: what web processes ask of the supervisor
CHANGED = "media:changed"  # channel: a room's primary key, whose wanted state changed
HEARTBEAT = "media:heartbeat"  # JSON, gone 10 s after the supervisor's last sign of life
PROBE = "media:probe"  # JSON: whether Janus could write a recording, and when
DISK = "media:disk"  # JSON: whether recording is paused because the disk is full, and what was found
DISK_TOLD = "media:disk-told"  # there while operators know of a full disk and not yet that it is over
SESSION = "media:session"  # Janus' session, for a restarted supervisor
ROOMS = "media:rooms"  # hash: room → what was built for it
HANDLES = "media:handles"  # hash: handle → whose it is

__all__ = [
    "CHANGED",
    "DISK",
    "DISK_TOLD",
    "HANDLES",
    "HEARTBEAT",
    "PROBE",
    "REQUESTS",
    "ROOMS",
    "SESSION",
    "connect",
    "key",
    "person_channel",
    "reply_channel",
    "room_channel",
]


def reply_channel(process: str) -> str:
    """Where the answers to one web process are published."""
    return key(f"media:replies:{process}")
