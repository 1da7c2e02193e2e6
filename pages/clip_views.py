"""Sound of a decision for whoever may appeal it: a range and five seconds on both sides, by an address that is signed
for a short time."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from moderation.actions.clips import note_clip, open_clip, still_heard
from pages.door import reader
from rooms.recording.delivery.clips import serve_clip


@never_cache
@require_safe
def clip(request: HttpRequest, signed: str) -> HttpResponseBase:
    """Play a clip, or a part of its bytes. Each hand-out is in the ledger before its first byte is sent."""
    me = reader(request)
    heard = open_clip(signed, me)
    room = None if heard is None else heard.right.decision.case.room
    if heard is None or room is None:
        raise Http404

    def still() -> bool:
        return still_heard(signed, me)

    start, end = heard.clip.sent
    response = serve_clip(request, room, start, end, still, lambda: note_clip(heard))
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response
