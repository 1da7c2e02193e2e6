"""HLS for listeners: the playlist is checked for each of them, its pieces are signed addresses that caches may keep."""

from __future__ import annotations

import time
from dataclasses import dataclass
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from rooms import permissions
from rooms.identity import who_of_request
from rooms.queries import room_by_slug
from rooms.recording import epochs, playlists, store
from rooms.recording.delivery import deliver_piece
from rooms.refusals import RoomRefused, refuse
from rooms.rules.facts import enter

_SEGMENT_SECONDS_CACHED = 15  # a little more than a piece is handed out
_BELIEVED = 1.0  # seconds until the disk is asked again whether a piece is still in the window
_MOST_WINDOWS = 500


@dataclass(frozen=True)
class Window:
    """The end of a room's live sound, as of `at` (monotonic). `names` are the files that are handed out."""

    version: tuple[int, int, int]
    segments: list[playlists.Segment]
    names: frozenset[str]
    at: float


_windows: dict[int, Window] = {}
_texts: dict[int, tuple[tuple[int, int, int], UUID, str]] = {}


@require_safe
def live_playlist(request: HttpRequest, slug: str) -> HttpResponse:
    """The last seconds of a live room, for who may listen to it now."""
    at = time.monotonic()
    room = room_by_slug(slug)
    if room is None:
        raise Http404
    try:
        refuse(permissions.live(room.status))
        enter(room, who_of_request(request))
    except RoomRefused as refused:
        return _playlist("", status=refused.status)
    epochs.note(room.pk, epochs.Answer(room.epoch, at))
    text = public_window(room.pk, room.epoch)
    if text is None:
        response = _playlist("", status=503)
        response["Retry-After"] = "1"
        return response
    return _playlist(text)


@require_safe
def segment(request: HttpRequest, token: str, mark: str, name: str) -> HttpResponse:
    """A file of live sound by its signed address: while the room is live and has that epoch, and it is in the window.

    Everything else is 404. Who may listen is asked where the playlist is given out.
    """
    signed = store.signed_segment(token, mark, name)
    if signed is None:
        raise Http404
    room_pk, epoch = signed
    if not epochs.is_current(room_pk, epoch) or not is_handed_out(room_pk, name):
        raise Http404
    response = deliver_piece(store.segment_path(room_pk, name), "audio/mp4")
    response["Cache-Control"] = f"public, max-age={_SEGMENT_SECONDS_CACHED}, immutable"
    return response


def public_window(room_pk: int, epoch: UUID) -> str | None:
    """The public playlist, made anew only when ffmpeg has written or the epoch changed; None before the first piece."""
    window = _look(room_pk)
    if window is None:
        return None
    known = _texts.get(room_pk)
    if known is not None and known[:2] == (window.version, epoch):
        return known[2]
    text = playlists.window(window.segments, lambda name: store.segment_address(room_pk, epoch, name))
    if len(_texts) >= _MOST_WINDOWS:
        _texts.clear()
    _texts[room_pk] = (window.version, epoch, text)
    return text


def is_handed_out(room_pk: int, name: str) -> bool:
    """Whether a file of live sound is in the window now, or was a few pieces ago."""
    window = _windows.get(room_pk)
    if window is None or name not in window.names or time.monotonic() - window.at >= _BELIEVED:
        window = _look(room_pk)
    return window is not None and name in window.names


def _look(room_pk: int) -> Window | None:
    """The window as ffmpeg's playlists have it now; read only when they changed. None before the first piece."""
    at, known = time.monotonic(), _windows.get(room_pk)
    try:
        paths = store.live_paths(room_pk)
        stat = paths[-1].stat() if paths else None
        version = (len(paths), stat.st_mtime_ns, stat.st_size) if stat else (0, 0, 0)
        if known is not None and known.version == version:
            segments = known.segments
        else:
            size = playlists.WINDOW + playlists.MARGIN
            segments = playlists.tail([store.list_text(path) for path in paths], size)
    except FileNotFoundError:  # removed while we read: the window in memory goes when recording goes on
        return known
    if not segments:
        return None
    window = Window(version, segments, playlists.handed_out(segments), at)
    if len(_windows) >= _MOST_WINDOWS:
        _windows.clear()
    _windows[room_pk] = window
    return window


def _playlist(text: str, status: int = 200) -> HttpResponse:
    response = HttpResponse(text, status=status, content_type="application/vnd.apple.mpegurl")
    response["Cache-Control"] = "private, no-store"
    return response
