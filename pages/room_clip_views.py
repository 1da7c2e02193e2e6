"""Pages of clips: those of a room, with forms to make one and to switch them off; one clip, for whoever may have it or
is heard in it."""

from __future__ import annotations

import re
from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from core.form_targets import post_only
from pages.replay_views import sign_in_or_404
from people.models import User
from people.signed_in import ask_to_sign_in, signed_in
from rooms import actions
from rooms.models import Room
from rooms.queries.clips import clip_of, clips_of
from rooms.rules import limits
from rooms.rules.identity import who_of_request
from rooms.rules.refusals import RoomRefused
from rooms.rules.roles import may_replay

_SECONDS = re.compile(r"([0-9]{1,6})(?:[.,]([0-9]{1,3}))?")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def clips(request: HttpRequest, slug: str) -> HttpResponse:
    """List the clips of a room that the reader may know of; make one."""
    if request.method == "POST":
        return ask_to_sign_in(request) if not request.user.is_authenticated else make(request, slug)
    room = known_room(slug)
    try:
        shown = clips_of(room, who_of_request(request))
    except RoomRefused as refused:
        if refused.status == 404:
            return sign_in_or_404(request)
        messages.error(request, refused.text)
        return redirect("pages:replay", slug)
    return render(request, "pages/clips.html", {"room": room, "clips": shown})


def make(request: HttpRequest, slug: str) -> HttpResponse:
    """Make the clip that a form asks for."""
    room, me = known_room(slug), cast(User, request.user)
    kind = request.POST.get("kind", "")
    try:
        limits.CLIPS.check(f"u:{me.pk}")
        if room.is_live:
            actions.make_live_clip(room.pk, me, kind, milliseconds(request.POST.get("last", "60")))
        else:
            start, end = (milliseconds(request.POST.get(name, "")) for name in ("from", "to"))
            actions.make_clip(room.pk, me, kind, start, end)
    except RoomRefused as refused:
        if refused.status == 404:
            raise Http404 from refused
        messages.error(request, " ".join([refused.text, *refused.fields.values()]))
    else:
        messages.success(request, _("The clip is being made. Everybody who speaks in it is told."))
    return back(request, room)


@post_only("pages:clips", "slug")
@signed_in
def switch(request: HttpRequest, slug: str) -> HttpResponse:
    """Switch the clips of a room off, or on again."""
    room, me = known_room(slug), cast(User, request.user)
    try:
        limits.ACTIONS.check(f"u:{me.pk}")
        actions.set_clips_off(room.pk, me, request.POST.get("off") == "yes")
    except RoomRefused as refused:
        if refused.status in (403, 404):
            raise Http404 from refused
        messages.error(request, refused.text)
    return back(request, room)


@never_cache
@require_safe
def clip(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """Show one clip: to hear where the reader may, and to take back. 410 once it was taken back, for those who knew."""
    room, who = known_room(slug), who_of_request(request)
    try:
        shown = clip_of(room, key, who)
    except RoomRefused as refused:
        if refused.status == 404:
            return sign_in_or_404(request)
        return render(request, "pages/clip.html", {"room": room, "refused": refused}, status=refused.status)
    over = shown.clip.state == shown.clip.State.TAKEN_BACK
    context = {"room": room, "shown": shown, "over": over, "replay": not room.is_live and may_replay(room, who)}
    return render(request, "pages/clip.html", context, status=410 if over else 200)


@post_only("pages:clip-of-room", "slug", "key")
@signed_in
def take_back(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """Delete a clip for everybody."""
    room, me = known_room(slug), cast(User, request.user)
    try:
        limits.ACTIONS.check(f"u:{me.pk}")
        shown = clip_of(room, key, who_of_request(request))
        actions.take_back_clip(shown.clip.key, me)
    except RoomRefused as refused:
        if refused.status in (403, 404):
            raise Http404 from refused
        messages.error(request, refused.text)
        return redirect("pages:clip-of-room", slug, key)
    messages.success(request, _("The clip is deleted. Nobody has it here any more."))
    return back(request, room)


def known_room(slug: str) -> Room:
    """Get a room that is live or over. Raises Http404."""
    room = Room.objects.by_slug(slug)
    if room is None or room.status not in (Room.Status.LIVE, Room.Status.ENDED):
        raise Http404
    return room


def milliseconds(text: str) -> int:
    """Read seconds with at most three decimals. Raises RoomRefused (clip_range) for anything else."""
    match = _SECONDS.fullmatch(text.strip())
    if match is None:
        raise RoomRefused("clip_range")
    return int(match[1]) * 1000 + int((match[2] or "").ljust(3, "0"))


def back(request: HttpRequest, room: Room) -> HttpResponse:
    """Redirect to where the clips of a room are, for this reader."""
    if not room.is_live and may_replay(room, who_of_request(request)):
        return redirect(reverse("pages:replay", args=[room.slug], fragment="clips"))
    try:
        clips_of(room, who_of_request(request))
    except RoomRefused:
        return redirect("pages:home")
    return redirect("pages:clips", room.slug)
