from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ModerationConfig(AppConfig):
    name = "moderation"
    verbose_name = _("Trust and safety")

    def ready(self) -> None:
        import moderation.registrations  # noqa: F401
        from moderation.groups import grant_new_permissions, grant_permissions
        from moderation.rulebook import ensure_rulebook
        from people.groups import group_made

        group_made.connect(grant_permissions)
        post_migrate.connect(grant_new_permissions, sender=self)
        post_migrate.connect(ensure_rulebook, sender=self)
