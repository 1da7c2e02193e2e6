"""Rooms in the admin: search, read seats, events and consents, end a room, set its entry policy, retry a recording.

History is read-only: seats, events, consents and recordings have no forms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core.admin.bases import ReadOnlyMixin
from core.admin.each import apply_to_each
from rooms import actions
from rooms.models import Consent, Recording, RecordingFile, Room, RoomEvent, Seat
from rooms.wording import ENTRY_WORDS


class SeatInline(ReadOnlyMixin, admin.TabularInline):  # type: ignore[type-arg]
    model = Seat
    fields = ("place", "role", "user", "muted", "taken_at", "left_at", "left_reason")
    ordering = ("taken_at",)
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Seat]:
        return super().get_queryset(request).select_related("user")


@admin.register(Room)
class RoomAdmin(ReadOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = (
        "shown",
        "host_handle",
        "status",
        "starts_at",
        "started_at",
        "ended_at",
        "end_reason",
        "language",
        "seat_count",
    )
    list_filter = ("status", "end_reason", "cancel_reason", "language", "speak_policy", "entry_policy", "is_demo")
    list_select_related = ("host",)
    search_fields = ("title", "topic", "slug", "host__handle", "host__display_name")
    date_hierarchy = "started_at"
    ordering = ("-started_at",)
    list_per_page = 50
    show_full_result_count = False
    inlines = (SeatInline,)
    actions = ("end_rooms", "cancel_rooms")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Room]:
        rooms: QuerySet[Room] = super().get_queryset(request)
        return rooms.annotate(seats_taken=Count("seats"))

    def has_end_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("rooms.change_room"))

    @admin.display(description=_("title"), ordering="title")
    def shown(self, room: Room) -> str:
        return room.shown_title

    @admin.display(description=_("host"), ordering="host__handle")
    def host_handle(self, room: Room) -> str:
        return f"@{room.host.handle}"

    @admin.display(description=_("seats taken"), ordering="seats_taken")
    def seat_count(self, room: Room) -> int:
        return int(room.seats_taken)  # type: ignore[attr-defined]

    @admin.action(description=_("End these rooms now"), permissions=["end"])
    def end_rooms(self, request: HttpRequest, queryset: QuerySet[Room]) -> None:
        """End each room by the action `end_room`; rooms that have ended are skipped."""
        ended = apply_to_each(request, queryset, lambda room, by: actions.end_room(room.pk, by, Room.EndReason.STAFF))
        if ended:
            done = ngettext("{number} room was ended.", "{number} rooms were ended.", ended)
            messages.success(request, done.format(number=ended))

    @admin.action(description=_("Cancel these prepared rooms"), permissions=["end"])
    def cancel_rooms(self, request: HttpRequest, queryset: QuerySet[Room]) -> None:
        """Cancel each prepared room by the action `cancel_room`; others are skipped."""
        staff = Room.CancelReason.STAFF
        if number := apply_to_each(request, queryset, lambda room, by: actions.cancel_room(room.pk, by, staff)):
            done = ngettext("{number} room was cancelled.", "{number} rooms were cancelled.", number)
            messages.success(request, done.format(number=number))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Add one action for each entry policy."""
        choices: dict[str, Any] = super().get_actions(request)
        if choices and self.has_end_permission(request):
            for policy, word in ENTRY_WORDS.items():
                name = f"entry_{policy.value}"
                label = format_lazy(_("Who may come in: {word}"), word=word)
                choices[name] = (_entry_action(policy.value), name, label)
        return choices


def _entry_action(policy: str) -> Callable[[RoomAdmin, HttpRequest, QuerySet[Room]], None]:
    """Make the admin action that sets one entry policy, by the same action that hosts use."""

    def set_policy(self: RoomAdmin, request: HttpRequest, queryset: QuerySet[Room]) -> None:
        done = apply_to_each(
            request, queryset, lambda room, by: actions.set_entry_policy(room.pk, by, policy, as_staff=True)
        )
        if done:
            text = ngettext("{number} room was changed.", "{number} rooms were changed.", done)
            messages.success(request, text.format(number=done))

    return set_policy


@admin.register(RoomEvent)
class RoomEventAdmin(ReadOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("room", "seq", "type", "at_ms", "data", "created_at")
    list_filter = ("type",)
    list_select_related = ("room",)
    search_fields = ("room__slug", "room__title")
    ordering = ("-id",)
    show_full_result_count = False


@admin.register(Consent)
class ConsentAdmin(ReadOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("user", "room", "text_version", "at")
    list_select_related = ("user", "room")
    search_fields = ("user__handle", "room__slug", "room__title")
    ordering = ("-at",)
    show_full_result_count = False


class RecordingFileInline(ReadOnlyMixin, admin.TabularInline):  # type: ignore[type-arg]
    model = RecordingFile
    fields = ("kind", "speaker", "start_ms", "duration_ms", "size", "sha256")
    readonly_fields = ("speaker",)
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[RecordingFile]:
        return super().get_queryset(request).select_related("seat__user")

    @admin.display(description=_("speaker"))
    def speaker(self, file: RecordingFile) -> str:
        return "" if file.seat is None else f"@{file.seat.user.handle}"


@admin.register(Recording)
class RecordingAdmin(ReadOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = (
        *("room", "host_handle", "state", "room_ended", "duration_ms"),
        *("attempts", "next_try_at", "error"),
    )
    fields = (
        *("room", "state", "finished_at", "duration_ms", "published_at"),
        *("attempts", "next_try_at", "error"),
    )
    readonly_fields = fields
    actions = ("retry",)
    list_filter = ("state",)
    list_select_related = ("room__host",)
    search_fields = ("room__title", "room__slug", "room__host__handle", "room__host__display_name")
    ordering = ("-id",)
    show_full_result_count = False
    inlines = (RecordingFileInline,)

    @admin.display(description=_("host"), ordering="room__host__handle")
    def host_handle(self, recording: Recording) -> str:
        return f"@{recording.room.host.handle}"

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("rooms.retry_recording"))

    @admin.action(description=_("Try again to finish these recordings"), permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Recording]) -> None:
        """Retry each recording by the action `retry_recording`; finished ones are skipped."""
        rooms = Room.objects.filter(recording__in=queryset)
        if number := apply_to_each(request, rooms, lambda room, by: actions.retry_recording(room.pk, by)):
            done = ngettext("{number} recording is tried again.", "{number} recordings are tried again.", number)
            messages.success(request, done.format(number=number))

    @admin.display(description=_("room ended"), ordering="room__ended_at")
    def room_ended(self, recording: Recording) -> Any:
        return recording.room.ended_at
