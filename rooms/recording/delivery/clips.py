"""A short piece of a finished recording as a file of its own: what somebody may hear who may not hear the rest."""

from __future__ import annotations

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from rooms.models import Recording, RecordingFile, Room
from rooms.recording import marker, store
from rooms.rules.refusals import RoomRefused

LONGEST_MS = 15 * 60 * 1000
WITHIN = 20.0  # seconds that cutting may take


def clip_of(room: Room, from_ms: int, to_ms: int) -> bytes:
    """Cut a range of room time, in ms, out of the mix, as an .m4a that is kept nowhere. Nothing is encoded anew, so it
    is exact to a packet of sound (about 20 ms).

    Raises no_recording where there is none (any more, or yet), unavailable as `evidence.evidence_manifest`.
    """
    mix = RecordingFile.objects.filter(
        recording__room=room, recording__state=Recording.State.READY, kind=RecordingFile.Kind.MIX
    ).first()
    if room.purged_at is not None or mix is None:
        raise RoomRefused("no_recording")
    if marker.trouble():
        raise RoomRefused("unavailable")
    begin = max(0, from_ms - mix.start_ms)
    end = min(to_ms - mix.start_ms, mix.duration_ms, begin + LONGEST_MS)
    if end <= begin:
        raise RoomRefused("no_recording")
    with TemporaryDirectory(prefix="stamtafel-clip-") as folder:
        target = Path(folder) / "clip.m4a"
        _cut(store.file_path(mix), begin, end, target)
        return target.read_bytes()


def _cut(source: Path, from_ms: int, to_ms: int, target: Path) -> None:
    """Copy the packets of a range. Raises no_recording where the file is gone, and what `subprocess.run` raises."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-ss", f"{from_ms / 1000:.3f}", "-i", str(source)]
    command += ["-t", f"{(to_ms - from_ms) / 1000:.3f}", "-c", "copy", "-map", "0:a", "-map_metadata", "-1"]
    if not source.exists():
        raise RoomRefused("no_recording")
    subprocess.run([*command, "-movflags", "+faststart", str(target)], check=True, timeout=WITHIN, capture_output=True)
