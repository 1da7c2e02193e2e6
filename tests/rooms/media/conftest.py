"""Sound for tests: the site's real processes, guests who bring real WebRTC, and ears that compare what they heard."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator

import pytest

from rooms.guests.visitor import Browser
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
        person(handle)
        browser = Browser(sounding.url)
        browser.sign_in(handle, PASSWORD)
        return browser

    return make
