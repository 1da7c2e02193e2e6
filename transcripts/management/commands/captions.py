"""`manage.py captions`: write live captions of rooms, until it is stopped. Several may run: they share the rooms."""

from __future__ import annotations

import signal
from typing import Any

from django.core.management.base import BaseCommand

from transcripts.captions.priority import give_way


class Command(BaseCommand):
    help = "Writes live captions of rooms with transcription, until it is stopped. Runs where Janus writes its tracks."
    requires_system_checks: list[str] = []  # a restarted process begins seconds earlier

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        share = give_way()  # before seconds of imports
        from transcripts.captions.process import Captioner  # imports what only this process needs

        asked: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, _frame: asked.append(received))
        Captioner(lambda: bool(asked), share=share).run()
