"""Somebody who opens too many rooms is told so by the page, which comes in as soon as it may."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.browser import Chromium
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import open_room


def test_the_page_says_that_too_many_are_open_and_comes_back_by_itself(web: Site, chromium: Chromium) -> None:
    web.stop("web")
    web.start("web", SOCKETS_PER_PERSON="1")
    room, ada = open_room(), person("ada")
    first = chromium.room(room, ada)
    first.wait_for_timeout(1000)
    second = chromium.page(room.get_absolute_url(), ada)
    expect(second.get_by_text("Too many rooms are open, from you or from your network.")).to_be_visible()
    first.close()
    second.wait_for_timeout(6000)  # a session that was turned away is not looked up again for five seconds
    second.evaluate("dispatchEvent(new Event('online'))")  # the page's own next try is after ten to twenty
    expect(second.get_by_text("Too many rooms are open")).to_be_hidden(timeout=60_000)
