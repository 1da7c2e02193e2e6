"""Waveform of a room that is live or not finished, from the recorder's segments. Each call decodes what is new since
the last one, at most MOST_AT_ONCE segments; the rest is read by the next calls."""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from redis.exceptions import RedisError

from core import bus
from rooms.models import Room
from rooms.recording import store
from rooms.recording.hls import playlists
from rooms.recording.peaks import BINS, RATE, Samples, scaled

log = logging.getLogger(__name__)

BIN_MS = 500
MOST_AT_ONCE = 900  # segments, of a second each
KEPT = 50  # seconds in Redis; a page that shows the waveform asks again before
_TIMEOUT = 20.0  # seconds for ffmpeg over MOST_AT_ONCE segments; it takes about one


def waveform(room: Room, segments: Sequence[playlists.Segment], length_ms: int) -> dict[str, Any]:
    """Compute lowest and highest sample (-127 to 127) of each bin, in the form of `peaks.draw` without lanes.
    `complete_ms` is the room time up to which segments were read."""
    low, high, done = _cached(room.pk)
    if done > len(segments):  # a list that is older than the cache
        low, high, done = [], [], 0
    fresh = segments[done : done + MOST_AT_ONCE]
    for start_ms, samples in _decoded(room, fresh):
        _merge(low, high, start_ms, samples)
    done += len(fresh)
    _cache(room.pk, low, high, done)
    complete_ms = length_ms if done == len(segments) else room.room_time(segments[done].at)
    joined = max(1, -(-length_ms // (BIN_MS * BINS)))  # bins of the picture: at most BINS
    return {
        "version": 1,
        "duration_ms": length_ms,
        "bin_ms": BIN_MS * joined,
        "low": [min(low[at : at + joined]) for at in range(0, len(low), joined)],
        "high": [max(high[at : at + joined]) for at in range(0, len(high), joined)],
        "complete_ms": complete_ms,
    }


def _decoded(room: Room, segments: Sequence[playlists.Segment]) -> Iterator[tuple[int, Samples]]:
    """Yield the samples of segments that follow each other in a run, with the room time of the first."""
    folder = store.hls_folder(room.pk)
    for run, group in groupby(segments, key=lambda segment: segment.run):
        stretch = list(group)
        try:
            parts = [folder / playlists.init_name(run), *(folder / segment.name for segment in stretch)]
            sound = b"".join(path.read_bytes() for path in parts)
        except FileNotFoundError:
            log.warning("room %s: segments of run %s are missing", room.pk, run)
            continue
        yield room.room_time(stretch[0].at), _samples(sound)


def _samples(sound: bytes) -> Samples:
    """Decode segments behind their init segment; what ffmpeg cannot read is left out."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-threads", "1", "-f", "mp4", "-i", "pipe:0", "-map", "0:a:0"]
    command += ["-ac", "1", "-ar", str(RATE), "-f", "s16le", "pipe:1"]
    done = subprocess.run(command, input=sound, capture_output=True, timeout=_TIMEOUT, check=False)
    if done.returncode != 0:
        log.warning("segments cannot be read: %s", done.stderr.decode(errors="replace").strip()[-150:])
    return np.frombuffer(done.stdout[: len(done.stdout) // 2 * 2], np.int16)


def _merge(low: list[int], high: list[int], start_ms: int, samples: Samples) -> None:
    """Lay samples into the bins; two stretches may meet in one."""
    size = BIN_MS * RATE // 1000
    before = start_ms * RATE // 1000
    first, skip = divmod(before, size)
    rows = np.pad(samples, (skip, -(skip + len(samples)) % size)).reshape(-1, size)
    missing = first + len(rows) - len(low)
    low += [0] * missing
    high += [0] * missing
    for at, (lowest, highest) in enumerate(zip(scaled(rows.min(axis=1)), scaled(rows.max(axis=1)), strict=True), first):
        low[at], high[at] = min(low[at], lowest), max(high[at], highest)


def _key(room_pk: int) -> str:
    return bus.key(f"evidence:peaks:{room_pk}")


def _cached(room_pk: int) -> tuple[list[int], list[int], int]:
    """Bins so far and the number of segments in them; nothing where Redis is away."""
    try:
        text = bus.client().get(_key(room_pk))
    except RedisError as error:
        log.warning("a waveform is read from the start: %s", error)
        return [], [], 0
    if text is None:
        return [], [], 0
    kept = json.loads(str(text))
    return kept["low"], kept["high"], kept["done"]


def _cache(room_pk: int, low: list[int], high: list[int], done: int) -> None:
    try:
        bus.client().set(_key(room_pk), json.dumps({"low": low, "high": high, "done": done}), ex=KEPT)
    except RedisError as error:
        log.warning("a waveform is not kept: %s", error)
