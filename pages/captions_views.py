"""View of a room's captions alone, for a second screen."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from pages.door import door_context
from pages.js_messages.room import room_words
from rooms.actions.arrival import admit
from rooms.models import Room
from rooms.rules.identity import who_of_request
from rooms.rules.refusals import RoomRefused
from rooms.wire.snapshot import snapshot


@never_cache
@require_safe
def alone(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the captions of a live room to whoever may come in; lead to its page before and after."""
    room = Room.objects.by_slug(slug)
    if room is None:
        raise Http404
    who = who_of_request(request)
    try:
        admit(room, who)
    except RoomRefused as refused:
        return render(request, "pages/refused.html", door_context(request, room, refused), status=refused.status)
    if not room.is_live:
        return redirect(room)
    context = {
        "room": room,
        "snapshot": snapshot(room.pk, who),
        "words": room_words(),
        "page": {"slug": room.slug, "title": room.shown_title},
    }
    return render(request, "pages/captions_alone.html", context)
