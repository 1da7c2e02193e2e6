"""The list of words in the admin, with pages of its own (`moderation/console/listed_words.py`)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from core.admin.bases import ReadOnlyAdmin
from moderation.console import listed_words
from moderation.models import ListedWord


@admin.register(ListedWord)
class ListedWordAdmin(ReadOnlyAdmin):
    """Django's addresses of the model, which lead to the pages of the list."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(request.user.has_perm(permission) for permission in listed_words.READ)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return listed_words.words_page(request)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return listed_words.new_word_page(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return listed_words.word_page(request, object_id)
