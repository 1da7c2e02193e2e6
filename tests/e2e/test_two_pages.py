"""One person with a room open twice: the second page leaves the first one's microphone alone until it is told to."""

from __future__ import annotations

from django.db import connection
from playwright.sync_api import BrowserContext, Page, expect

from rooms.models import Room, Seat
from tests.e2e.browser import PHONE, Chromium, axe, overflow, sit_down_and_speak, start_sound
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import open_room
from tests.support.waiting import wait_until

AT_ONCE = 8.0  # seconds: sooner than a page that found the microphone taken asks again by itself
QUIET = "() => document.querySelector('[data-sound]').paused"
SILENT = "This page stays quiet until you speak here."


def another(chromium: Chromium, context: BrowserContext, room: Room) -> Page:
    page = context.new_page()
    chromium.listen_to(page)
    page.goto(chromium.url + room.get_absolute_url())
    page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    return page


def speaks(page: Page) -> None:
    expect(page.locator('[data-do="mute"]')).to_be_visible(timeout=60_000)
    expect(page.locator(".seat.you.open")).to_have_count(1)


def at_the_table(chromium: Chromium) -> tuple[Room, BrowserContext, Page]:
    """A room, the browser of Ada, and a page of hers with an open microphone."""
    room = open_room()
    context = chromium.context(person("ada"), viewport=PHONE)
    page = another(chromium, context, room)
    start_sound(page)
    sit_down_and_speak(page)
    return room, context, page


def comes_back(page: Page, before: str, seconds: float) -> None:
    """Wait until a page other than `before` has the microphone, closed."""

    def is_back() -> bool:
        page.mouse.click(5, 300)  # some browsers want one before there is sound
        return hers().mic_page not in ("", before)

    wait_until(is_back, seconds, "the new page holds the microphone")
    assert hers().muted, "a page that goes leaves no open microphone"


def is_quiet(page: Page) -> None:
    expect(page.locator('[data-do="speak_here"]')).to_be_visible()
    expect(page.locator('[data-do="mute"]')).to_be_hidden()
    assert page.evaluate(QUIET)


def hers() -> Seat:
    connection.close()
    return Seat.objects.get(user__handle="ada", left_at=None)


def test_a_second_page_and_the_first(live_sound: Site, chromium: Chromium) -> None:
    room, context, first = at_the_table(chromium)
    speaks(first)

    second = another(chromium, context, room)
    is_quiet(second)
    expect(second.get_by_text(SILENT)).to_be_visible()
    assert axe(second) == [] and overflow(second) == []
    speaks(first)
    assert not hers().muted, "opening a page muted nobody"

    second.locator('[data-do="speak_here"]').click()
    speaks(second)
    is_quiet(first)
    expect(first.get_by_text(SILENT)).to_be_visible()
    # What makes a page connect its sound anew by itself: the older one stays as it is.
    for event in ("online", "pointerdown", "visibilitychange"):
        first.evaluate("(name) => window.dispatchEvent(new Event(name))", event)
    second.evaluate("() => window.dispatchEvent(new Event('online'))")
    speaks(second)
    is_quiet(first)

    # A reload is a new page: it comes back to the table, closed, and the other one is told which of them has it.
    before = hers().mic_page
    second.reload()
    second.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    comes_back(second, before, 60)
    is_quiet(first)
    first.locator('[data-do="speak_here"]').click()
    speaks(first)
    is_quiet(second)
    first.goto("about:blank")
    expect(second.locator('[data-do="unmute"]')).to_be_visible()
    wait_until(lambda: hers().muted, 60, "a closed microphone")


def test_a_page_that_is_opened_as_the_other_one_goes(live_sound: Site, chromium: Chromium) -> None:
    """As at a reload on a slow network, where the page that goes says so after the new one has asked."""
    room, context, first = at_the_table(chromium)
    before = hers().mic_page
    second = another(chromium, context, room)
    expect(second.get_by_text(SILENT)).to_be_visible()
    first.goto("about:blank")
    comes_back(second, before, AT_ONCE)
    expect(second.locator('[data-do="unmute"]')).to_be_visible()
