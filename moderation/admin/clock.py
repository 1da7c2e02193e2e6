"""Retention clocks in the admin, with pages of their own (`moderation/console/clocks.py`)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from core.admin.bases import ReadOnlyAdmin
from moderation.console import clocks, initiative
from moderation.models import RoomClock


@admin.register(RoomClock)
class RoomClockAdmin(ReadOnlyAdmin):
    """Django's addresses of the proxy model, which lead to the pages of clocks."""

    def get_urls(self) -> list[URLPattern]:
        lift = self.admin_site.admin_view(clocks.lift_hold)
        open_case = self.admin_site.admin_view(initiative.initiative_page)
        return [
            path("open-case/", open_case, name="moderation_initiative"),
            path("<str:pk>/holds/<int:hold>/lift/", lift, name="moderation_hold_lift"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return clocks.clocks_page(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return clocks.clock_page(request, object_id)
