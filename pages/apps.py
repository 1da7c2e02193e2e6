import gc

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PagesConfig(AppConfig):
    name = "pages"
    verbose_name = _("Pages")

    def ready(self) -> None:
        """Register hooks; then look for garbage again, as this is the last of the apps (`config.settings`), but not in
        what was loaded: it stays to the end, and workers share it with the processes that they fork."""
        import pages.registrations  # noqa: F401

        gc.freeze()
        gc.enable()
