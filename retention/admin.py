"""Receipts of purges in the admin, read-only and searchable, without those of rooms in which the reader took part."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.admin.bases import ReadOnlyAdmin
from retention.models import PurgeReceipt
from retention.state import visible_receipts


@admin.register(PurgeReceipt)
class PurgeReceiptAdmin(ReadOnlyAdmin):
    list_display = ("slug", "rule", "ended_at", "due_at", "finished_at", "file_count", "total_bytes")
    list_filter = ("rule", ("finished_at", admin.EmptyFieldListFilter))
    ordering = ("-pk",)
    search_fields = ("=slug", "=room", "digest__startswith")
    search_help_text = _("the address or number of a room, or the beginning of the checksum of a receipt")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PurgeReceipt]:
        """Select what the reader may read, for list, search and page."""
        return visible_receipts(request.user.pk or 0, super().get_queryset(request))
