"""`manage.py talk ROOM --as HANDLE --file CLIP`: a speaker without a browser, by the public door."""

from __future__ import annotations

import asyncio
import os
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from people import demo
from rooms.guests import peers
from rooms.guests.talker import Talker
from rooms.guests.visitor import Browser, Refused


class Command(BaseCommand):
    help = "Takes a seat in a live room as a real WebRTC speaker and plays a sound file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("room", help="the room's address: the last part of /r/…/")
        parser.add_argument("--as", dest="handle", required=True, help="the account that speaks")
        parser.add_argument("--file", type=Path, required=True, help="a sound file of any kind ffmpeg reads")
        parser.add_argument("--password", default=os.environ.get("STAMTAFEL_PASSWORD", ""), help="default: the demo's")
        parser.add_argument("--site", default=settings.SITE_URL, help="where the site is")
        parser.add_argument("--loop", action="store_true", help="over and over")
        parser.add_argument("--minutes", type=float, default=0, help="stop after so long (default: after the clip)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Talk until the clip, the time or the room is over."""
        if not options["file"].is_file():
            raise CommandError(f"there is no file {options['file']}")
        try:
            asyncio.run(_talk(options))
        except Refused as refused:
            raise CommandError(f"the room refused: {refused.code}") from refused
        except (OSError, TimeoutError) as error:
            raise CommandError(f"{options['site']} cannot be reached: {error}") from error
        except KeyboardInterrupt:
            self.stdout.write("stopped")


async def _talk(options: dict[str, Any]) -> None:
    browser = Browser(options["site"])
    await asyncio.to_thread(browser.sign_in, options["handle"], options["password"] or demo.password())
    clip = peers.Clip(peers.read_clip(options["file"]), loop=options["loop"], pause=1.0)
    talker = Talker(browser, options["room"], clip)
    ends = time.monotonic() + options["minutes"] * 60 if options["minutes"] else None
    await talker.run(until=ends, once=not options["loop"])
