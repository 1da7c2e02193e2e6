"""`manage.py voices`: the demo's two voices, wherever the demo's room is live."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from rooms.guests.voices import NoVoices, talk_forever


class Command(BaseCommand):
    help = "Talks in the demo's room, as its two speakers, whenever it is live."

    def handle(self, *args: Any, **options: Any) -> None:
        """Until stopped."""
        try:
            asyncio.run(_talk())
        except NoVoices as error:
            raise CommandError(str(error)) from error


async def _talk() -> None:
    talking = asyncio.ensure_future(talk_forever())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, talking.cancel)
    await asyncio.wait([talking])
    if not talking.cancelled():
        talking.result()
