"""One person with a room open twice: the second page leaves the first one's microphone alone until it is told to."""

from __future__ import annotations

from django.db import connection
from playwright.sync_api import BrowserContext, Page, expect

from rooms.models import Room, Seat
from tests.e2e.browser import PHONE, Chromium, axe, overflow, sit_down_and_speak
from tests.processes import Site
from tests.rooms.people import open_room, person

QUIET = "() => document.querySelector('[data-sound]').paused"
SILENT = "This page stays quiet until you speak here."


def another(chromium: Chromium, context: BrowserContext, room: Room) -> Page:
    page = context.new_page()
    chromium.listen_to(page)
    page.goto(chromium.url + room.get_absolute_url())
    page.wait_for_selector('[data-do="share"]:not([disabled])')
    return page


def speaks(page: Page) -> None:
    expect(page.locator('[data-do="mute"]')).to_be_visible()
    expect(page.locator(".seat.you.open")).to_have_count(1)


def is_quiet(page: Page) -> None:
    expect(page.locator('[data-do="speak_here"]')).to_be_visible()
    expect(page.locator('[data-do="mute"]')).to_be_hidden()
    assert page.evaluate(QUIET)


def open_microphones() -> int:
    connection.close()
    return Seat.objects.filter(user__handle="ada", left_at=None, muted=False).count()


def test_a_second_page_and_the_first(web: Site, chromium: Chromium) -> None:
    web.start("media")
    room, ada = open_room(), person("ada")
    context = chromium.context(ada, viewport=PHONE)
    first = another(chromium, context, room)
    sit_down_and_speak(first)
    speaks(first)

    second = another(chromium, context, room)
    is_quiet(second)
    expect(second.get_by_text(SILENT)).to_be_visible()
    import os
    if os.environ.get("SHOTS"):
        for scheme in ("light", "dark"):
            for width in (390, 1280):
                second.emulate_media(color_scheme=scheme)
                second.set_viewport_size({"width": width, "height": 844})
                second.screenshot(path=f"/tmp/shot-two-{scheme}-{width}.png")
        second.set_viewport_size(PHONE)
    assert axe(second) == [] and overflow(second) == []
    speaks(first)
    assert open_microphones() == 1, "opening a page muted nobody"

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

    second.reload()
    expect(first.locator('[data-do="unmute"]')).to_be_visible()  # nobody speaks now, and the first page knows
    expect(second.locator('[data-do="unmute"]')).to_be_visible()
    assert open_microphones() == 0, "a page that goes leaves no open microphone"
    first.locator('[data-do="unmute"]').click()
    speaks(first)
    is_quiet(second)
    first.goto("about:blank")
    expect(second.locator('[data-do="unmute"]')).to_be_visible()
    assert open_microphones() == 0
