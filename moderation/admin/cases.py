"""Cases in the admin, with pages of their own (`moderation/console/`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from core.admin.bases import ReadOnlyAdmin
from moderation.console import live_rooms, queue
from moderation.console.case_urls import case_urls
from moderation.models import Case
from moderation.queries.access import visible_cases
from people.models import User


@admin.register(Case)
class CaseAdmin(ReadOnlyAdmin):
    """Django's addresses of cases: the list is the queue. A case is seen by its own page alone, which asks
    `visible_cases`."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        return visible_cases(cast(User, request.user))

    def get_urls(self) -> list[URLPattern]:
        """The list, and the addresses of a case in place of Django's page, history and delete form of a row."""
        listed = [url for url in super().get_urls() if url.name == "moderation_case_changelist"]
        wrap = self.admin_site.admin_view
        return [*listed, *queue_urls(wrap), *live_urls(wrap), *case_urls(wrap)]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return queue.queue_page(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("moderation.view_case"))


def queue_urls(wrap: Callable[..., Any]) -> list[URLPattern]:
    """The addresses of the queue beside its page; `wrap` is the admin's `admin_view`."""
    return [
        path("queue/parts/", wrap(queue.queue_parts), name="moderation_case_parts"),
        path("queue/next/", wrap(queue.next_case), name="moderation_case_next"),
        path("queue/end-room/<slug:slug>/", wrap(queue.end_room), name="moderation_case_end_room"),
    ]


def live_urls(wrap: Callable[..., Any]) -> list[URLPattern]:
    """The addresses of live rooms along which staff read."""
    return [
        path("live/", wrap(live_rooms.live_page), name="moderation_live"),
        path("live/parts/", wrap(live_rooms.live_parts), name="moderation_live_parts"),
        path("live/open/", wrap(live_rooms.open_all), name="moderation_live_open"),
        path("live/close/", wrap(live_rooms.close_all), name="moderation_live_close"),
        path("live/word/<int:pk>/case/", wrap(live_rooms.open_case), name="moderation_hit_case"),
        path("live/word/<int:pk>/dismiss/", wrap(live_rooms.dismiss_hit), name="moderation_hit_dismiss"),
    ]
