"""`manage.py listen ROOM --out FILE`: records what a WebRTC or an HLS listener hears, by the public door."""

from __future__ import annotations

import asyncio
import os
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from websockets.exceptions import WebSocketException

from people import demo
from rooms.guests import peers
from rooms.guests.hls_listener import Decoder, HlsListener
from rooms.guests.near_listener import NearListener
from rooms.guests.visitor import Browser, Refused


class Command(BaseCommand):
    help = "Records what a listener of a live room hears, until the time is up or the room is over."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("room", help="the room's address: the last part of /r/…/")
        parser.add_argument("--out", type=Path, required=True, help="the WAV file to write")
        parser.add_argument("--path", choices=("webrtc", "hls"), default="webrtc", help="which way the sound comes")
        parser.add_argument("--seconds", type=float, default=10, help="how long")
        parser.add_argument("--as", dest="handle", default="", help="an account (default: anonymous)")
        parser.add_argument("--password", default=os.environ.get("STAMTAFEL_PASSWORD", ""), help="default: the demo's")
        parser.add_argument("--site", default=settings.SITE_URL, help="where the site is")

    def handle(self, *args: Any, **options: Any) -> None:
        """Listen, write the file as the sound comes in, say how much was heard."""
        try:
            seconds = asyncio.run(_listen(options))
        except Refused as refused:
            raise CommandError(f"the room refused: {refused.code}") from refused
        except (OSError, TimeoutError, WebSocketException) as error:
            raise CommandError(f"{options['site']}: {error or 'no answer'}") from error
        self.stdout.write(f"{seconds:.1f} s in {options['out']}")


async def _listen(options: dict[str, Any]) -> float:
    browser = Browser(options["site"])
    if options["handle"]:
        await asyncio.to_thread(browser.sign_in, options["handle"], options["password"] or demo.password())
    else:
        await asyncio.to_thread(browser.fetch, f"/r/{options['room']}/")
    file = peers.WaveFile(options["out"])
    try:
        if options["path"] == "hls":
            decoder = Decoder()
            far = HlsListener(browser, options["room"], lambda piece: file.add(decoder.add(piece)))
            await far.run(options["seconds"])
        else:
            await _listen_near(browser, options["room"], options["seconds"], file)
    finally:
        file.close()
    if not file.count:
        raise TimeoutError("nothing was heard")
    return file.seconds


async def _listen_near(browser: Browser, slug: str, seconds: float, file: peers.WaveFile) -> None:
    near = NearListener(browser, slug)
    listening = asyncio.create_task(near.run())
    first = asyncio.create_task(near.ears.first.wait())
    await asyncio.wait((listening, first), timeout=10, return_when="FIRST_COMPLETED")
    if near.sent_away:
        raise Refused("no_near_place")
    if not first.done():
        raise TimeoutError("no sound came within 10 s")
    end, written = time.monotonic() + seconds, 0
    while not listening.done() and (left := end - time.monotonic()) > 0:
        await asyncio.wait((listening,), timeout=min(1.0, left))
        written = _write_on(file, near.ears, written)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    _write_on(file, near.ears, written)


def _write_on(file: peers.WaveFile, ears: peers.Ears, written: int) -> int:
    """Write what came in since; returns how many parts are written."""
    parts = ears.parts[written:]
    for part in parts:
        file.add(part)
    return written + len(parts)
