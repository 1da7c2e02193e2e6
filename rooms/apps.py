from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RoomsConfig(AppConfig):
    name = "rooms"
    verbose_name = _("Rooms")

    def ready(self) -> None:
        """Tell the app below what it cannot import: how rooms refuse, and where a person is live."""
        import rooms.erasing  # noqa: F401  (registers itself)
        from people import live
        from people.api import errors
        from rooms.live import live_link
        from rooms.refusals import RoomRefused

        errors.register(RoomRefused)
        live.register(live_link)
