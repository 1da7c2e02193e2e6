"""Second steps of signing in: staff can take one away from who lost the device, and see no secret."""

from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ledger.admin import UnwrittenAdmin
from people.demo import DEMO_ONLY

# allauth's own page shows the secrets out of which codes are made.
admin.site.unregister(Authenticator)


@admin.register(Authenticator)
class SecondStepAdmin(UnwrittenAdmin):
    list_display = ("user", "type", "created_at", "last_used_at", "demo_only")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__handle", "user__display_name")
    fields = ("user", "type", "created_at", "last_used_at", "demo_only")
    readonly_fields = ("demo_only",)

    @admin.display(boolean=True, description=_("for the demo alone"))
    def demo_only(self, step: Authenticator) -> bool:
        return bool(step.data.get(DEMO_ONLY))
