from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RoomsConfig(AppConfig):
    name = "rooms"
    verbose_name = _("Rooms")

    def ready(self) -> None:
        """Tell the app below what it cannot import: where a person is live."""
        import rooms.guests.demo
        import rooms.registrations  # noqa: F401  (both register themselves)
        from people import hooks, signals
        from rooms.actions.standing import on_account_changed
        from rooms.hooks import recording_ready
        from rooms.queries.live_now import live_link

        hooks.register(live_link)
        signals.standing_changed.connect(on_account_changed, dispatch_uid="rooms.standing")
        recording_ready.connect(_draw, dispatch_uid="rooms.recording.peaks")


def _draw(recording: Any, **_more: Any) -> None:
    """A recording's files are there: draw its waveform. Without the queue, beat's sweep asks for it."""
    from django.db import transaction

    from rooms.recording.tasks import prepare_recording

    transaction.on_commit(lambda: prepare_recording.delay(recording.pk), robust=True)
