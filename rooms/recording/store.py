"""Paths of recordings, and signed addresses of live segments.

RECORDINGS_DIR/.stamtafel                                             id of the folder (`marker`)
RECORDINGS_DIR/<room>/hls/<run>.m3u8, <run>-init.mp4, <run>-<n>.m4s    the recording while live
RECORDINGS_DIR/<room>/hls/<run>.kept                                  previous version of a run's playlist
WINDOW_DIR/<room>/…                                                   live sound in memory while recording is paused
WINDOW_DIR/tracks/<room>/*.mjr                                        raw tracks in memory, until they are on the disk
RECORDINGS_DIR/<room>/tracks/*.mjr → seat-<pk>.opus                   one track a seat
RECORDINGS_DIR/<room>/mix.m4a                                         the mix, after the end
RECORDINGS_DIR/<room>/peaks.json                                      the waveform and regions of speech
RECORDINGS_DIR/<room>/exports/<digest>/                               texts of a download of everything
RECORDINGS_DIR/<room>/clips/                                          clips that people made
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
    """Folder of a room's recording."""
    return Path(settings.RECORDINGS_DIR) / str(room_pk)


def hls_folder(room_pk: int) -> Path:
    """Folder in which the recorder writes."""
    return folder(room_pk) / "hls"


def tracks_folder(room_pk: int) -> Path:
    """Folder of tracks on the disk; Janus writes them in memory first (`track_memory`)."""
    return folder(room_pk) / "tracks"


def playlist_path(room_pk: int, run: int = 0) -> Path:
    """Path of the private event playlist of one start of the recorder."""
    return hls_folder(room_pk) / playlists.list_name(run)


def playlist_paths(room_pk: int) -> list[Path]:
    """Paths of the private playlists, oldest first: together they are the recording."""
    paths = [path for path in hls_folder(room_pk).glob("*.m3u8") if path.stem.isdigit()]
    return sorted(paths, key=lambda path: int(path.stem))


def playlist_texts(room_pk: int) -> list[str]:
    """Contents of the private playlists, oldest first."""
    return [list_text(path) for path in playlist_paths(room_pk)]


def kept_path(playlist: Path) -> Path:
    """Path of a hard link to the previous version of a run's playlist."""
    return playlist.with_suffix(".kept")


def list_text(playlist: Path) -> str:
    """Read a playlist; its previous version where a full disk truncated it (ffmpeg reports no error then)."""
    kept = kept_path(playlist)
    with suppress(FileNotFoundError):
        if kept.stat().st_size > playlist.stat().st_size:
            return kept.read_text()
    return playlist.read_text()


def window_folder(room_pk: int) -> Path:
    """Folder in memory of live segments while nothing is recorded."""
    return Path(settings.WINDOW_DIR) / str(room_pk)


def window_paths(room_pk: int) -> list[Path]:
    """Paths of the playlists in memory, oldest first: live sound while nothing was recorded."""
    paths = [path for path in window_folder(room_pk).glob("*.m3u8") if path.stem.isdigit()]
    return sorted(paths, key=lambda path: int(path.stem))


def remove_folder(path: Path) -> None:
    """Remove a folder and its content. Ignores files that another process removed; raises OSError on anything else."""
    shutil.rmtree(path, onerror=_unless_gone)


def _unless_gone(_function: Any, _path: str, error: Any) -> None:
    if not issubclass(error[0], FileNotFoundError):
        raise error[1]


def mix_path(room_pk: int) -> Path:
    """Path of the finished mix."""
    return folder(room_pk) / "mix.m4a"


def track_path(room_pk: int, seat_pk: int) -> Path:
    """Path of the finished track of one seat."""
    return tracks_folder(room_pk) / f"seat-{seat_pk}.opus"


def peaks_path(room_pk: int) -> Path:
    """Path of the waveform (`rooms.recording.peaks`)."""
    return folder(room_pk) / "peaks.json"


def exports_folder(room_pk: int) -> Path:
    """Folder of the texts of downloads of everything, with one folder for each version."""
    return folder(room_pk) / "exports"


def clips_folder(room_pk: int) -> Path:
    """Folder of the clips of a room."""
    return folder(room_pk) / "clips"


def file_path(file: RecordingFile) -> Path:
    """Path of a file of a recording."""
    return Path(settings.RECORDINGS_DIR) / file.path


def relative(path: Path) -> str:
    """Path below RECORDINGS_DIR, as the database keeps it."""
    return str(path.relative_to(settings.RECORDINGS_DIR))


def segment_address(room_pk: int, epoch: UUID, name: str) -> str:
    """Address of one file of live sound: the same for all listeners, so that caches help.

    Room, epoch and the file's name are signed, so an address opens only that file.
    """
    return f"/hls/{room_pk}-{epoch.hex}/{_mark(room_pk, epoch, name)}/{name}"


def signed_segment(token: str, mark: str, name: str) -> tuple[int, UUID] | None:
    """Room and epoch of a correctly signed address; None for any other. Uses neither database nor disk."""
    room = _TOKEN.fullmatch(token)
    if room is None or _MARK.fullmatch(mark) is None or playlists.NAME.fullmatch(name) is None:
        return None
    room_pk, epoch = int(room[1]), UUID(room[2])
    return (room_pk, epoch) if constant_time_compare(mark, _mark(room_pk, epoch, name)) else None


def segment_path(room_pk: int, name: str) -> Path:
    """Path of a file of live sound: in memory while recording is paused. Does not touch the disk."""
    in_memory = window_folder(room_pk) / name
    return in_memory if in_memory.exists() else hls_folder(room_pk) / name


def _mark(room_pk: int, epoch: UUID, name: str) -> str:
    return salted_hmac("rooms.recording.segment", f"{room_pk}:{epoch.hex}:{name}", algorithm="sha256").hexdigest()[:32]
