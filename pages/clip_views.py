"""Sound that one side of a decision may hear: a range and a few seconds around it, at an address of some minutes."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.client_address import address_of_request, counted_as
from core.throttle import Limit
from moderation.actions.looks import note_clip
from moderation.models import Report, Statement
from moderation.queries.appeals import AppealRight, concerned_right, reporter_right
from moderation.refusals import ModerationRefused
from pages.decisions import AROUND_MS, ranges_of, read_clip
from rooms.recording.delivery.clips import clip_of
from rooms.recording.delivery.responses import deliver_bytes
from rooms.rules.refusals import RoomRefused

CLIPS = Limit("appeal_clip", per_minute=20, burst=40, refused=ModerationRefused)  # a player asks a few times for one


@never_cache
@require_safe
def clip(request: HttpRequest, signed: str) -> HttpResponseBase:
    """Play a range with five seconds on both sides, for a player, to be stored nowhere. 404 where there is nothing to
    hear (any more), or the address is over."""
    named = read_clip(signed)
    right = None if named is None else _right(named[0], named[1])
    ranges = [] if right is None else ranges_of(right)
    if named is None or right is None or named[2] >= len(ranges):
        raise Http404
    try:
        CLIPS.check(counted_as(address_of_request(request)))
    except ModerationRefused as refused:
        return HttpResponse(refused.text, status=refused.status, content_type="text/plain; charset=utf-8")
    room, (start, end) = right.decision.case.room, ranges[named[2]]
    assert room is not None
    try:
        data = clip_of(room, start - AROUND_MS, end + AROUND_MS)
    except RoomRefused as refused:
        return HttpResponse(refused.text, status=refused.status, content_type="text/plain; charset=utf-8")
    if request.method == "GET" and request.headers.get("Range", "bytes=0-").startswith("bytes=0-"):
        note_clip(right.decision, right.side, right.person, start, end)
    etag = hashlib.sha256(data).hexdigest()

    async def source(first: int, last: int) -> AsyncIterator[bytes]:
        yield data[first:last]

    response = deliver_bytes(request, source, len(data), etag, "audio/mp4")
    response["Content-Disposition"] = "inline"
    response["Cache-Control"] = "no-store, private"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _right(decision: int, report: int) -> AppealRight | None:
    """What the side that an address is for may do now; None where that decision told it nothing."""
    now = timezone.now()
    if report:
        row = Report.objects.select_related("case__room", "reporter").filter(pk=report).first()
        return None if row is None else reporter_right(row, now)
    rows = Statement.objects.select_related("decision__case__room", "decision__rule", "person")
    statement = rows.filter(decision=decision).exclude(told_at=None).first()
    return None if statement is None else concerned_right(statement, now)
