"""Receipts of purges in the admin, read-only and searchable."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from core.admin.bases import ReadOnlyAdmin
from retention.models import PurgeReceipt


@admin.register(PurgeReceipt)
class PurgeReceiptAdmin(ReadOnlyAdmin):
    list_display = ("slug", "rule", "ended_at", "due_at", "finished_at", "file_count", "total_bytes")
    list_filter = ("rule", ("finished_at", admin.EmptyFieldListFilter))
    ordering = ("-pk",)
    search_fields = ("=slug", "=room", "digest__startswith")
    search_help_text = _("the address or number of a room, or the beginning of the checksum of a receipt")
