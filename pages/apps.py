import gc

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PagesConfig(AppConfig):
    name = "pages"
    verbose_name = _("Pages")

    def ready(self) -> None:
        """Register hooks. All apps are loaded now: garbage is collected from here on, and what was loaded is none."""
        import pages.registrations  # noqa: F401

        gc.freeze()
        gc.enable()
