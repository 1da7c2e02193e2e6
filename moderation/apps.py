from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ModerationConfig(AppConfig):
    name = "moderation"
    verbose_name = _("Trust and safety")

    def ready(self) -> None:
        from moderation.groups import fill_group
        from people.groups import group_made

        group_made.connect(fill_group)
