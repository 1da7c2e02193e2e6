from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class PeopleConfig(AppConfig):
    name = "people"
    verbose_name = _("People")

    def ready(self) -> None:
        import people.registrations  # noqa: F401
        from people import receivers
        from people.groups import ensure_groups

        post_migrate.connect(ensure_groups, sender=self)
        receivers.connect()
