"""Views of the replay page of an ended room: each parses, calls one query or action, renders."""

from __future__ import annotations

import re
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from core.form_targets import post_only
from core.refusals import Refused
from pages.forms import PublishForm
from pages.js_messages.replay import replay_words
from pages.replay import CueEdit, build_page
from people.models import User
from people.signed_in import ask_to_sign_in, signed_in
from rooms.actions import download_everything, set_objection, set_published
from rooms.actions.publishing import unpurged_recording
from rooms.models import Recording, Room
from rooms.rules import limits, permissions
from rooms.rules.identity import who_of_request
from rooms.rules.publishing import up_to, widest_publication
from rooms.rules.refusals import RoomRefused, refuse
from rooms.rules.restrictions import is_restricted
from rooms.rules.roles import look_at_replay
from rooms.rules.voice import voices_in
from transcripts.actions import correct_cue, retry_transcript
from transcripts.files.formats import FORMATS
from transcripts.permissions import may_read
from transcripts.queries import SEARCH, file_header, format_lines, readable_transcript
from transcripts.refusals import TranscriptRefused


def ended_room(request: HttpRequest, slug: str) -> tuple[Room, str]:
    """Get the room and the reader's role in it. Raises Http404 unless the reader may replay it, or could if moderators
    had not closed the recording."""
    room = Room.objects.by_slug(slug)
    if room is None or room.status not in (Room.Status.LIVE, Room.Status.ENDED):
        raise Http404
    role, code = look_at_replay(room, who_of_request(request))
    if code not in (None, "recording_unavailable"):
        raise Http404
    return room, role


def sign_in_or_404(request: HttpRequest) -> HttpResponse:
    """Answer a reader who may not replay a room: 404, signed out with a link to sign in.

    The page is the same for every address, so that it does not reveal which rooms exist.
    """
    if request.user.is_authenticated:
        raise Http404
    return render(request, "pages/sign_in.html", status=404)


@never_cache
@require_safe
def replay_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show sound, waveform and transcript, and the host's controls. `?edit=<cue>` opens the form of a line."""
    try:
        room, role = ended_room(request, slug)
    except Http404:
        return sign_in_or_404(request)
    if room.is_live:
        return redirect(room)
    line = request.GET.get("edit", "")
    return render_replay(request, room, role, CueEdit(int(line)) if re.fullmatch(r"[0-9]{1,15}", line) else None)


def render_replay(
    request: HttpRequest, room: Room, role: str, editing: CueEdit | None = None, status: int = 200
) -> HttpResponse:
    """Render the replay page, filtered by `q` of the request."""
    q = SEARCH.clean_leniently(request.POST.get("q") or request.GET.get("q", ""))
    context = {
        "page": build_page(room, who_of_request(request), role, q, editing),
        "room": room,
        "words": replay_words(),
        "edit_link": reverse("pages:replay", args=[room.slug], query={**({"q": q} if q else {}), "edit": ""}),
    }
    return render(request, "pages/replay.html", context, status=status)


@never_cache
@require_http_methods(["GET", "POST"])
def publish(request: HttpRequest, slug: str) -> HttpResponse:
    """Show whose voices a publication is about, and for whom it may be; announce it, or take it back."""
    if request.method == "POST" and not request.user.is_authenticated:
        return ask_to_sign_in(request)
    room, role = ended_room(request, slug)
    if not request.user.is_authenticated:
        raise Http404
    publishing = request.POST.get("published") == "yes"
    try:
        if request.method == "GET":
            return render(request, "pages/publish.html", publish_context(room, role))
        if publishing:
            limits.PUBLISHING.check(f"u:{request.user.pk}")
        set_published(room.pk, request.user, publishing, request.POST.get("policy") or None)
    except RoomRefused as refused:
        messages.error(request, refused.text)
    return redirect(reverse("pages:replay", args=[slug], fragment="who-hears"))


def publish_context(room: Room, role: str) -> dict[str, Any]:
    """Build the context of the page that asks before a publication. Raises not_host, no_recording,
    recording_unavailable."""
    refuse(permissions.may_withdraw(role=role))
    recording = unpurged_recording(room)
    if recording is None or recording.state != Recording.State.READY:
        raise RoomRefused("no_recording")
    if is_restricted(room):
        raise RoomRefused("recording_unavailable")
    widest = widest_publication(room, recording)
    choices = up_to(widest)
    chosen = room.entry_policy if room.entry_policy in choices else next(iter(choices), "")
    return {
        "room": room,
        "recording": recording,
        "voices": voices_in(room.pk),
        "agreed": widest is not None,
        "form": PublishForm(choices, initial={"policy": chosen}) if choices else None,
    }


@post_only("pages:replay", "slug")
@signed_in
def objection(request: HttpRequest, slug: str) -> HttpResponse:
    """Object to the publication of a replay, or take that back."""
    room, _role = ended_room(request, slug)
    try:
        limits.ACTIONS.check(f"u:{request.user.pk}")
        set_objection(room.pk, cast(User, request.user), request.POST.get("objected") == "yes")
    except RoomRefused as refused:
        messages.error(request, refused.text)
    return redirect(reverse("pages:replay", args=[slug], fragment="who-hears"))


@post_only("pages:replay", "slug")
@signed_in
def download(request: HttpRequest, slug: str) -> HttpResponse:
    """Redirect the host to a zip of everything."""
    room, _role = ended_room(request, slug)
    try:
        limits.DOWNLOADS.check(f"u:{request.user.pk}")
        return redirect(download_everything(room.pk, cast(User, request.user)).address)
    except RoomRefused as refused:
        messages.error(request, refused.text)
    return redirect("pages:replay", slug)


@post_only("pages:replay", "slug")
@signed_in
def retry(request: HttpRequest, slug: str) -> HttpResponse:
    """Retry what could not be transcribed."""
    room, role = ended_room(request, slug)
    if may_read(role):
        raise Http404
    try:
        retry_transcript(room, cast(User, request.user))
    except TranscriptRefused as refused:
        messages.error(request, refused.text)
    return redirect("pages:replay", slug)


@post_only("pages:replay", "slug")
@signed_in
def correct(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Correct a line without script; with script the page uses the API."""
    room, role = ended_room(request, slug)
    me = cast(User, request.user)
    text = None if "take_back" in request.POST else request.POST.get("text", "")
    try:
        limits.ACTIONS.check(f"u:{me.pk}")
        correct_cue(readable_transcript(slug, me).room, pk, me, text)
    except Refused as refused:
        if refused.status == 404 or may_read(role):
            raise Http404 from refused
        if refused.status == 400:
            wrong = " ".join([refused.text, *refused.fields.values()])
            return render_replay(request, room, role, CueEdit(pk, text, wrong), status=400)
        messages.error(request, refused.text)
        return render_replay(request, room, role, status=refused.status)
    messages.success(request, _("Saved."))
    q = SEARCH.clean_leniently(request.POST.get("q", ""))
    query = {"q": q} if q else None
    return redirect(reverse("pages:replay", args=[slug], query=query, fragment=f"line-{pk}"))


@never_cache
@require_safe
def own_lines(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """Download the reader's own lines as a file."""
    if not request.user.is_authenticated or kind not in FORMATS:
        return sign_in_or_404(request)
    try:
        transcript = readable_transcript(slug, request.user, mine=True)
    except TranscriptRefused as refused:
        raise Http404 from refused
    render_text, content_type = FORMATS[kind]
    text = "".join(render_text(file_header(transcript), format_lines(transcript, request.user)))
    response = HttpResponse(text, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{slug}-{request.user.handle}.{kind}"'
    return response
