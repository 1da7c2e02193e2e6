"""Reviews of decisions in the admin, with pages of their own (`moderation/console/review_*.py`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from core.admin.bases import ReadOnlyAdmin
from moderation.console import review_acts, review_assign, review_decide, review_page, review_queue
from moderation.console.case_urls import evidence_urls
from moderation.models import Review
from moderation.queries.reviews import visible_reviews
from people.models import User


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    """Django's addresses of reviews: the list is the queue of appeals. A review is seen by its own page alone, which
    asks `visible_reviews`."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        return visible_reviews(cast(User, request.user))

    def get_urls(self) -> list[URLPattern]:
        """The list, and the addresses of a review in place of Django's page, history and delete form of a row."""
        listed = [url for url in super().get_urls() if url.name == "moderation_review_changelist"]
        return [*listed, *review_urls(self.admin_site.admin_view), *evidence_urls(self.admin_site.admin_view, "review")]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return review_queue.queue_page(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return any(request.user.has_perm(name) for name in review_queue.READ)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)


def review_urls(wrap: Callable[..., Any]) -> list[URLPattern]:
    """The addresses of reviews; `wrap` is the admin's `admin_view`."""
    views: list[tuple[str, Callable[..., Any], str]] = [
        ("queue/parts/", review_queue.queue_parts, "parts"),
        ("queue/next/", review_queue.next_review, "next"),
        ("<int:pk>/", review_page.review_page, "change"),
        ("<int:pk>/claim/", review_acts.claim, "claim"),
        ("<int:pk>/show/", review_acts.show, "show"),
        ("<int:pk>/transcribe/", review_acts.transcribe, "transcribe"),
        ("<int:pk>/decide/", review_decide.decide, "decide"),
        ("<int:pk>/reviewer/", review_assign.reviewer_page, "reviewer"),
    ]
    return [path(tail, wrap(view), name=f"moderation_review_{name}") for tail, view, name in views]
