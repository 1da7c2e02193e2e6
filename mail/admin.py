"""The outbox in the admin: mails that wait or were given up, and an action to try those again."""

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core.admin.bases import ReadOnlyAdmin
from mail.addresses import SEES_ADDRESSES
from mail.models import Mail
from mail.outbox import retry_failed


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    """Mails for staff who may see addresses. Sources are never shown: they hold links that change passwords."""

    list_display = ("subject", "to", "state", "attempts", "made_at", "sent_at", "error")
    list_filter = ("state",)
    search_fields = ("to", "subject")
    exclude = ("source",)
    ordering = ("-made_at",)
    actions = ("send_again",)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_view_permission(request, obj) and request.user.has_perm(SEES_ADDRESSES)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("mail.change_mail")

    @admin.action(description=_("Try again to send what was given up"), permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Mail]) -> None:
        number = retry_failed(queryset)
        text = ngettext("%d mail will be tried again.", "%d mails will be tried again.", number) % number
        self.message_user(request, text, messages.SUCCESS)
