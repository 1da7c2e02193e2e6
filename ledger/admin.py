"""The ledger in the admin: read and search only."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from core.admin.bases import ReadOnlyAdmin
from ledger.models import Entry


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ("seq", "at", "kind", "subject", "actor")
    ordering = ("-seq",)
    search_fields = ("=subject", "=kind", "=seq")
    search_help_text = _("room:12, purged, or the number of an entry")
