"""Clips of rooms, made in the test's own process as the worker makes them; and what is in their files."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from people.models import User
from rooms import actions
from rooms.models import Clip, Room
from rooms.recording.clips import making
from rooms.recording.clips.making import path_of
from tests.support.sounds import RATE, Laid, laid


def asked(room: Room, by: str = "host", from_ms: int = 9_000, to_ms: int = 16_000, kind: str = "sound") -> Clip:
    """A clip that waits for a worker."""
    return actions.make_clip(room.pk, User.objects.get(handle=by), kind, from_ms, to_ms)


def made(room: Room, by: str = "host", from_ms: int = 9_000, to_ms: int = 16_000, kind: str = "sound") -> Clip:
    """A clip that is ready."""
    clip = asked(room, by, from_ms, to_ms, kind)
    assert making.make(clip.pk), Clip.objects.get(pk=clip.pk).why
    return fresh(clip)


def fresh(clip: Clip) -> Clip:
    return Clip.objects.select_related("room").get(pk=clip.pk)


def probed(path: Path) -> dict[str, Any]:
    """Streams by their kind, and the format, as ffprobe reads a file."""
    command = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(path)]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return {**{stream["codec_type"]: stream for stream in found["streams"]}, "format": found["format"]}


def picture_at(path: Path, second: float) -> Any:
    """One picture of a video, as rows of grey pixels."""
    command = ["ffmpeg", "-v", "error", "-ss", str(second), "-i", str(path), "-frames:v", "1"]
    command += ["-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(720, 1280)


def begins_at(path: Path, talk: Laid, total_ms: int) -> float:
    """Where in what was said a file begins, in seconds: the place at which it correlates best."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-ac", "1", "-ar", str(RATE), "-f", "f32le", "pipe:1"]
    heard = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.float32)
    spoken = laid(talk, total_ms)
    size = 1 << (len(spoken) + len(heard)).bit_length()
    match = np.fft.irfft(np.fft.rfft(spoken, size) * np.conj(np.fft.rfft(heard, size)), size)
    return int(np.argmax(match[: len(spoken)])) / RATE


def everything_said(talk: dict[str, Laid]) -> Laid:
    return [place for places in talk.values() for place in places]


def file_of(clip: Clip) -> Path:
    return path_of(fresh(clip))
