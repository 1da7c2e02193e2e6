"""HLS views for listeners: rights are checked for each playlist; segments have signed addresses, which may be cached.

While the disk hangs, listeners get the segments in memory, after those that were last read from the disk.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from core.lane import DiskHangs, Lane
from rooms.models import Room
from rooms.recording import marker, store
from rooms.recording.delivery.responses import deliver_piece
from rooms.recording.hls import epochs, playlists
from rooms.rules import permissions
from rooms.rules.facts import enter
from rooms.rules.identity import who_of_request
from rooms.rules.refusals import RoomRefused, refuse

_SEGMENT_SECONDS_CACHED = 15  # a little longer than a segment is served
_WINDOW_CACHE_SECONDS = 1.0  # until playlists are read again to find out whether a segment is in the window
_MOST_WINDOWS = 500
_SIZE = playlists.WINDOW + playlists.MARGIN
_PATIENCE = 1.0  # seconds the disk may take; players have buffered a few


Version = tuple[int, int, int]


@dataclass(frozen=True)
class Lists:
    """The ends of the playlists of one folder, by run; `version` changes whenever they do."""

    version: Version
    texts: dict[int, str]


@dataclass(frozen=True)
class LiveWindow:
    """The last segments of a room, as of `at` (monotonic time). `names` are the files that may be fetched."""

    version: tuple[Version, Version]
    segments: list[playlists.Segment]
    names: frozenset[str]
    at: float


_NOTHING = Lists((0, 0, 0), {})
_windows: dict[int, LiveWindow] = {}
_on_disk: dict[int, Lists] = {}  # as last read
_lanes: dict[int, Lane] = {}
_texts: dict[int, tuple[tuple[Version, Version], UUID, str]] = {}


@require_safe
def live_playlist(request: HttpRequest, slug: str) -> HttpResponse:
    """Serve the playlist of a live room to a person who may enter it now."""
    return checked_playlist(slug, lambda room: enter(room, who_of_request(request)))


def checked_playlist(slug: str, check: Callable[[Room], object]) -> HttpResponse:
    """Serve the playlist of a live room after a check, which raises RoomRefused for people without the right to it."""
    at = time.monotonic()
    room = Room.objects.by_slug(slug)
    if room is None:
        raise Http404
    try:
        refuse(permissions.live(room.status))
        check(room)
    except RoomRefused as refused:
        return _playlist("", status=refused.status)
    epochs.cache(room.pk, epochs.KnownEpoch(room.epoch, at))
    text = public_window(room.pk, room.epoch)
    return _later(_playlist("", status=503)) if text is None else _playlist(text)


@require_safe
def segment(request: HttpRequest, token: str, mark: str, name: str) -> HttpResponse:
    """Serve a file of live sound by its signed address.

    404 unless the room is live and has that epoch, and the file is in the window. The right to listen is checked in
    `live_playlist`.
    """
    signed = store.signed_segment(token, mark, name)
    if signed is None:
        raise Http404
    room_pk, epoch = signed
    if not epochs.is_current(room_pk, epoch) or not is_handed_out(room_pk, name):
        raise Http404
    path = store.segment_path(room_pk, name)
    try:
        if path.is_relative_to(settings.WINDOW_DIR):
            response = deliver_piece(path, "audio/mp4")
        else:
            response = _lane(room_pk).run_here(lambda: deliver_piece(path, "audio/mp4"), within=_PATIENCE)
    except DiskHangs:
        return _later(HttpResponse(status=503))
    response["Cache-Control"] = f"public, max-age={_SEGMENT_SECONDS_CACHED}, immutable"
    return response


def public_window(room_pk: int, epoch: UUID) -> str | None:
    """The public playlist, rebuilt only when ffmpeg has written or the epoch changed; None before the first segment."""
    window = _read_window(room_pk)
    if window is None:
        return None
    known = _texts.get(room_pk)
    if known is not None and known[:2] == (window.version, epoch):
        return known[2]
    text = playlists.public_playlist(window.segments, lambda name: store.segment_address(room_pk, epoch, name))
    if len(_texts) >= _MOST_WINDOWS:
        _texts.clear()
    _texts[room_pk] = (window.version, epoch, text)
    return text


def is_handed_out(room_pk: int, name: str) -> bool:
    """Whether a file of live sound is in the window now, or was a few segments ago."""
    window = _windows.get(room_pk)
    if window is None or name not in window.names or time.monotonic() - window.at >= _WINDOW_CACHE_SECONDS:
        window = _read_window(room_pk)
    return window is not None and name in window.names


def _read_window(room_pk: int) -> LiveWindow | None:
    """Read the window from ffmpeg's playlists, if they changed. None before the first segment."""
    at, known = time.monotonic(), _windows.get(room_pk)
    try:
        on_disk, in_memory = _disk_lists(room_pk), _lists(store.window_paths(room_pk), _NOTHING)
    except FileNotFoundError:  # removed meanwhile: recording goes on, so the playlists in memory are deleted
        return known
    version = on_disk.version, in_memory.version
    if known is not None and known.version == version:
        segments = known.segments
    else:
        texts = {**on_disk.texts, **in_memory.texts}
        segments = playlists.tail([texts[run] for run in sorted(texts)], _SIZE)
    if not segments:
        return None
    window = LiveWindow(version, segments, playlists.handed_out(segments), at)
    if len(_windows) >= _MOST_WINDOWS:
        _windows.clear()
    _windows[room_pk] = window
    return window


def _disk_lists(room_pk: int) -> Lists:
    """Lists that the recorder wrote; those that were last read, where the disk does not answer."""
    known = _on_disk.get(room_pk, _NOTHING)
    try:
        lists = _lane(room_pk).run_here(lambda: _recorded(room_pk, known), within=_PATIENCE)
    except DiskHangs:
        return known
    if len(_on_disk) >= _MOST_WINDOWS:
        _on_disk.clear()
    _on_disk[room_pk] = lists
    return lists


def _recorded(room_pk: int, known: Lists) -> Lists:
    """Read lists from RECORDINGS_DIR; none where it is not this installation's folder. Runs in a thread of its own,
    whose connection to the database it closes."""
    try:
        return _NOTHING if marker.trouble() else _lists(store.playlist_paths(room_pk), known)
    finally:
        connection.close()


def _lane(room_pk: int) -> Lane:
    if len(_lanes) >= _MOST_WINDOWS:
        _lanes.clear()
    return _lanes.setdefault(room_pk, Lane(f"disk of room {room_pk}"))


def _lists(paths: list[Path], known: Lists) -> Lists:
    """Read the ends of playlists; returns `known` where they did not change."""
    stat = paths[-1].stat() if paths else None
    version = (len(paths), stat.st_mtime_ns, stat.st_size) if stat else (0, 0, 0)
    if version == known.version:
        return known
    return Lists(version, {int(path.stem): playlists.shortened(store.list_text(path), _SIZE) for path in paths})


def _later(response: HttpResponse) -> HttpResponse:
    response["Retry-After"] = "1"
    return response


def _playlist(text: str, status: int = 200) -> HttpResponse:
    response = HttpResponse(text, status=status, content_type="application/vnd.apple.mpegurl")
    response["Cache-Control"] = "private, no-store"
    return response
