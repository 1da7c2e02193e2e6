"""Sound for tests: the site's real processes, guests who bring real WebRTC, and ears that compare what they heard."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Generator

import pytest
from aiortc import RTCPeerConnection

from rooms.guests import peers
from rooms.guests.visitor import Browser, SiteRefused, Visitor, listen
from rooms.models import Room
from tests.support.people import PASSWORD, person
from tests.support.processes import Site
from tests.support.rooms import open_room


@pytest.fixture
def room(transactional_db: None) -> Room:
    """A live room whose host is away from the keyboard."""
    return open_room()


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
    person(handle)
    browser = Browser(site.url)
    browser.sign_in(handle, PASSWORD)
    return browser


async def listen_near(visitor: Visitor, ears: peers.Ears) -> RTCPeerConnection:
    """Listen by WebRTC, as soon as the sound of a room that was opened just now is there."""
    async with asyncio.timeout(60):
        while True:
            try:
                peer = await listen(visitor, ears)
            except SiteRefused as refused:
                if refused.code != "media_unavailable":
                    raise
                await asyncio.sleep(0.2)
            else:
                assert peer is not None, "the near listener was sent to HLS"
                return peer
