"""Waveform of a recording: lowest and highest sample of each bin of the mix, and the regions of speech in each track.

Made once after the end, from the finished files, as a stream: three hours need no more memory than a minute.
"""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import transaction
from django.utils import timezone

from rooms.models import Recording, RecordingFile, Room
from rooms.recording import store
from rooms.recording.sums import checksums

log = logging.getLogger(__name__)

RATE = 8000  # samples a second: enough for a picture
BINS = 2400  # twice the widest page's pixels
BIN_MS = 50  # the shortest bin
FRAME_MS = 50  # unit in which levels are measured
SPEECH_LEVEL = 10 ** (-42 / 20)  # RMS of full scale; breath and room noise are below
HOLD_MS = 400  # pauses up to this length are part of a region of speech
SHORTEST_MS = 150  # shorter regions are clicks, not speech
# RMS of full scale; decoded silence and hiss are below. Lower than SPEECH_LEVEL, so that a soft voice counts: the right
# to hear the recording depends on it. A click rings for 200 ms at this level, a word is longer.
SOUND_LEVEL = 10 ** (-55 / 20)
SOUND_MS = 250

Samples = npt.NDArray[np.int16]


class Unreadable(RuntimeError):
    """ffmpeg could not read a file; the text is its error message."""


def is_sounding(path: Path) -> bool:
    """Whether a track has audible sound, SOUND_MS without a break; stops reading there.

    A file that ffmpeg cannot read counts as silent. Raises OSError where there is no file.
    """
    path.stat()
    try:
        with closing(samples(path)) as blocks:
            return has_sound(blocks)
    except Unreadable:
        log.exception("%s: taken for silence", path.name)
        return False


def measure(recording: Recording) -> int:
    """Measure `has_sound` of tracks that lack it. Returns how many. Raises OSError where a file is missing."""
    unknown = recording.files.filter(kind=RecordingFile.Kind.TRACK, has_sound=None)
    measured = {file.pk: is_sounding(store.file_path(file)) for file in unknown}
    for pk, audible in measured.items():
        RecordingFile.objects.filter(pk=pk).update(has_sound=audible)
    return len(measured)


def prepare(recording: Recording) -> bool:
    """Write the waveform and compute the CRC-32 of each file for the zip. Returns whether there was anything to do."""
    files = list(recording.files.order_by("kind", "start_ms", "pk"))
    done = recording.prepared_at is not None and all(file.crc32 is not None for file in files)
    if recording.state != Recording.State.READY or done:
        return False
    text = json.dumps(draw(files, recording.duration_ms or 0), separators=(",", ":"))
    sums = {file.pk: checksums(store.file_path(file)).crc32 for file in files if file.crc32 is None}
    with transaction.atomic():
        room = Room.objects.select_for_update(no_key=True).get(pk=recording.room_id)
        if room.purged_at is not None:
            return False
        for pk, crc32 in sums.items():
            RecordingFile.objects.filter(pk=pk).update(crc32=crc32)
        write_atomically(store.peaks_path(room.pk), text)
        Recording.objects.filter(pk=recording.pk).update(prepared_at=timezone.now())
    return True


def write_atomically(path: Path, text: str) -> None:
    """Write a file under another name, then rename it."""
    scratch = path.with_name(f".{path.name}.new")
    scratch.write_text(text)
    scratch.replace(path)


def draw(files: list[RecordingFile], duration_ms: int) -> dict[str, Any]:
    """Compute the content of `peaks.json`: `bin_ms` is the length of a bin, `low` and `high` are -127 to 127, regions
    of speech are in room time (ms). It has no names: tracks have the primary keys of their seats.
    """
    bin_ms = max(BIN_MS, -(-duration_ms // BINS))
    mix = next((file for file in files if file.kind == RecordingFile.Kind.MIX), None)
    low, high = bins(readable(store.file_path(mix)), bin_ms) if mix else ([], [])
    tracks = [file for file in files if file.kind == RecordingFile.Kind.TRACK]
    lanes = [
        {"seat": file.seat_id, "talks": in_room_time(speech_regions(readable(store.file_path(file))), file)}
        for file in tracks
    ]
    return {"version": 1, "duration_ms": duration_ms, "bin_ms": bin_ms, "low": low, "high": high, "lanes": lanes}


def in_room_time(regions: Iterator[tuple[int, int]], file: RecordingFile) -> list[list[int]]:
    """Convert times of a file to room time, in milliseconds."""
    return [[start + file.start_ms, end + file.start_ms] for start, end in regions]


def readable(path: Path) -> Iterator[Samples]:
    """Yield the samples of a file as far as ffmpeg can read it; a damaged rest is logged and left out. Raises OSError
    where there is no file."""
    path.stat()
    try:
        yield from samples(path)
    except Unreadable:
        log.exception("%s: drawn as far as it can be read", path.name)


def samples(path: Path, start_ms: float = 0, length_ms: float | None = None) -> Generator[Samples]:
    """Yield the samples of a file, or of a part of it, about 8 seconds at a time. Raises Unreadable."""
    part = ["-ss", f"{start_ms / 1000:.3f}"] if start_ms > 0 else []
    part += [] if length_ms is None else ["-t", f"{length_ms / 1000:.3f}"]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-threads", "1", *part, "-i", f"file:{path}", "-map", "0:a:0"]
    command += ["-af", "aresample=async=1:first_pts=0", "-ac", "1", "-ar", str(RATE), "-f", "s16le", "pipe:1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            while data := process.stdout.read(1 << 17):
                yield np.frombuffer(data[: len(data) // 2 * 2], np.int16)
            error = process.stderr.read().decode(errors="replace").strip()
            if process.wait() != 0:
                raise Unreadable(f"{path.name}: {error[-150:]}")
        finally:
            process.kill()


def in_rows(blocks: Iterator[Samples], length: int) -> Iterator[npt.NDArray[np.int16]]:
    """Regroup samples into rows of `length`; the last row is padded with silence."""
    rest = np.zeros(0, np.int16)
    for block in blocks:
        joined = np.concatenate([rest, block])
        whole = len(joined) // length * length
        rest = joined[whole:]
        if whole:
            yield joined[:whole].reshape(-1, length)
    if len(rest):
        yield np.pad(rest, (0, length - len(rest))).reshape(1, length)


def bins(blocks: Iterator[Samples], bin_ms: int) -> tuple[list[int], list[int]]:
    """Lowest and highest sample of each bin, -127 to 127."""
    low: list[int] = []
    high: list[int] = []
    for rows in in_rows(blocks, bin_ms * RATE // 1000):
        low += scaled(rows.min(axis=1))
        high += scaled(rows.max(axis=1))
    return low, high


def scaled(values: Samples) -> list[int]:
    """Scale samples to -127 to 127, rounding towards zero."""
    return np.clip(np.trunc(values * (127 / 32767)), -127, 127).astype(int).tolist()  # type: ignore[no-any-return]


def levels_of(rows: Samples) -> npt.NDArray[np.float32]:
    """RMS of each row, relative to full scale."""
    return np.sqrt(np.mean(np.square(rows.astype(np.float32) / 32768), axis=1))  # type: ignore[no-any-return]


def has_sound(blocks: Iterator[Samples]) -> bool:
    """Whether SOUND_MS in a row are louder than SOUND_LEVEL."""
    in_a_row = 0
    for rows in in_rows(blocks, FRAME_MS * RATE // 1000):
        for level in levels_of(rows).tolist():
            in_a_row = in_a_row + 1 if level > SOUND_LEVEL else 0
            if in_a_row * FRAME_MS >= SOUND_MS:
                return True
    return False


def speech_regions(blocks: Iterator[Samples]) -> Iterator[tuple[int, int]]:
    """Yield start and end of each region of speech, in milliseconds of the file. Muted time is digital silence, so a
    threshold is enough."""
    start = end = -1
    at = 0
    for rows in in_rows(blocks, FRAME_MS * RATE // 1000):
        for frame in np.flatnonzero(levels_of(rows) > SPEECH_LEVEL).tolist():
            now = at + frame * FRAME_MS
            if start >= 0 and now - end > HOLD_MS:
                if end - start >= SHORTEST_MS:
                    yield start, end
                start = -1
            start = now if start < 0 else start
            end = now + FRAME_MS
        at += len(rows) * FRAME_MS
    if start >= 0 and end - start >= SHORTEST_MS:
        yield start, end
