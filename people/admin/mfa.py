"""Second steps in the admin: staff can remove one whose device was lost, and see no secret."""

import allauth.mfa.admin  # noqa: F401  (registers the page that is taken away below)
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.admin.bases import NoFormAdmin
from people.actions.credentials import end_credentials
from people.admin.standing import may_act_on
from people.demo import DEMO_ONLY
from people.models import User

# allauth's own page shows the secrets from which codes are computed.
admin.site.unregister(Authenticator)


@admin.register(Authenticator)
class SecondStepAdmin(NoFormAdmin):
    list_display = ("user", "type", "created_at", "last_used_at", "demo_only")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__handle", "user__display_name")
    fields = ("user", "type", "created_at", "last_used_at", "demo_only")
    readonly_fields = ("demo_only",)

    @admin.display(boolean=True, description=_("for the demo alone"))
    def demo_only(self, step: Authenticator) -> bool:
        return bool(step.data.get(DEMO_ONLY))

    def has_delete_permission(self, request: HttpRequest, obj: Authenticator | None = None) -> bool:
        """Only superusers remove second steps of staff: the password of one of the staff alone must open nothing."""
        by = request.user
        if obj is not None and not (isinstance(by, User) and may_act_on(by, obj.user)):
            return False
        return super().has_delete_permission(request, obj)

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        """Delete it and end sessions too: a lost device may be signed in."""
        super().delete_model(request, obj)
        end_credentials(obj.user, "factor_ended", tokens=False)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Authenticator]) -> None:
        rows = [row for row in queryset.select_related("user") if self.has_delete_permission(request, row)]
        for row in rows:
            self.delete_model(request, row)
