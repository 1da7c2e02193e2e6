"""Somebody who opens too many rooms is told so by the page, which comes in as soon as it may."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import Chromium
from tests.support.people import person
from tests.support.processes import Site, watched
from tests.support.rooms import open_room
from tests.support.waiting import wait_until


@pytest.fixture
def web(static_files: None, site: Site) -> Generator[Site]:
    """Daphne that lets a person have one room open."""
    site.start("web", SOCKETS_PER_PERSON="1")
    yield from watched(site)


def test_the_page_says_that_too_many_are_open_and_comes_back_by_itself(chromium: Chromium) -> None:
    room, ada = open_room(), person("ada")
    first = chromium.room(room, ada)
    second = chromium.page(room.get_absolute_url(), ada)
    told = second.get_by_text("Too many rooms are open, from you or from your network.")
    expect(told).to_be_visible()
    first.close()

    def is_in() -> bool:
        """Ask again, as the page does itself after ten to twenty seconds; it is heard five after a refusal."""
        second.evaluate("dispatchEvent(new Event('online'))")
        second.wait_for_timeout(500)
        return told.is_hidden()

    wait_until(is_in, 60, "the second page is in")
