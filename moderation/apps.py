from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ModerationConfig(AppConfig):
    name = "moderation"
    verbose_name = _("Trust and safety")

    def ready(self) -> None:
        from moderation.groups import grant_permissions
        from people.groups import group_made

        group_made.connect(grant_permissions)
