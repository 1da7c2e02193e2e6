"""Reports of direct messages, to read. Threads and messages themselves are in no admin: moderators see the copies that
a report holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from core.admin.bases import ReadOnlyAdmin, ReadOnlyMixin
from moderation.models import MessageReport, ReportedMessage

if TYPE_CHECKING:
    TabularInline = admin.TabularInline[Any, Any]
else:
    TabularInline = admin.TabularInline


class ReportedMessageInline(ReadOnlyMixin, TabularInline):
    model = ReportedMessage
    fields = ("place", "reported", "sender", "kind", "line", "sent_at")
    ordering = ("place",)


@admin.register(MessageReport)
class MessageReportAdmin(ReadOnlyAdmin):
    list_display = ("receipt", "category", "subject", "at")
    list_select_related = ("subject",)
    list_filter = ("category",)
    ordering = ("-at", "-pk")
    search_fields = ("=receipt", "subject__handle")
    fields = ("receipt", "category", "words", "subject", "reporter", "at")
    inlines = (ReportedMessageInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[MessageReport]:
        """Leave out reports of which this member of staff is a party: they must not even learn of them."""
        rows: QuerySet[MessageReport] = super().get_queryset(request)
        return rows.exclude(Q(reporter=request.user.pk) | Q(subject=request.user.pk))
