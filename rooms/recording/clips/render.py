"""The files of a clip: sound that is cut without encoding it again, and a video of it by ffmpeg."""

from __future__ import annotations

import functools
import re
import subprocess
from pathlib import Path

from django.contrib.staticfiles import finders

from rooms.models import Room
from rooms.recording.clips.picture import HEIGHT, PAPER, WIDTH
from rooms.recording.delivery.clips import cut_clip

LONGEST_SECONDS = 90  # that ffmpeg may take; it takes a few
RATE = 10  # pictures a second: captions come and go, nothing moves
NEEDED = {"-filters": ("ass", "color"), "-encoders": ("libx264",)}
_SOUND, _PICTURE = "sound.m4a", "picture.ass"


class NoSound(RuntimeError):
    """Nothing was recorded in the range."""


class RenderFailed(RuntimeError):
    """ffmpeg failed; the text is the end of what it said."""


class Lacking(RuntimeError):
    """This machine's ffmpeg makes no videos; `names` are the parts that it lacks."""

    def __init__(self, *names: str) -> None:
        super().__init__(", ".join(names))
        self.names = names


def missing_ffmpeg_parts() -> tuple[str, ...]:
    """Names of filters and encoders that videos need and this machine's ffmpeg lacks; "ffmpeg" where there is none, or
    it does not answer. Asked until nothing is missing."""
    try:
        _check_ffmpeg()
    except Lacking as lacking:
        return lacking.names
    return ()


@functools.cache  # which keeps no exception
def _check_ffmpeg() -> None:
    """Raise Lacking unless ffmpeg has all that videos need."""
    lacking: list[str] = []
    for option, names in NEEDED.items():
        try:
            listed = subprocess.run(
                ["ffmpeg", "-v", "error", option], capture_output=True, text=True, timeout=20, check=True
            ).stdout
        except (OSError, subprocess.SubprocessError) as error:
            raise Lacking("ffmpeg") from error
        there = set(re.findall(r"^ \S+ +(\S+) ", listed, re.MULTILINE))
        lacking += [name for name in names if name not in there]
    if lacking:
        raise Lacking(*lacking)


def cut_sound(room: Room, from_ms: int, to_ms: int, folder: Path) -> Path:
    """Cut a range of a room's sound into a file in a folder. Raises NoSound, RoomRefused (unavailable)."""
    content = cut_clip(room, from_ms, to_ms)
    if content is None:
        raise NoSound
    path = folder / _SOUND
    path.write_bytes(content)
    return path


def draw_video(picture: str, length_ms: int, folder: Path) -> Path:
    """Make an MP4 (H.264, the sound as it is) of the sound in a folder and a picture in ASS. Raises RenderFailed."""
    (folder / _PICTURE).write_text(picture, encoding="utf-8")
    target = folder / "video.mp4"
    # Run within the folder: a name in a filter would need escapes, for ffmpeg's options and its graph.
    command = [
        *("ffmpeg", "-nostdin", "-v", "error", "-y"),
        *("-f", "lavfi", "-i", f"color=c=0x{PAPER[1:]}:s={WIDTH}x{HEIGHT}:r={RATE}"),
        *("-protocol_whitelist", "file,pipe", "-i", f"file:{_SOUND}", "-map", "0:v:0", "-map", "1:a:0"),
        *("-vf", _filter(), "-c:v", "libx264", "-preset", "veryfast", "-tune", "stillimage", "-crf", "23"),
        *("-pix_fmt", "yuv420p", "-g", str(RATE * 5), "-threads", "1", "-c:a", "copy"),
        *("-t", f"{length_ms / 1000:.3f}", "-map_metadata", "-1", "-movflags", "+faststart", "-f", "mp4"),
        f"file:{target.name}",
    ]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RenderFailed(str(error)[-200:]) from error
    if done.returncode != 0:
        raise RenderFailed(done.stderr.strip()[-200:])
    return target


def _filter() -> str:
    """The filter that draws; with the site's own font, where it lies among the static files."""
    font = finders.find("vendor/inter/inter-latin-wght-normal.woff2")
    if not isinstance(font, str):
        return f"ass={_PICTURE}"
    folder = re.sub(r"([\\':])", r"\\\1", str(Path(font).parent))  # as the value of an option
    return f"ass={_PICTURE}:fontsdir=" + re.sub(r"([\\'\[\],;])", r"\\\1", folder)  # and within a graph
