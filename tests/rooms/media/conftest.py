"""Sound for tests: the site's real processes, guests who bring real WebRTC, and ears that compare what they heard."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from aiortc import RTCPeerConnection
from django.db import connection

from rooms.guests import peers
from rooms.guests.visitor import Browser, Refused, Visitor, listen
from rooms.models import Room
from tests.processes import Site
from tests.rooms import people

PASSWORD = "a long enough password"


@pytest.fixture
def room(transactional_db: None) -> Room:
    """A live room whose host is away from the keyboard."""
    return people.open_room()


@pytest.fixture
def sounding(site: Site, room: Room) -> Generator[Site]:
    """Web, the media supervisor and a worker. What the last two wrote is shown with a test that fails."""
    site.start("web", "media", "work", STATIC_FILES="source")
    yield site
    for name in ("media", "work"):
        sys.stdout.write(f"--- {name}\n{site.log(name).read_text(errors='replace')[-6000:]}")


@pytest.fixture
def guest(sounding: Site) -> Callable[[str], Browser]:
    """Somebody with an account, signed in by the sign-in page."""

    def make(handle: str) -> Browser:
        return signed_in(sounding, handle)

    return make


def signed_in(site: Site, handle: str) -> Browser:
    """A browser of somebody with a new account, signed in by the sign-in page."""
    people.person(handle)
    browser = Browser(site.url)
    browser.sign_in(handle, PASSWORD)
    return browser


async def listen_near(visitor: Visitor, ears: peers.Ears) -> RTCPeerConnection:
    """Listen by WebRTC, as soon as the sound of a room that was opened just now is there."""
    async with asyncio.timeout(60):
        while True:
            try:
                peer = await listen(visitor, ears)
            except Refused as refused:
                if refused.code != "media_unavailable":
                    raise
                await asyncio.sleep(0.2)
            else:
                assert peer is not None, "the near listener was sent to HLS"
                return peer


_hands = ThreadPoolExecutor(1)


async def by_hand(work: Callable[..., Any], *args: Any) -> Any:
    """Start or kill processes beside the event loop. What is started dies with its thread: this one stays."""
    return await asyncio.get_running_loop().run_in_executor(_hands, work, *args)


def say(line: str) -> None:
    """A measured figure, shown by `-s` and with a test that fails."""
    sys.stdout.write(line + "\n")


def wait_until(true: Callable[[], Any], seconds: float = 20.0, what: str = "it") -> Any:
    """What `true` returns once it is true; fails after a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := true():
            return found
        connection.close()
        time.sleep(0.1)
    raise AssertionError(f"{what} did not happen within {seconds} s")
