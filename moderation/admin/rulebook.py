"""Rules and categories in the admin, with pages of their own (`moderation/console/rules.py`)."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from core.admin.bases import ReadOnlyAdmin
from moderation.console import rules
from moderation.models import Category, Rule


class RulebookAdmin(ReadOnlyAdmin):
    """Django's addresses of a model, which lead to the pages of the rulebook."""

    kind = ""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(request.user.has_perm(permission) for permission in rules.READ)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(partial(rules.act_on_entry, kind=self.kind))
        return [path("<slug:key>/act/", act, name=f"moderation_{self.kind}_act"), *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return rules.new_entry_page(request, self.kind)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return rules.entry_page(request, self.kind, object_id)


@admin.register(Rule)
class RuleAdmin(RulebookAdmin):
    kind = "rule"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return rules.rules_page(request)


@admin.register(Category)
class CategoryAdmin(RulebookAdmin):
    kind = "category"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("admin:moderation_rule_changelist")
