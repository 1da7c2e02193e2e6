"""Tracks as Janus writes them while a room is live: packets of Opus in its own container."""

from __future__ import annotations

import json
import struct
import tempfile
from datetime import timedelta
from pathlib import Path

import av

from rooms.models import Room, Seat
from rooms.recording import store, track_memory
from tests.support.sounds import save_opus
from transcripts.speech.audio import Sound

RATE = 48_000
FRAME = 960  # samples in 20 ms


def lay_raw_track(
    room: Room, seat: Seat, sound: Sound, start_ms: int, connection: int = 1, *, in_memory: bool = False
) -> Path:
    """Write the file that Janus makes of one connection whose first packet came at `start_ms` of room time."""
    assert room.started_at is not None
    folder = track_memory.make(room.pk) if in_memory else store.tracks_folder(room.pk)
    folder.mkdir(parents=True, exist_ok=True)
    begins = room.started_at + timedelta(milliseconds=start_ms)
    path = folder / f"audiobridge-room-{room.pk}-user-seat-{seat.pk}-{connection}-audio.mjr"
    path.write_bytes(raw_track(opus_packets(sound), round(begins.timestamp() * 1_000_000)))
    return path


def opus_packets(sound: Sound) -> list[bytes]:
    """Packets of 20 ms."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound.opus"
        save_opus(sound, path)
        with av.open(str(path)) as source:
            return [bytes(packet) for packet in source.demux(audio=0) if packet.size]


def raw_track(packets: list[bytes], first_us: int) -> bytes:
    """The content of a .mjr file: a header, then frames of RTP with the milliseconds since the first."""
    header = json.dumps({"t": "a", "c": "opus", "s": first_us - 1000, "u": first_us}).encode()
    frames = []
    for number, packet in enumerate(packets):
        rtp = struct.pack(">BBHII", 0x80, 111, number % 65536, number * FRAME, 1) + packet
        frames.append(b"MEET" + struct.pack(">IH", number * FRAME * 1000 // RATE, len(rtp)) + rtp)
    return b"MJR00002" + struct.pack(">H", len(header)) + header + b"".join(frames)
