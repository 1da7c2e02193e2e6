"""Where a room's recording lies, and the addresses under which pieces of it are handed out.

RECORDINGS_DIR/.stamtafel                                             which folder this is (`marker`)
RECORDINGS_DIR/<room>/hls/<run>.m3u8, <run>-init.mp4, <run>-<n>.m4s    the recording while live
RECORDINGS_DIR/<room>/hls/<run>.kept                                  a run's list a moment ago
WINDOW_DIR/<room>/…                                                   in memory, while recording is paused
WINDOW_DIR/tracks/<room>/*.mjr                                        in memory, until they are on the disk
RECORDINGS_DIR/<room>/tracks/*.mjr → seat-<pk>.opus                   one track a seat
RECORDINGS_DIR/<room>/mix.m4a                                         the mix, after the end
RECORDINGS_DIR/<room>/peaks.json                                      the waveform and who talked when
RECORDINGS_DIR/<room>/exports/<digest>/                               texts of a download of everything
"""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from rooms.models import RecordingFile
from rooms.recording.hls import playlists

_TOKEN = re.compile(r"([1-9][0-9]{0,17})-([0-9a-f]{32})")
_MARK = re.compile(r"[0-9a-f]{32}")


def folder(room_pk: int) -> Path:
    """All of a room's recording."""
    return Path(settings.RECORDINGS_DIR) / str(room_pk)


def hls_folder(room_pk: int) -> Path:
    """Where the recorder writes."""
    return folder(room_pk) / "hls"


def tracks_folder(room_pk: int) -> Path:
    """Where tracks go from memory (`track_memory`), in which Janus writes them."""
    return folder(room_pk) / "tracks"


def playlist_path(room_pk: int, run: int = 0) -> Path:
    """The private event playlist of one start of the recorder."""
    return hls_folder(room_pk) / playlists.list_name(run)


def playlist_paths(room_pk: int) -> list[Path]:
    """The private playlists, oldest first: together they are the recording."""
    found = [path for path in hls_folder(room_pk).glob("*.m3u8") if path.stem.isdigit()]
    return sorted(found, key=lambda path: int(path.stem))


def playlist_texts(room_pk: int) -> list[str]:
    """What stands in them."""
    return [list_text(path) for path in playlist_paths(room_pk)]


def kept_path(playlist: Path) -> Path:
    """Another name of the file that was a run's playlist a moment ago."""
    return playlist.with_suffix(".kept")


def list_text(playlist: Path) -> str:
    """A playlist; as it was before, where a full disk cut it off (ffmpeg then writes empty ones, and says nothing)."""
    kept = kept_path(playlist)
    with suppress(FileNotFoundError):
        if kept.stat().st_size > playlist.stat().st_size:
            return kept.read_text()
    return playlist.read_text()


def window_folder(room_pk: int) -> Path:
    """What listeners by HLS hear while nothing is recorded."""
    return Path(settings.WINDOW_DIR) / str(room_pk)


def window_paths(room_pk: int) -> list[Path]:
    """The playlists in memory, oldest first: what was heard while nothing was recorded."""
    heard = [path for path in window_folder(room_pk).glob("*.m3u8") if path.stem.isdigit()]
    return sorted(heard, key=lambda path: int(path.stem))


def remove_folder(path: Path) -> None:
    """Remove a folder and all in it. What another process was faster with is fine; raises OSError on anything else."""
    shutil.rmtree(path, onerror=_unless_gone)


def _unless_gone(_function: Any, _path: str, error: Any) -> None:
    if not issubclass(error[0], FileNotFoundError):
        raise error[1]


def mix_path(room_pk: int) -> Path:
    """The finished mix."""
    return folder(room_pk) / "mix.m4a"


def track_path(room_pk: int, seat_pk: int) -> Path:
    """The finished track of one seat."""
    return tracks_folder(room_pk) / f"seat-{seat_pk}.opus"


def peaks_path(room_pk: int) -> Path:
    """The waveform, to draw from."""
    return folder(room_pk) / "peaks.json"


def exports_folder(room_pk: int) -> Path:
    """What a download of everything has besides the sound: one folder for each version of it."""
    return folder(room_pk) / "exports"


def file_path(file: RecordingFile) -> Path:
    """Where a file of a recording lies."""
    return Path(settings.RECORDINGS_DIR) / file.path


def relative(path: Path) -> str:
    """A path as the database keeps it: below RECORDINGS_DIR."""
    return str(path.relative_to(settings.RECORDINGS_DIR))


def segment_address(room_pk: int, epoch: UUID, name: str) -> str:
    """The address at which listeners fetch one file of live sound: the same address for all of them, so caches work.

    Room, epoch and the file's name are signed, so an address opens that file and leads to no other.
    """
    return f"/hls/{room_pk}-{epoch.hex}/{_mark(room_pk, epoch, name)}/{name}"


def signed_segment(token: str, mark: str, name: str) -> tuple[int, UUID] | None:
    """The room and the epoch of an address that we made; None for any other. Reads neither database nor disk."""
    room = _TOKEN.fullmatch(token)
    if room is None or _MARK.fullmatch(mark) is None or playlists.NAME.fullmatch(name) is None:
        return None
    room_pk, epoch = int(room[1]), UUID(room[2])
    return (room_pk, epoch) if constant_time_compare(mark, _mark(room_pk, epoch, name)) else None


def segment_path(room_pk: int, name: str) -> Path:
    """The path of a file of live sound: in memory while recording is paused. Reads memory alone."""
    in_memory = window_folder(room_pk) / name
    return in_memory if in_memory.exists() else hls_folder(room_pk) / name


def _mark(room_pk: int, epoch: UUID, name: str) -> str:
    return salted_hmac("rooms.recording.segment", f"{room_pk}:{epoch.hex}:{name}", algorithm="sha256").hexdigest()[:32]
