"""Pages of a prepared room: how it stands, and what its host does with it before it opens. All work without script."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.form_targets import post_only
from pages.door import follows_host, reader
from pages.forms import PrepareForm
from people.models import User
from people.signed_in import signed_in, signed_in_keeping, typed_before
from people.standing import standing_of, why_not_host
from people.zones import is_zone
from rooms.actions.preparing import cancel_room, change_prepared, open_prepared
from rooms.models import Room
from rooms.queries.invitations import own_invitation
from rooms.queries.prepared import starts_twice
from rooms.rules.refusals import RoomRefused

CHANGED = ("title", "topic", "language", "speak_policy", "entry_policy", "transcription")


def prepared_context(request: HttpRequest, room: Room) -> dict[str, Any]:
    """Build the context of the page of a room that has not opened, or was cancelled before it did."""
    me = reader(request)
    is_host = me is not None and room.host_id == me.pk
    code = why_not_host(standing_of(me)) if is_host and room.is_prepared else None
    at, wall = cast(datetime, room.starts_at), datetime.fromisoformat(room.starts_wall)
    return {
        "room": room,
        "room_url": request.build_absolute_uri(room.get_absolute_url()),
        "is_host": is_host,
        "may_not_open": RoomRefused(code).text if code else "",
        "follows_host": follows_host(request, room),
        "invitation": own_invitation(room, me) if me is not None and room.is_prepared and not is_host else None,
        "wall": wall,
        "place": place_of(room.starts_zone),
        "elsewhere": timezone.localtime(at).replace(tzinfo=None) != wall,
        "late": at <= timezone.now(),
        "twice": starts_twice(room),
    }


def prepared_page(request: HttpRequest, room: Room) -> HttpResponse:
    """Redirect to a room's page; where its time comes twice, say which of the two it is."""
    if starts_twice(room):
        messages.info(request, _("Clocks go back over this time, so it comes twice. The room starts at the first."))
    return redirect(room)


def refuse_form(request: HttpRequest, form: PrepareForm, refused: RoomRefused) -> None:
    """Say why an action refused a form: beside the start, where that is what is wrong."""
    form.refused(refused.fields)
    if "wall" not in refused.fields:
        messages.error(request, refused.text)


@never_cache
@signed_in_keeping
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, slug: str) -> HttpResponse:
    """Show and handle the form that changes a prepared room, for its host."""
    me, room = cast(User, request.user), own_room(request, slug)
    if not room.is_prepared:
        return redirect(room)
    wall = datetime.fromisoformat(room.starts_wall)
    start = {"date": wall.date(), "time": wall.time(), "zone": room.starts_zone}
    initial = {name: getattr(room, name) for name in CHANGED} | {"title": room.shown_title} | start
    if typed := typed_before(request):
        initial |= {**typed, "transcription": "transcription" in typed}
    form = PrepareForm(request.POST or None, initial=initial)
    if form.is_valid():
        try:
            return prepared_page(request, change_prepared(room.pk, me, **form.values()))
        except RoomRefused as refused:
            refuse_form(request, form, refused)
    return render(request, "pages/prepared_change.html", {"room": room, "form": form})


@signed_in
@post_only("pages:room", "slug")
def open_now(request: HttpRequest, slug: str) -> HttpResponse:
    """Open a prepared room as its host, and return to it."""
    room = own_room(request, slug)
    try:
        open_prepared(room.pk, cast(User, request.user))
    except RoomRefused as refused:
        if refused.code != "open_already":  # the button was pressed twice
            messages.error(request, refused.text)
    return redirect(room)


@never_cache
@signed_in
@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask the host, and cancel the room on POST."""
    room = own_room(request, slug)
    if request.method == "GET" and room.is_prepared:
        return render(request, "pages/prepared_cancel.html", {"room": room})
    try:
        if request.method == "POST":
            cancel_room(room.pk, cast(User, request.user))
    except RoomRefused as refused:
        if refused.code != "room_cancelled":
            messages.error(request, refused.text)
    return redirect(room)


def own_room(request: HttpRequest, slug: str) -> Room:
    """Return the room at an address that the reader hosts. Raises Http404 for all others."""
    room = Room.objects.by_slug(slug)
    if room is None or room.host_id != cast(User, request.user).pk:
        raise Http404
    return room


def zone_of(user: User) -> str:
    """Return the zone that a form proposes: the account's, as far as it is one."""
    return user.time_zone if is_zone(user.time_zone) else "UTC"


def place_of(zone: str) -> str:
    """Name a zone as people read it: the city of Europe/Amsterdam."""
    return zone.rpartition("/")[2].replace("_", " ")
