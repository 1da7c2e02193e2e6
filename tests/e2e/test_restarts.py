"""Pages hear on while the web process that has their lines is killed, or told to end: another one is there."""

from __future__ import annotations

import signal
import time
from collections.abc import Generator

import pytest
from django.conf import settings
from playwright.sync_api import Page, Playwright, expect

from rooms import actions
from rooms.guests.talker import Talker
from rooms.guests.visitor import Browser
from rooms.models import Room
from tests.e2e.browser import Chromium, start_sound
from tests.e2e.driver import Driver
from tests.e2e.hearing import PageEar, wait_playing
from tests.e2e.test_sound import LOST, NO_WAY
from tests.flows.live import beside
from tests.support.people import PASSWORD, person
from tests.support.ports import free_port
from tests.support.processes import LogTail, Site
from tests.support.rooms import open_room
from tests.support.services import services
from tests.support.two_webs import BEHIND, Webs, front
from tests.support.voices import Voice
from tests.support.waiting import say, wait_until

pytestmark = pytest.mark.alone
WATCHED = 6.0  # seconds from the restart on: longer than what a player of HLS has in hand
AGAIN = 20.0  # seconds until a page has its line again
NEAR_SILENT, FAR_SILENT = 1.5, 3.0  # seconds at most, on a machine that is busy
# Keeps the codes with which the page's lines to the room ended.
ENDED = """
const Real = window.WebSocket;
window.ended = [];
window.WebSocket = class extends Real {
  constructor(...all) {
    super(...all);
    this.addEventListener("close", ({ code }) => window.ended.push(code));
  }
};
"""


class Listening:
    """A page that listens: by WebRTC or, where its network lets none through, by HLS."""

    def __init__(self, chromium: Chromium, room: Room, *scripts: str) -> None:
        self.page: Page = chromium.context(ignore_https_errors=True).new_page()
        for script in (ENDED, *scripts):
            self.page.add_init_script(script)
        self.page.goto(chromium.url + room.get_absolute_url())
        self.page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
        start_sound(self.page)
        wait_playing(self.page, 60)
        self.by_hls = bool(self.page.evaluate("() => document.querySelector('[data-sound]').srcObject === null"))
        self.ear = PageEar(self.page)

    @property
    def ended(self) -> list[int]:
        """Codes of the lines that ended, of this one loading of the page."""
        found: list[int] = self.page.evaluate("() => window.ended")
        return found


@pytest.fixture
def webs(static_files: None, site: Site) -> Generator[Webs]:
    """Two places for web processes, and the supervisor of the sound."""
    site.start("media")
    webs = Webs(site, (settings.PORT, free_port()), **BEHIND)
    yield webs
    webs.stop()


def test_pages_hear_on_while_their_web_process_ends(webs: Webs, playwright: Playwright, driver: Driver) -> None:
    """Both pages have their lines to the one process that there is; a second one comes and the first is killed; the
    first one comes again and the second is told to end."""
    port = free_port()
    webs.env["SITE_URL"] = url = f"https://localhost:{port}"
    room, voice = open_room(), Voice("0890")
    person("ada")
    chromium = Chromium(playwright, url, driver.plain)
    logs = [LogTail(webs.log(place)) for place in range(2)]
    with front(services().folder, port, webs.ports):
        webs.start(0)
        browser = Browser(url)
        browser.sign_in("ada", PASSWORD)
        try:
            with beside(Talker(browser, room.slug, voice.microphone()).run()):
                near, far = Listening(chromium, room), Listening(chromium, room, NO_WAY)
                assert (near.by_hls, far.by_hls) == (False, True)
                near.ear.hear(voice)
                far.ear.hear(voice)
                for place, sign in ((0, signal.SIGKILL), (1, signal.SIGTERM)):
                    webs.start(1 - place)
                    hear_on(webs, place, sign, {"near": near, "by HLS": far})
                assert near.ended == far.ended == [1006, 4503]
                told_of_a_mute(room, [near.page, far.page])
        finally:
            chromium.close()
    for log in logs:
        log.assert_no_failure()


def hear_on(webs: Webs, place: int, sign: signal.Signals, listeners: dict[str, Listening]) -> None:
    """End a process: each page loses its line, has it again by itself, and hears the voice all the while."""
    lost = {name: len(one.ended) for name, one in listeners.items()}
    since = time.time()
    webs.end(place, sign)
    for name, one in listeners.items():
        wait_until(lambda one=one, name=name: len(one.ended) > lost[name], AGAIN, f"the end of the line, {name}", 0.05)  # type: ignore[misc]
        one.page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached", timeout=AGAIN * 1000)
        expect(one.page.get_by_text(LOST)).to_be_hidden(timeout=AGAIN * 1000)
    back = time.time() - since
    webs.running[place].wait(AGAIN)
    listeners["near"].page.wait_for_timeout(max(0.0, since + WATCHED - time.time()) * 1000)
    until = time.time()
    silent = {name: one.ear.longest_gap(since, until) for name, one in listeners.items()}
    say(f"{sign.name}: lines again after {back:.1f} s; silent at most {silent}")
    assert silent["near"] < NEAR_SILENT and silent["by HLS"] < FAR_SILENT, silent


def told_of_a_mute(room: Room, pages: list[Page]) -> None:
    """Their new lines tell them what happens in the room."""
    ada = room.seats.get(user__handle="ada").user
    actions.set_muted(room.pk, ada, True, by=ada)
    for page in pages:
        page.wait_for_selector('.seat[data-user="ada"]:not(.open)')
