"""Clips on their way to people: their addresses, and the files behind them. The right is asked at every use, and while
bytes are sent."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import timezone

from ledger.actions import record
from ledger.models import Entry
from people.models import User
from rooms.models import Clip, Room
from rooms.recording import marker
from rooms.recording.clips.making import path_of, text_of
from rooms.recording.delivery import downloads, links
from rooms.recording.delivery.holders import holder_of
from rooms.recording.delivery.responses import deliver_bytes, deliver_file, named, not_now
from rooms.rules.clips import clip_facts, may_have

CONTENT_TYPES = {Clip.Kind.VIDEO: "video/mp4", Clip.Kind.SOUND: "audio/mp4"}
AGAIN = timedelta(hours=1)  # requests for one clip by one person within this time are one entry in the ledger


def name_of(clip: Clip, suffix: str = "") -> str:
    """Name under which a clip, or with a suffix its captions, is saved."""
    minutes, seconds = divmod(clip.from_ms // 1000, 60)
    return f"{clip.room.slug}-{minutes}m{seconds:02}{suffix or '.' + clip.file.rpartition('.')[2]}"


def addresses(clip: Clip, user: User | None) -> tuple[str, str]:
    """Addresses of a ready clip and of its captions for a person, or for everybody, for some hours."""
    return (
        links.address(clip.room_id, f"clip-{clip.pk}", user, name_of(clip)),
        links.address(clip.room_id, f"captions-{clip.pk}", user, name_of(clip, ".vtt")),
    )


def serve(request: HttpRequest, link: links.Link, listener: str) -> HttpResponseBase:
    """Serve the clip of a link or its captions; 404 unless it is there and the person may have it now."""
    clip = allowed(link, listener)
    if clip is None:
        raise Http404
    if marker.trouble():
        return not_now()
    if link.what.startswith("captions-"):
        return _captions(request, clip)
    content_type = CONTENT_TYPES[Clip.Kind(clip.kind)]
    saved = name_of(clip) if "save" in request.GET else ""
    response = deliver_file(request, path_of(clip), clip.sha256, content_type, saved)
    if request.method == "GET" and response.status_code in (200, 206):
        record_handing_out(clip, link.user)
    return downloads.limited(request, response, link.user, lambda: allowed(link, listener) is not None)


def allowed(link: links.Link, listener: str) -> Clip | None:
    """The clip that a link opens now; None where it does not."""
    pk = int(link.what.rpartition("-")[2])
    rows = Clip.objects.select_related("room__host").filter(pk=pk, room=link.room, state=Clip.State.READY)
    clip = rows.filter(room__purged_at=None).first()
    who = None if clip is None else holder_of(link, listener)
    if clip is None or who is None or may_have(clip_facts(clip.room, who)) is not None:
        return None
    return clip


def _captions(request: HttpRequest, clip: Clip) -> HttpResponseBase:
    """Respond with the captions of a clip as WebVTT, as they read now; without a line where none is known."""
    said = text_of(clip.room, clip.from_ms, clip.to_ms)
    content = ("WEBVTT\n\n" if said is None else said.webvtt).encode()

    async def source(start: int, stop: int) -> AsyncIterator[bytes]:
        yield content[start:stop]

    etag = hashlib.sha256(content).hexdigest()
    response = deliver_bytes(request, source, len(content), etag, "text/vtt; charset=utf-8")
    return named(response, name_of(clip, ".vtt") if "save" in request.GET else "")


def record_handing_out(clip: Clip, reader: int | None) -> None:
    """Record that a clip is handed out, before its first byte; once per person and AGAIN, all without an account being
    one. Raises Http404 where it was taken back or purged meanwhile."""
    if _noted_lately(clip, reader):  # most requests: players ask for parts
        return
    with transaction.atomic():
        Room.objects.select_for_update(no_key=True).get(pk=clip.room_id)
        row = Clip.objects.filter(pk=clip.pk, state=Clip.State.READY, room__purged_at=None).first()
        if row is None:
            raise Http404
        if not _noted_lately(row, reader):
            record("clip_handed_out", f"room:{row.room_id}", reader, {"clip": row.pk, "sha256": row.sha256})


def _noted_lately(clip: Clip, reader: int | None) -> bool:
    entries = Entry.objects.filter(subject=f"room:{clip.room_id}", kind="clip_handed_out", actor=reader)
    return entries.filter(data__clip=clip.pk, at__gt=timezone.now() - AGAIN).exists()
