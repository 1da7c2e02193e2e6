"""HLS for listeners: the playlist is checked for each of them, its pieces are signed addresses that caches may keep."""

from __future__ import annotations

import time
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from rooms import permissions
from rooms.identity import who_of_request
from rooms.queries import room_by_slug
from rooms.recording import playlists, store
from rooms.recording.delivery import deliver_piece
from rooms.refusals import RoomRefused, refuse
from rooms.rules.facts import enter

_SEGMENT_SECONDS_CACHED = 180
_windows: dict[int, tuple[tuple[int, int, int], str]] = {}
_MOST_WINDOWS = 500


@require_safe
def live_playlist(request: HttpRequest, slug: str) -> HttpResponse:
    """The last seconds of a live room, for who may listen to it now."""
    room = room_by_slug(slug)
    if room is None:
        raise Http404
    try:
        refuse(permissions.live(room.status))
        enter(room, who_of_request(request))
    except RoomRefused as refused:
        return _playlist("", status=refused.status)
    text = public_window(room.pk)
    if text is None:
        response = _playlist("", status=503)
        response["Retry-After"] = "1"
        return response
    return _playlist(text)


@require_safe
def segment(request: HttpRequest, token: str, minute: str, name: str) -> HttpResponse:
    """A piece of sound by its signed address; 404 for every address that is not right, or no longer."""
    path = store.signed_segment(token, minute, name, time.time())
    if path is None:
        raise Http404
    response = deliver_piece(path, "audio/mp4")
    response["Cache-Control"] = f"public, max-age={_SEGMENT_SECONDS_CACHED}, immutable"
    return response


def public_window(room_pk: int) -> str | None:
    """The public playlist, made anew only when ffmpeg has written; None before the first piece."""
    try:
        paths = store.live_paths(room_pk)
        stat = paths[-1].stat() if paths else None
        version = (len(paths), stat.st_mtime_ns, stat.st_size) if stat else (0, 0, 0)
        if room_pk in _windows and _windows[room_pk][0] == version:
            return _windows[room_pk][1]
        segments = playlists.tail([store.list_text(path) for path in paths])
    except FileNotFoundError:
        return None
    if not segments:
        return None

    def address(name: str, at: datetime) -> str:
        return store.segment_address(room_pk, name, at)

    text = playlists.window(segments, address)
    if len(_windows) >= _MOST_WINDOWS:
        _windows.clear()
    _windows[room_pk] = (version, text)
    return text


def _playlist(text: str, status: int = 200) -> HttpResponse:
    response = HttpResponse(text, status=status, content_type="application/vnd.apple.mpegurl")
    response["Cache-Control"] = "private, no-store"
    return response
