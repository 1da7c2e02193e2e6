"""HTTP responses with files, whole or a range, of which at most READ bytes are in memory at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header

from rooms.recording import store
from rooms.recording.delivery import ranges
from rooms.rules.refusals import RoomRefused

INTERNAL = "/_recordings/"  # nginx: `internal; alias RECORDINGS_DIR/`
READ = 1 << 18  # bytes read at once
Bytes = Callable[[int, int], AsyncIterator[bytes]]
"""Yields the bytes from one position up to, not including, another."""


def deliver_bytes(request: HttpRequest, source: Bytes, size: int, etag: str, content_type: str) -> HttpResponseBase:
    """Respond with 200, 206, 304, 412 or 416, according to the request's headers; HEAD gets the same headers."""
    quoted = f'"{etag}"'
    if (unchanged := get_conditional_response(request, quoted)) is not None and unchanged.status_code in (304, 412):
        return unchanged
    header = request.headers.get("Range") if ranges.if_range_matches(request.headers.get("If-Range"), quoted) else None
    try:
        wanted = ranges.parse_range(header, size) if request.method == "GET" else None
    except ranges.Unsatisfiable:
        response: HttpResponseBase = HttpResponse(status=416, content_type=content_type)
        response["Content-Range"] = f"bytes */{size}"
        return response
    given = wanted or ranges.Range(0, size)
    if request.method == "HEAD":
        response = HttpResponse(content_type=content_type)
    else:
        status = 206 if wanted else 200
        response = StreamingHttpResponse(source(given.start, given.stop), status=status, content_type=content_type)
    if wanted:
        response["Content-Range"] = wanted.header(size)
    response["Content-Length"] = str(given.stop - given.start)
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = quoted
    return response


def deliver_file(
    request: HttpRequest, path: Path, etag: str, content_type: str, download_as: str = ""
) -> HttpResponseBase:
    """Respond with a file of the recordings, whole or in part."""
    response: HttpResponseBase | None = _by_nginx(path, content_type)
    if response is None:
        try:
            size = path.stat().st_size
        except FileNotFoundError as error:
            raise Http404 from error

        def source(start: int, stop: int) -> AsyncIterator[bytes]:
            return read_range(path, start, stop)

        response = deliver_bytes(request, source, size, etag, content_type)
    return named(response, download_as)


def deliver_piece(path: Path, content_type: str) -> HttpResponse:
    """Respond with one segment of live sound, read in one step (about 8 KB). Never by X-Accel-Redirect, which a cache
    of nginx could not keep: it asks once for each."""
    try:
        return HttpResponse(path.read_bytes(), content_type=content_type)
    except FileNotFoundError as error:
        raise Http404 from error


def _by_nginx(path: Path, content_type: str) -> HttpResponse | None:
    """Response that has nginx send the file, with ranges of its own; None where this process must send it: always in
    development, and files in memory (WINDOW_DIR)."""
    if not (settings.X_ACCEL_REDIRECT and path.is_relative_to(settings.RECORDINGS_DIR)):
        return None
    response = HttpResponse(content_type=content_type)
    response["X-Accel-Redirect"] = INTERNAL + store.relative(path)
    return response


def not_now() -> HttpResponse:
    """Response while RECORDINGS_DIR is not this installation's folder."""
    unavailable = RoomRefused("unavailable")
    headers = {"Retry-After": "60", "Cache-Control": "no-store"}
    return HttpResponse(unavailable.text, status=503, content_type="text/plain; charset=utf-8", headers=headers)


def named(response: HttpResponseBase, download_as: str) -> HttpResponseBase:
    """Set the headers of a private file, and its download name where one is given; shared caches may not store it."""
    if disposition := content_disposition_header(bool(download_as), download_as):
        response["Content-Disposition"] = disposition
    response["Cache-Control"] = "private, max-age=0, must-revalidate"
    response["X-Content-Type-Options"] = "nosniff"
    return response


async def read_range(path: Path, start: int, stop: int) -> AsyncIterator[bytes]:
    """Yield bytes of a file. Raises EOFError where it is too short: the announced length cannot be kept."""
    file = await asyncio.to_thread(path.open, "rb", 0)
    try:
        await asyncio.to_thread(file.seek, start)
        left = stop - start
        while left:
            data = await asyncio.to_thread(file.read, min(READ, left))
            if not data:
                raise EOFError(f"{path.name} ends {left} bytes early")
            left -= len(data)
            yield data
    finally:
        file.close()
