"""Base classes of admin pages for rows that only actions write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class NoFormMixin:
    """Admins and inlines without add and change forms, for rows that actions write; rows may at most be deleted."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyMixin(NoFormMixin):
    """Admins and inlines of records that nobody adds, changes or deletes, not even a superuser."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class NoFormAdmin(NoFormMixin, ModelAdmin):
    """A list and a page to read, where rows may at most be deleted."""

    list_per_page = 50
    show_full_result_count = False


class ReadOnlyAdmin(ReadOnlyMixin, NoFormAdmin):
    """A list and a page to read, and nothing else."""
