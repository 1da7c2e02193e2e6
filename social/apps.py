from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SocialConfig(AppConfig):
    name = "social"
    verbose_name = _("Follows")

    def ready(self) -> None:
        import social.registrations  # noqa: F401
