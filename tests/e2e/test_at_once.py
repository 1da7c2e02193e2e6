"""How soon pages show what happened: the end of the room, and what they missed while they were offline."""

from __future__ import annotations

import re
import time
from collections.abc import Generator

import pytest
from playwright.sync_api import expect

from rooms import actions
from rooms.models import Room
from tests.e2e.browser import PHONE, Chromium
from tests.e2e.test_room import seat_of
from tests.support.people import person
from tests.support.processes import Site, watched
from tests.support.rooms import open_room, seated

pytestmark = pytest.mark.alone


@pytest.fixture
def web(lent_site: Site) -> Generator[Site]:
    """The site that tests share. Nothing in the log of its web process may be a failure of ours."""
    yield from watched(lent_site)


def test_the_end_reaches_everybody_within_two_seconds(chromium: Chromium) -> None:
    room = open_room()
    ada = seated("ada", room)
    pages = [chromium.room(room), chromium.room(room, ada, viewport=PHONE), chromium.room(room, person("lea"))]
    host = chromium.room(room, room.host)
    actions.set_muted(room.pk, ada, False, by=ada)  # only people who may be in the recording are led to it
    expect(host.locator(f"{seat_of('ada')}.open")).to_have_count(1)
    expect(pages[1].locator(f"{seat_of('ada')}.open")).to_have_count(1)
    host.get_by_role("button", name="End room").click()
    host.get_by_role("dialog").get_by_role("button", name="Go on talking").click()
    expect(host.locator(".table.over")).to_have_count(0)
    host.get_by_role("button", name="End room").click()
    host.get_by_role("dialog").get_by_role("button", name="End room").click()
    pressed = time.monotonic()
    for page in [host, *pages]:
        page.get_by_text("This room has ended").wait_for()  # in the page itself: `expect` looks again every second only
    assert time.monotonic() - pressed < 2.0
    for page in [host, *pages]:
        expect(page.get_by_text("The host ended it.")).to_be_visible()
    for page, heard in ((host, 1), (pages[0], 0), (pages[1], 1), (pages[2], 0)):
        expect(page.get_by_role("link", name="Hear it again")).to_have_count(heard)
    pages[1].keyboard.press("Enter")
    expect(pages[1]).to_have_url(re.compile(f"{room.get_absolute_url()}replay/$"))
    expect(pages[1].get_by_role("heading", name=room.title)).to_be_visible()
    room.refresh_from_db()
    assert room.status == Room.Status.ENDED
    again = chromium.page(room.get_absolute_url())
    expect(again.get_by_text("This room has ended")).to_be_visible()
    expect(again.get_by_text("Kept for review, and deleted on its day.")).to_be_visible()


def test_who_was_away_is_right_again_within_a_second(web: Site, chromium: Chromium) -> None:
    """Offline while seats change; the second the network is back the page is true. No click, no reload."""
    room = open_room()
    ada = seated("ada", room)
    page = chromium.room(room)
    expect(page.locator(".seat[data-user]")).to_have_count(2)
    took, gone = [], ada
    for handle in ("bob", "cas", "dee"):
        page.context.set_offline(True)
        expect(page.get_by_text("You are offline.")).to_be_visible()
        actions.leave_seat(room.pk, gone)
        came = seated(handle, room)
        time.sleep(1.0)
        expect(page.locator(seat_of(gone.handle))).to_have_count(1)
        page.context.set_offline(False)
        back = time.monotonic()
        expect(page.locator(seat_of(handle))).to_be_visible()
        expect(page.locator(seat_of(gone.handle))).to_have_count(0)
        took.append(time.monotonic() - back)
        expect(page.get_by_text("You are offline.")).to_be_hidden()
        if took[-1] < 1.0:
            break
        gone = came  # once more, where the machine was busy just then
    assert took[-1] < 1.0, took
    chromium.complaints[:] = [text for text in chromium.complaints if "ERR_INTERNET_DISCONNECTED" not in text]
