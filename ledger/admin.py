"""The ledger in the admin: to read and to search, nothing else."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ledger.models import Entry

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class UnwrittenAdmin(ModelAdmin):
    """Rows that actions write: the admin has no form for them, and may at most delete one."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(UnwrittenAdmin):
    """A list and a page to read. Nobody adds, changes or deletes here, a superuser neither."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ("seq", "at", "kind", "subject", "actor")
    ordering = ("-seq",)
    search_fields = ("=subject", "=kind", "=seq")
    search_help_text = _("room:12, purged, or the number of an entry")
