"""Reports of direct messages, to read. Threads and messages themselves are in no admin: moderators see the copies that
a report holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from core.admin.bases import ReadOnlyAdmin, ReadOnlyMixin
from moderation.actions.messages import note_reading
from moderation.models import MessageReport, ReportedMessage
from people.models import User
from social.threads import kept_text

if TYPE_CHECKING:
    TabularInline = admin.TabularInline[Any, Any]
else:
    TabularInline = admin.TabularInline


class ReportedMessageInline(ReadOnlyMixin, TabularInline):
    model = ReportedMessage
    fields = ("place", "reported", "sender", "kind", "words", "sent_at")
    readonly_fields = ("words",)
    ordering = ("place",)

    @admin.display(description=_("text"))
    def words(self, copy: ReportedMessage) -> str:
        """The text that was typed, or the card in the reader's language."""
        in_own_language = kept_text(copy.kind, copy.data) if copy.data else None
        return in_own_language or copy.line


@admin.register(MessageReport)
class MessageReportAdmin(ReadOnlyAdmin):
    list_display = ("receipt", "category", "subject", "at")
    list_select_related = ("subject",)
    list_filter = ("category",)
    ordering = ("-at", "-pk")
    search_fields = ("=receipt", "subject__handle")
    fields = ("receipt", "category", "words", "subject", "reporter", "at")
    inlines = (ReportedMessageInline,)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show a report with its copies; the ledger has the reader before the page is written."""
        answer: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        if isinstance(answer, TemplateResponse):  # else it leads elsewhere, because there is none for this reader
            note_reading((answer.context_data or {})["original"], cast(User, request.user))
        return answer

    def get_queryset(self, request: HttpRequest) -> QuerySet[MessageReport]:
        """Leave out reports of which this member of staff is a party: they must not even learn of them."""
        rows: QuerySet[MessageReport] = super().get_queryset(request)
        return rows.exclude(Q(reporter=request.user.pk) | Q(subject=request.user.pk))
