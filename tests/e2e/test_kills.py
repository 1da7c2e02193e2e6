"""What is killed under pages of real Chromium: they hear again, and are heard, without being loaded again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.e2e.browser import Chromium, sit_down_and_speak, start_sound
from tests.e2e.test_sound import NO_WAY, level_of, microphone, sounding, wait_playing
from tests.processes import Site
from tests.rooms.media.conftest import say
from tests.rooms.people import open_room

__all__ = ["sounding"]
pytestmark = pytest.mark.alone

AWAY = 5.0  # seconds: longer than hls.js tries by itself
AGAIN = 8.0  # seconds from its return until everybody hears


def hears(page: Page, seconds: float) -> float:
    """Until its player moves on, and with it what it hears."""
    before = page.evaluate("() => document.querySelector('[data-sound]').currentTime")
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        moved = "(before) => document.querySelector('[data-sound]').currentTime - before"
        if abs(page.evaluate(moved, before)) > 0.5 and level_of(page) > 0.1:
            return time.monotonic() - began
    raise AssertionError(f"no sound within {seconds} s")


def test_pages_hear_on_while_web_is_away(sounding: Site, chromium: Chromium, tmp_path: Path) -> None:
    room = open_room()
    host = chromium.room(room, room.host, browser=chromium.with_microphone(microphone(tmp_path, 0)[0]))
    sit_down_and_speak(host)
    near = chromium.room(room)
    start_sound(near)
    far = chromium.context().new_page()
    far.add_init_script(NO_WAY)
    far.goto(chromium.url + room.get_absolute_url())
    far.wait_for_selector('[data-do="share"]:not([disabled])')
    start_sound(far)
    wait_playing(near, 5)
    wait_playing(far, 15)
    for page in (host, near, far):
        page.evaluate("() => (window.neverReloaded = true)")
    try:
        web_dies(sounding, host, near, far)
    finally:
        chromium.complaints.clear()  # that the site did not answer


def web_dies(site: Site, host: Page, near: Page, far: Page) -> None:
    """And comes back. Who hears directly needs no web process; who hears by HLS does."""
    site.kill("web")
    ends = time.monotonic() + AWAY
    hears(near, AWAY)
    time.sleep(max(0.0, ends - time.monotonic()))
    site.start("web")
    say(f"HLS again after {hears(far, AGAIN):.1f} s")
    for page in (host, near, far):
        page.wait_for_selector('[data-do="share"]:not([disabled])')
        assert page.evaluate("() => window.neverReloaded")
    host.locator('[data-do="mute"]').click()
    near.wait_for_selector('.seat[data-user="host"]:not(.open)')
