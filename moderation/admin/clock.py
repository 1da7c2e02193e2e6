"""Retention clocks in the admin, read-only and searchable."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.bases import ReadOnlyAdmin
from moderation.models import RoomClock
from retention.clocks import clocks


class ClockList(ChangeList):
    """Change list that computes the clocks of all rooms of a page at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        now = timezone.now()
        clock_by_room = clocks({room.pk: room.ended_at for room in self.result_list}, now)
        for room in self.result_list:
            room.clock = clock_by_room[room.pk]


@admin.register(RoomClock)
class RoomClockAdmin(ReadOnlyAdmin):
    list_display = ("slug", "title", "host", "ended_at", "purge_at", "reason", "held_by", "is_due")
    list_select_related = ("host",)
    ordering = ("ended_at", "pk")
    search_fields = ("=slug", "title", "host__handle")
    fields = ("slug", "title", "host", "started_at", "ended_at", "purge_at", "reason", "held_by", "is_due")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RoomClock]:
        """Select ended rooms that still have a copy."""
        rows: QuerySet[RoomClock] = super().get_queryset(request)
        return rows.filter(status=RoomClock.Status.ENDED, purged_at=None)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ClockList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        room = super().get_object(request, object_id, from_field)
        if room is not None:
            room.clock = clocks({room.pk: room.ended_at}, timezone.now())[room.pk]
        return room

    @admin.display(description=_("purged on"))
    def purge_at(self, room: Any) -> datetime | str:
        at: datetime | None = room.clock.purge_at
        return at or gettext("not known yet")

    @admin.display(description=_("why then"))
    def reason(self, room: Any) -> str:
        return str(room.clock.reason)

    @admin.display(description=_("held by"))
    def held_by(self, room: Any) -> str:
        return ", ".join(f"{hold.kind} {hold.ref}" for hold in room.clock.held_by)

    @admin.display(description=_("due"), boolean=True)
    def is_due(self, room: Any) -> bool:
        return bool(room.clock.due)
