"""`manage.py voices`: run the demo's two speakers whenever the demo's room is live."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from rooms.guests.voices import VoicesMissing, talk_forever


class Command(BaseCommand):
    help = "Talks in the demo's room, as its two speakers, whenever it is live."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        try:
            asyncio.run(_talk())
        except VoicesMissing as error:
            raise CommandError(str(error)) from error


async def _talk() -> None:
    talking = asyncio.ensure_future(talk_forever())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, talking.cancel)
    await asyncio.wait([talking])
    if not talking.cancelled():
        talking.result()
