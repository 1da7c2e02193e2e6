"""The picture of a recording: the mix as lowest and highest sample a bin, and when somebody talks in each track.

Made once after the end, from the finished files, in a stream: three hours need no more memory than a minute.
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

RATE = 8000  # samples a second: enough to see
BINS = 2400  # twice the widest page's pixels
BIN_MS = 50  # the shortest bin
FRAME_MS = 50  # one look at whether somebody talks
TALKS = 10 ** (-42 / 20)  # of full scale, as RMS: quieter is breath and room
HOLD_MS = 400  # a pause as short as this is part of talking
SHORTEST_MS = 150  # a click is no talk
# As RMS of a frame: less is what Opus makes of silence, or hiss. Lower than TALKS: a soft voice must not be taken for
# none, because the right to hear the recording follows it. A click rings for 200 ms at this level, a word is longer.
SOUNDS = 10 ** (-55 / 20)
SOUNDS_MS = 250

Samples = npt.NDArray[np.int16]


class Unreadable(RuntimeError):
    """ffmpeg could not read a file; the text says what it said."""


def is_sounding(path: Path) -> bool:
    """Whether anything is heard in a track: a quarter of a second without a break. Reads no further.

    One that ffmpeg cannot read holds nothing that anybody hears. Raises OSError where there is no file.
    """
    path.stat()
    try:
        with closing(samples(path)) as blocks:
            return sounds(blocks)
    except Unreadable:
        log.exception("%s: taken for silence", path.name)
        return False


def measure(recording: Recording) -> int:
    """Measure the tracks of a finished recording that were not; how many. Raises OSError where a file is missing."""
    unknown = recording.files.filter(kind=RecordingFile.Kind.TRACK, has_sound=None)
    found = {file.pk: is_sounding(store.file_path(file)) for file in unknown}
    for pk, has_sound in found.items():
        RecordingFile.objects.filter(pk=pk).update(has_sound=has_sound)
    return len(found)


def prepare(recording: Recording) -> bool:
    """Draw the waveform and read what a zip must know of each file. False when there is nothing (left) to do it for."""
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
        write(store.peaks_path(room.pk), text)
        Recording.objects.filter(pk=recording.pk).update(prepared_at=timezone.now())
    return True


def write(path: Path, text: str) -> None:
    """All of it or nothing."""
    scratch = path.with_name(f".{path.name}.new")
    scratch.write_text(text)
    scratch.replace(path)


def draw(files: list[RecordingFile], duration_ms: int) -> dict[str, Any]:
    """What `peaks.json` holds. `bin_ms` is how long a bin lasts; `low` and `high` run from -127 to 127; regions are
    room time. No names stand in it: seats are numbers, and who sat there the page knows.
    """
    bin_ms = max(BIN_MS, -(-duration_ms // BINS))
    mix = next((file for file in files if file.kind == RecordingFile.Kind.MIX), None)
    low, high = bins(readable(store.file_path(mix)), bin_ms) if mix else ([], [])
    tracks = [file for file in files if file.kind == RecordingFile.Kind.TRACK]
    lanes = [{"seat": file.seat_id, "talks": moved(talks(readable(store.file_path(file))), file)} for file in tracks]
    return {"version": 1, "duration_ms": duration_ms, "bin_ms": bin_ms, "low": low, "high": high, "lanes": lanes}


def moved(regions: Iterator[tuple[int, int]], file: RecordingFile) -> list[list[int]]:
    """Times of a file as room time."""
    return [[start + file.start_ms, end + file.start_ms] for start, end in regions]


def readable(path: Path) -> Iterator[Samples]:
    """The sound of a file, as far as ffmpeg can read it: what it cannot read will not become better by tomorrow, and is
    drawn as nothing. Raises OSError where there is no file."""
    path.stat()
    try:
        yield from samples(path)
    except Unreadable:
        log.exception("%s: drawn as far as it goes", path.name)


def samples(path: Path) -> Generator[Samples]:
    """The sound of a file, about 8 seconds at a time."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-threads", "1", "-i", f"file:{path}", "-map", "0:a:0"]
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


def evenly(blocks: Iterator[Samples], length: int) -> Iterator[npt.NDArray[np.int16]]:
    """The same samples as rows of `length`; the last row is filled up with silence."""
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
    """Lowest and highest sample of each bin, from -127 to 127."""
    low: list[int] = []
    high: list[int] = []
    for rows in evenly(blocks, bin_ms * RATE // 1000):
        low += scaled(rows.min(axis=1))
        high += scaled(rows.max(axis=1))
    return low, high


def scaled(values: Samples) -> list[int]:
    """From -127 to 127, towards zero."""
    return np.clip(np.trunc(values * (127 / 32767)), -127, 127).astype(int).tolist()  # type: ignore[no-any-return]


def levels_of(rows: Samples) -> npt.NDArray[np.float32]:
    """RMS of each row, of full scale."""
    return np.sqrt(np.mean(np.square(rows.astype(np.float32) / 32768), axis=1))  # type: ignore[no-any-return]


def sounds(blocks: Iterator[Samples]) -> bool:
    """Whether SOUNDS_MS in a row are louder than SOUNDS."""
    in_a_row = 0
    for rows in evenly(blocks, FRAME_MS * RATE // 1000):
        for level in levels_of(rows).tolist():
            in_a_row = in_a_row + 1 if level > SOUNDS else 0
            if in_a_row * FRAME_MS >= SOUNDS_MS:
                return True
    return False


def talks(blocks: Iterator[Samples]) -> Iterator[tuple[int, int]]:
    """From when to when somebody talks, in milliseconds of the file. Muted time is true silence, so a level will do."""
    start = end = -1
    at = 0
    for rows in evenly(blocks, FRAME_MS * RATE // 1000):
        for frame in np.flatnonzero(levels_of(rows) > TALKS).tolist():
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
