"""Transcripts in the admin, read-only: find lines and see what is stuck. Only hosts and co-hosts correct lines."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core.admin.bases import ReadOnlyAdmin
from core.admin.each import apply_to_each
from transcripts.actions import retry_transcript
from transcripts.models import Cue, TrackPlan, Transcript, TranscriptionWindow, WorkItem


@admin.register(Transcript)
class TranscriptAdmin(ReadOnlyAdmin):
    list_display = ("room", "host", "state", "percent", "failed_windows", "language", "model", "finished_at", "trouble")
    list_filter = ("state", "language", "model")
    list_select_related = ("room__host",)
    search_fields = ("room__title", "room__slug", "room__host__handle")
    ordering = ("-created_at",)
    actions = ("retry",)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("transcripts.retry_transcript"))

    @admin.action(description=_("Try again what could not be transcribed"), permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Transcript]) -> None:
        """Retry each selected transcript with the action that hosts use; refusals are shown as messages."""
        done = apply_to_each(request, queryset, lambda row, by: retry_transcript(row.room, by, as_staff=True))
        if done:
            text = ngettext("{number} transcript is tried again.", "{number} transcripts are tried again.", done)
            messages.success(request, text.format(number=done))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transcript]:
        failed = Count("plans__windows", filter=Q(plans__windows__state=WorkItem.State.FAILED))
        transcripts: QuerySet[Transcript] = super().get_queryset(request)
        return transcripts.annotate(failed_windows=failed)

    @admin.display(description=_("host"), ordering="room__host__handle")
    def host(self, transcript: Transcript) -> str:
        return transcript.room.host.handle

    @admin.display(description=_("done"))
    def percent(self, transcript: Transcript) -> str:
        if not transcript.speech_ms:
            return "—"
        return f"{100 * transcript.done_ms // transcript.speech_ms} %"

    @admin.display(description=_("gaps"), ordering="failed_windows")
    def failed_windows(self, transcript: Any) -> int:
        return int(transcript.failed_windows)


class WorkItemAdmin(ReadOnlyAdmin):
    """Base of the admin pages of work items: waiting, running, done and failed ones."""

    list_filter = ("state",)
    ordering = ("-pk",)


@admin.register(TrackPlan)
class TrackPlanAdmin(WorkItemAdmin):
    list_display = ("transcript", "file", "state", "attempts", "next_at", "worker", "error")
    list_select_related = ("transcript__room", "file")
    search_fields = ("transcript__room__title", "transcript__room__slug", "error")
    raw_id_fields = ("transcript", "file")


@admin.register(TranscriptionWindow)
class TranscriptionWindowAdmin(WorkItemAdmin):
    list_display = (
        "room",
        "file",
        "position",
        "speech_ms",
        "spent_ms",
        "state",
        "attempts",
        "next_at",
        "worker",
        "error",
    )
    list_select_related = ("plan__transcript__room", "plan__file")
    search_fields = ("plan__transcript__room__title", "plan__transcript__room__slug", "error")
    raw_id_fields = ("plan",)

    @admin.display(description=_("room"))
    def room(self, window: TranscriptionWindow) -> str:
        return str(window.plan.transcript)

    @admin.display(description=_("file"))
    def file(self, window: TranscriptionWindow) -> str:
        return window.plan.file.path


@admin.register(Cue)
class CueAdmin(ReadOnlyAdmin):
    list_display = ("room", "speaker", "start_ms", "kind", "shown_text", "confidence", "corrected_at")
    list_filter = ("kind", "language", "model", ("corrected_at", admin.EmptyFieldListFilter))
    list_select_related = ("transcript__room", "seat__user")
    search_fields = ("text", "corrected_text", "transcript__room__title", "seat__user__handle")
    ordering = ("-pk",)
    raw_id_fields = ("transcript", "window", "seat", "corrected_by")
    exclude = ("search",)

    @admin.display(description=_("room"))
    def room(self, cue: Cue) -> str:
        return str(cue.transcript)

    @admin.display(description=_("speaker"), ordering="seat__user__handle")
    def speaker(self, cue: Cue) -> str:
        return cue.seat.user.handle

    @admin.display(description=_("text"))
    def shown_text(self, cue: Cue) -> str:
        return cue.shown_text
