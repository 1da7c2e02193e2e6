"""Evidence of a case: its sound, waveform, lines, stage and pictures. Moderators who may see the case hear it, whatever
the room's entry policy or a restriction says; nothing is stored by browsers or caches.

Each view has two addresses: `of` a case, and of the review of its decision, where whoever may see the review finds the
same (an outside reviewer sees no case)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from moderation.actions.looks import look_once, note_sound
from moderation.console.case_acts import answer_refusal, number, typed_range
from moderation.console.case_page import seen_case, staff, title_of
from moderation.console.review_page import seen_review
from moderation.console.times import read_time
from moderation.models import Case, EvidenceLine, Look, Report
from moderation.models.cases import WITH_SOUND
from moderation.queries.access import visible_cases
from moderation.queries.looks import may_read_lines
from moderation.queries.reviews import visible_reviews
from moderation.refusals import ModerationRefused
from moderation.rules.evidence import within_room
from people.models import COLOURS, User
from rooms.models import Room
from rooms.queries.stage_at import stage_at
from rooms.recording.delivery.evidence import (
    evidence_manifest,
    evidence_playlist,
    peaks_for,
    serve_evidence,
    track_lanes,
)
from rooms.rules.refusals import RoomRefused
from transcripts.models import RangeState, RangeTranscript
from transcripts.queries import cues_between

CONTEXT_MS = 30_000  # of lines on both sides of a range
NO_STORE = "no-store, private"


def evidence_case(request: HttpRequest, pk: int, of: str) -> Case:
    """Get the case whose evidence the reader may see, by its own key or that of a review. Raises Http404."""
    return seen_case(request, pk) if of == "case" else seen_review(request, pk).decision.case


def address(of: str, name: str, pk: int, *more: object) -> str:
    return reverse(f"admin:moderation_{of}_{name}", args=[pk, *more])


def sound_room(case: Case) -> Room:
    """The room whose sound is evidence. Raises Http404."""
    if case.kind not in WITH_SOUND or case.room is None or case.room.purged_at is not None:
        raise Http404
    return case.room


@never_cache
@require_safe
def peaks(request: HttpRequest, pk: int, of: str = "case") -> HttpResponse:
    """The waveform, a lane for each voice, and what can be played."""
    room = sound_room(evidence_case(request, pk, of))
    try:
        manifest, drawn, lanes = evidence_manifest(room), peaks_for(room), track_lanes(room)
    except RoomRefused as refused:
        return JsonResponse({"error": refused.text}, status=refused.status)
    segments = [[segment.start_ms, segment.duration_ms] for segment in manifest.segments]
    data = {
        "kind": manifest.kind,
        "live": manifest.is_live,
        "duration_ms": manifest.duration_ms,
        "segments": segments,
        "complete_ms": drawn.get("complete_ms"),
        "peaks": {
            **{name: drawn[name] for name in ("bin_ms", "low", "high")},
            "lanes": [{"seat": lane.user_pk, "talks": lane.intervals} for lane in lanes],
        },
        "voices": [
            {
                "user": str(lane.user_pk),
                "name": lane.name,
                "seats": [lane.user_pk],
                "colour": COLOURS[place % len(COLOURS)],
            }
            for place, lane in enumerate(lanes)
        ],
    }
    return JsonResponse(data, headers={"Cache-Control": NO_STORE})


@never_cache
@require_safe
def sound(request: HttpRequest, pk: int, path: str, of: str = "case") -> HttpResponseBase:
    """Play a file of the evidence. What is sent is noted as played, before it is sent."""
    case = evidence_case(request, pk, of)
    room, reader = sound_room(case), staff(request)

    def still() -> bool:
        now = User.objects.get(pk=reader.pk)  # an object remembers its permissions
        now.step_check = reader.step_check
        seen = visible_cases(now).filter(pk=case.pk) if of == "case" else visible_reviews(now).filter(pk=pk)
        return seen.exists()

    def note(from_ms: int, to_ms: int) -> None:
        if within_room(from_ms, to_ms, room_ms=room.room_time(room.ended_at)):
            note_sound(case, reader, from_ms, to_ms)

    return serve_evidence(request, room, path, still, note)


@never_cache
@require_safe
def playlist(request: HttpRequest, pk: int, of: str = "case") -> HttpResponse:
    """The playlist of what was recorded so far of a live room, or of one that is not put together yet."""
    room = sound_room(evidence_case(request, pk, of))
    try:
        text = evidence_playlist(room, lambda path: address(of, "sound", pk, path))
    except RoomRefused as refused:
        return HttpResponse(refused.text, status=refused.status, content_type="text/plain; charset=utf-8")
    return HttpResponse(text, content_type="application/vnd.apple.mpegurl", headers={"Cache-Control": NO_STORE})


@never_cache
@require_safe
def stage(request: HttpRequest, pk: int, of: str = "case") -> HttpResponse:
    """The people on stage at a moment, `at` in ms of room time."""
    room = sound_room(evidence_case(request, pk, of))
    at = number(request.GET.get("at", ""))
    people = [{"name": seat.name, "role": seat.role, "muted": seat.muted} for seat in stage_at(room, at)]
    return JsonResponse({"at": at, "people": people}, headers={"Cache-Control": NO_STORE})


@never_cache
@require_POST
def look(request: HttpRequest, pk: int, of: str = "case") -> HttpResponse:
    """Note that the lines of a range are opened; they are shown then."""
    case, reader = evidence_case(request, pk, of), staff(request)
    what = request.POST.get("what", "")
    try:
        start, end = typed_range(request)
        if what != Look.What.LINES:
            raise ModerationRefused("bad_value", {"what": Look.What.LINES.value})
        look_once(case, reader, what, *_around(case, start, end))
    except ModerationRefused as refused:
        answer_refusal(request, refused)
        return redirect(address(of, "change", pk))
    times = {"from": f"{start / 1000:.3f}", "to": f"{end / 1000:.3f}"}
    return redirect(f"{address(of, 'lines', pk)}?{urlencode(times)}")


@never_cache
@require_safe
def lines(request: HttpRequest, pk: int, of: str = "case") -> HttpResponse:
    """The lines of a range that the reader opened, with some on both sides, and the stage at its beginning."""
    case, reader = evidence_case(request, pk, of), staff(request)
    room = sound_room(case)
    start, end = (read_time(request.GET.get(name, "")) for name in ("from", "to"))
    if start is None or end is None or start >= end:
        raise Http404
    wide = _around(case, start, end)
    if not may_read_lines(case, reader, *wide):
        return redirect(address(of, "change", pk))
    quoted = dict(EvidenceLine.objects.filter(case=case).values_list("cue", "pk"))
    colours = {lane.user_pk: COLOURS[n % len(COLOURS)] for n, lane in enumerate(track_lanes(room))}
    rows: list[dict[str, Any]] = [
        {
            "line": line,
            "quoted": quoted.get(line.reference),
            "inside": line.end_ms > start and line.start_ms < end,
            "colour": colours.get(line.speaker_pk, COLOURS[0]),
        }
        for line in cues_between(room, *wide)
    ]
    covering = RangeTranscript.objects.filter(room=room, from_ms__lte=start, to_ms__gte=min(end, wide[1]))
    asked = covering.order_by("-pk").first()
    context = {
        **admin.site.each_context(request),
        "title": _("What was said"),
        "case": case,
        "case_title": title_of(case),
        "room": room,
        "rows": rows,
        "from_ms": start,
        "to_ms": end,
        "asked": asked,
        "is_writing": asked is not None and asked.state in (RangeState.WAITING, RangeState.RUNNING),
        "stage": stage_at(room, start),
        "mine": case.holder(timezone.now()) == reader.pk and case.state == Case.State.OPEN,
        "base": address(of, "change", pk),
        "number": pk,
        "list_url": reverse(f"admin:moderation_{of}_changelist"),
        "list_title": _("Cases") if of == "case" else _("Appeals"),
    }
    return render(request, "admin/moderation/lines.html", context)


@never_cache
@require_safe
def picture(request: HttpRequest, pk: int, report: int, of: str = "case") -> HttpResponse:
    """A reported picture as it stood, for whoever opened it."""
    case, reader = evidence_case(request, pk, of), staff(request)
    if not Look.objects.filter(case=case, user=reader, what=Look.What.SHOWN).exists():
        raise Http404
    stored = Report.objects.filter(case=case, pk=report).values_list("picture", flat=True).first()
    if stored is None:
        raise Http404
    return HttpResponse(bytes(stored), content_type="image/webp", headers={"Cache-Control": NO_STORE})


def _around(case: Case, start: int, end: int) -> tuple[int, int]:
    """A range with its context, within the room. Raises bad_value, no_sound."""
    if case.kind not in WITH_SOUND or case.room is None:
        raise ModerationRefused("no_sound")
    wide = within_room(start - CONTEXT_MS, end + CONTEXT_MS, room_ms=case.room.room_time(case.room.ended_at))
    if wide is None:
        raise ModerationRefused("bad_value")
    return wide
