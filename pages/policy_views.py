"""Views of a room's policies, without script: each parses, calls one action of host or co-host, returns to a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.form_targets import post_only
from people.models import User
from people.queries import person
from people.signed_in import signed_in
from rooms.actions.captions import set_captions, set_language
from rooms.actions.entry import set_entry_policy
from rooms.actions.speak_policy import not_admitted, set_speak_policy
from rooms.actions.stage import unseat
from rooms.models import Room
from rooms.rules import permissions
from rooms.rules.facts import enter
from rooms.rules.identity import who_of_request
from rooms.rules.refusals import RoomRefused, refuse


@post_only("pages:room", "slug")
@signed_in
def entry(request: HttpRequest, slug: str) -> HttpResponse:
    """Change the entry policy of a room."""
    room, me = room_or_404(slug), cast(User, request.user)
    attempt(request, room, lambda: set_entry_policy(room.pk, me, request.POST.get("policy", "")))
    return redirect(room)


@post_only("pages:room", "slug")
@signed_in
def captions(request: HttpRequest, slug: str) -> HttpResponse:
    """Switch the captions of a room."""
    room, me = room_or_404(slug), cast(User, request.user)
    attempt(request, room, lambda: set_captions(room.pk, me, request.POST.get("on") == "yes"))
    return redirect(room)


@post_only("pages:room", "slug")
@signed_in
def spoken_language(request: HttpRequest, slug: str) -> HttpResponse:
    """Change the language that is spoken in a room."""
    room, me = room_or_404(slug), cast(User, request.user)
    attempt(request, room, lambda: set_language(room.pk, me, request.POST.get("language", "")))
    return redirect(room)


@never_cache
@signed_in
@require_http_methods(["GET", "POST"])
def speak(request: HttpRequest, slug: str) -> HttpResponse:
    """Change the speak policy of a room on POST. Then list the speakers whom it would not admit, if there are any."""
    room, me = room_or_404(slug), cast(User, request.user)
    if request.method == "POST":
        done = attempt(request, room, lambda: set_speak_policy(room.pk, me, request.POST.get("policy", "")))
        return redirect("pages:speak", slug) if done else redirect(room)
    if not attempt(request, room, lambda: refuse(permissions.may_manage(enter(room, who_of_request(request))))):
        return redirect(room)
    speakers = not_admitted(room)
    if not speakers:
        return redirect(room)
    return render(request, "pages/admitted.html", {"room": room, "speakers": speakers})


@post_only("pages:speak", "slug")
@signed_in
def to_audience(request: HttpRequest, slug: str) -> HttpResponse:
    """Take a speaker off the stage, and list those who are left."""
    room, me = room_or_404(slug), cast(User, request.user)
    user = person(request.POST.get("user", ""))
    if user is None:
        raise Http404
    attempt(request, room, lambda: unseat(room.pk, user, by=me))
    return redirect("pages:speak", slug)


def room_or_404(slug: str) -> Room:
    """Find a room by its address. Raises Http404."""
    room = Room.objects.by_slug(slug)
    if room is None:
        raise Http404
    return room


def attempt(request: HttpRequest, room: Room, act: Callable[[], object]) -> bool:
    """Do what may be refused, and leave the reason for the next page if it is. Returns whether it was done."""
    try:
        enter(room, who_of_request(request))
        act()
    except RoomRefused as refused:
        messages.error(request, refused.text)
        return False
    return True
