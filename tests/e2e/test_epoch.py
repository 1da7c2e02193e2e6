"""A room gets a new epoch while people listen by HLS: every address that they have is dead, and they hear on."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import transaction
from playwright.sync_api import Page

from rooms import actions
from rooms.guests.hls_listener import HlsListener
from rooms.guests.visitor import Browser
from rooms.models import Room
from tests.e2e.browser import Chromium, sit_down_and_speak, start_sound
from tests.e2e.test_kills import hears
from tests.e2e.test_sound import NO_WAY, microphone, sounding, wait_playing
from tests.processes import Site
from tests.rooms.media.conftest import say
from tests.rooms.people import open_room

__all__ = ["sounding"]
pytestmark = pytest.mark.alone

STANDS = 6.0  # seconds that a page may stand still on a busy machine; what it has in hand is two
WATCHED = 10.0  # seconds
# The longest time in which the element did not go on.
STOOD = """async (seconds) => {
  const element = document.querySelector("[data-sound]");
  const began = performance.now();
  let [at, since, longest] = [element.currentTime, began, 0];
  while (performance.now() - began < seconds * 1000) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (element.currentTime !== at) [at, since] = [element.currentTime, performance.now()];
    longest = Math.max(longest, performance.now() - since);
  }
  return longest / 1000;
}"""


def renew(room: Room) -> None:
    with transaction.atomic():
        actions.new_epoch(Room.objects.select_for_update().get(pk=room.pk))


def listening_far(chromium: Chromium, room: Room) -> Page:
    """A page whose network lets no WebRTC through."""
    page = chromium.context().new_page()
    page.add_init_script(NO_WAY)
    page.goto(chromium.url + room.get_absolute_url())
    page.wait_for_selector('[data-do="share"]:not([disabled])')
    start_sound(page)
    wait_playing(page, 60)
    page.evaluate("() => (window.neverReloaded = true)")
    return page


def test_who_may_listen_hears_on_without_a_reload(sounding: Site, chromium: Chromium, tmp_path: Path) -> None:
    room = open_room()
    host = chromium.room(room, room.host, browser=chromium.with_microphone(microphone(tmp_path, 0)[0]))
    sit_down_and_speak(host)
    far, guest = listening_far(chromium, room), HlsListener(Browser(sounding.url), room.slug)
    playlist = f"{chromium.url}/r/{room.slug}/live.m3u8"
    with ThreadPoolExecutor(1) as hands:
        heard = hands.submit(asyncio.run, guest.run(12.0))
        hears(far, 20)
        old = [line for line in far.request.get(playlist).text().splitlines() if line.startswith("/hls/")]
        renew(room)
        stood = float(far.evaluate(STOOD, WATCHED))
        say(f"a page by HLS stood still for {stood:.1f} s after a new epoch")
        assert stood < STANDS
        hears(far, 20)
        heard.result()
    assert far.evaluate("() => window.neverReloaded")
    assert list(guest.pieces) == list(range(min(guest.pieces), max(guest.pieces) + 1)), "no piece is missing"
    assert len(guest.pieces) >= 8 and {far.request.get(chromium.url + one).status for one in old} == {404}
