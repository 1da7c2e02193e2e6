"""Views of the pages of rooms: each parses, calls one query or action, renders."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from core.form_targets import post_only
from pages.door import door_context, follows_host, reader
from pages.forms import OpenRoomForm
from pages.inviting import inviting_of
from pages.js_messages.room import room_words
from pages.prepared_views import prepared_context, prepared_page, refuse_form, zone_of
from pages.report_form import ReportForm
from pages.seating import EMPTY_SEAT, chair_count, chairs
from pages.staff_views import as_staff, may_open_as_staff, staff_context, wants_staff
from people.actions.account import update_profile
from people.models import User
from people.signed_in import signed_in, signed_in_keeping, typed_before
from rooms.actions.arrival import admit
from rooms.actions.opening import end_room, open_room
from rooms.actions.preparing import prepare_room
from rooms.guests.demo import may_start_demo, start_demo_room
from rooms.models import Recording, Room
from rooms.queries.hosted import hosted_rooms, live_room_of
from rooms.queries.live_now import live_rooms
from rooms.queries.prepared import coming_up, prepared_of, same_prepared
from rooms.rules.identity import who_of_request
from rooms.rules.reactions import KINDS, TONES
from rooms.rules.refusals import RoomRefused
from rooms.rules.roles import look_at_replay
from rooms.wire.snapshot import Snapshot, snapshot
from rooms.wording import ENTRY_WORDS, REACTION_WORDS, SPEAK_WORDS, TONE_WORDS

SHOWN_STANDING = 24  # most figures drawn for listeners; the number beside them is exact


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the rooms that are live now, and those that are prepared."""
    me, who = reader(request), who_of_request(request)
    rooms = live_rooms(who)
    mine = live_room_of(me) if me else None
    others = [live for live in rooms if me is None or live.room.host_id != me.pk]
    prepared = [room for room in prepared_of(me) if room.is_prepared] if me else []
    context = {
        "rooms": rooms,
        "others": others,
        "mine": mine,
        "prepared": prepared,
        "coming": coming_up(who),
        "demo_off": may_start_demo(),
    }
    return render(request, "pages/home.html", context)


@post_only("pages:home")
def start_demo(request: HttpRequest) -> HttpResponse:
    """Start the demo room, and redirect to it."""
    try:
        return redirect(start_demo_room())
    except RoomRefused as refused:
        messages.error(request, refused.text)
        return redirect("pages:home")


@signed_in_keeping
@require_http_methods(["GET", "POST"])
def open_page(request: HttpRequest) -> HttpResponse:
    """Show and handle the form that opens a room or prepares one. A reader who hosts one already is redirected to it,
    but can prepare another."""
    me = cast(User, request.user)
    when = (request.POST or request.GET).get("when", "now")
    if when != "later" and (mine := live_room_of(me)):
        return redirect(mine)
    typed: dict[str, Any] = typed_before(request)
    if typed:
        typed["transcription"] = "transcription" in typed
    initial = {"language": get_language(), "when": when, "zone": zone_of(me), **typed}
    form = OpenRoomForm(request.POST or None, initial=initial)
    if form.is_valid():
        try:
            if form.later:
                return prepared_page(request, prepare_room(me, **form.values()))
            return redirect(open_room(me, **form.open_values()))
        except RoomRefused as refused:
            if mine := sent_before(me, form, refused):
                return redirect(mine)
            refuse_form(request, form, refused)
    return render(request, "pages/open.html", {"form": form})


def sent_before(me: User, form: OpenRoomForm, refused: RoomRefused) -> Room | None:
    """Return the room that the same form made, if it was sent twice."""
    if refused.code == "already_hosting":
        return live_room_of(me)
    return same_prepared(me, form.values()) if refused.code == "starts_together" else None


@never_cache
@require_safe
def room_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a room as it is now, prepared, live or over; scripts keep one that is not over up to date."""
    room = Room.objects.by_slug(slug)
    if room is None:
        raise Http404
    if wants_staff(request):
        seen = as_staff(request, room)
        return seen if isinstance(seen, HttpResponse) else live_page(request, room, seen, as_staff=True)
    who = who_of_request(request)
    try:
        admit(room, who)
    except RoomRefused as refused:
        context = door_context(request, room, refused) | {"staff_door": may_open_as_staff(who.user, room)}
        return render(request, "pages/refused.html", context, status=refused.status)
    if room.started_at is None:
        return render(request, "pages/prepared.html", prepared_context(request, room))
    if not room.is_live:
        return render(request, "pages/room.html", ended_context(request, room))
    return live_page(request, room, snapshot(room.pk, who))


@signed_in
@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask the host, and end the room on POST, without script."""
    me = cast(User, request.user)
    room = Room.objects.by_slug(slug)
    if room is None or room.host_id != me.pk:
        raise Http404
    if request.method == "GET" and room.is_live:
        return render(request, "pages/end.html", {"room": room})
    try:
        if request.method == "POST":
            end_room(room.pk, me)
    except RoomRefused as refused:
        messages.error(request, refused.text)
    return redirect(room)


@post_only("pages:room", "slug")
@signed_in
def language(request: HttpRequest, slug: str) -> HttpResponse:
    """Change the reader's language, and return to the room."""
    try:
        update_profile(cast(User, request.user), language=request.POST.get("language", ""))
    except ValidationError:
        return HttpResponseBadRequest()
    return redirect("pages:room", slug)


def live_page(request: HttpRequest, room: Room, now: Snapshot, *, as_staff: bool = False) -> HttpResponse:
    """Render the page of a live room; `as_staff` for somebody who listens in."""
    context = live_context(request, room, now, as_staff=as_staff)
    return render(request, "pages/room.html", context | staff_context(reader(request), listens=as_staff))


def live_context(request: HttpRequest, room: Room, now: Snapshot, *, as_staff: bool = False) -> dict[str, Any]:
    """Build the context of a live room's page."""
    seats, handle, me = now["seats"], now["you"]["user"], reader(request)
    places = now["room"]["max_speakers"]
    return {
        "room": room,
        "room_url": request.build_absolute_uri(room.get_absolute_url()),
        "snapshot": now,
        "chairs": chairs(seats, places),
        "empty_seat": EMPTY_SEAT,
        "chair_count": chair_count(seats, places),
        "free": places - sum(seat["role"] == "speaker" for seat in seats),
        "follows_host": follows_host(request, room),
        "seated": any(seat["user"] == handle for seat in seats),
        "standing": range(min(now["listening"], SHOWN_STANDING)),
        "recording_days": settings.RECORDING_DAYS,
        "host_grace": max(1, round(settings.ROOM_HOST_GRACE_SECONDS / 60)),  # minutes
        "longest": settings.RECORDING_DAYS_VIOLATION,
        "words": room_words(),
        "invite": inviting_of(room, me, may_speak=now["you"]["may"]["manage"]) if me and not as_staff else None,
        "entry_choices": ENTRY_WORDS.items(),
        "speak_choices": SPEAK_WORDS.items(),
        "reactions": [(kind, about, REACTION_WORDS[kind]) for kind, about in KINDS.items()],
        "tones": list(zip(TONES, TONE_WORDS, strict=True)),
        "report_form": ReportForm({}, auto_id="report_%s"),
        "page": {
            "slug": room.slug,
            "title": room.shown_title,
            "host": room.host.display_name,
            "consent": settings.CONSENT_VERSION,
            "keys": None if me is None else me.uses_keys,
            "staff": as_staff,
            "standing": SHOWN_STANDING,
            "artwork": static("img/stamtafel.svg"),
        },
    }


def ended_context(request: HttpRequest, room: Room) -> dict[str, Any]:
    """Build the context of an ended room's page."""
    ended_at = room.ended_at or room.started_at
    who = who_of_request(request)
    role, why_not = look_at_replay(room, who)
    return {
        "room": room,
        "follows_host": follows_host(request, room),
        "recording": Recording.objects.filter(room=room).first(),
        "demo_off": room.is_demo and may_start_demo(),
        "may_replay": why_not is None,
        "closed": why_not == "recording_unavailable",
        # The time of the purge can reveal decisions: it is shown only to those who took part.
        "took_part": role != "listener",
        "is_host": role == "host",
        "lasted_ms": room.room_time(ended_at),
        "viewer": request.user,
    }


@signed_in
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show a host's rooms: live, prepared, and past ones with the state of their recording and its retention clock."""
    me = cast(User, request.user)
    rooms = hosted_rooms(me)
    return render(
        request,
        "pages/dashboard.html",
        {
            "live": [one for one in rooms if one.room.is_live],
            "prepared": prepared_of(me),
            "past": [one for one in rooms if not one.room.is_live],
            "recording_days": settings.RECORDING_DAYS,
        },
    )
