"""Reactions in browsers: two hundred a second, and the page goes on; with and without motion."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from typing import Any

from playwright.sync_api import Page as Window
from playwright.sync_api import WebSocket, expect

from rooms import actions
from rooms.models import ReactionCount, Room
from rooms.reactions import PACE
from tests.e2e.browser import LOOKS, PHONE, Chromium, in_every_look
from tests.support.client import Page, code
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import open_room

PEOPLE = 40
EACH = 25  # reactions of each, five a second
# The most that rose at once, and the highest number on one of them.
WATCHED = """() => {
  const box = document.querySelector("[data-risen]");
  window.seen = { most: 0, many: 0 };
  new MutationObserver(() => {
    window.seen.most = Math.max(window.seen.most, box.childElementCount);
    for (const one of box.querySelectorAll(".sprite .reaction-number")) {
      window.seen.many = Math.max(window.seen.many, Number(one.textContent.replace(/[^0-9]/g, "")));
    }
  }).observe(box, { childList: true, subtree: true });
}"""


class Crowd:
    """People who clap two hundred times a second, in a thread of their own."""

    def __init__(self, room: Room) -> None:
        self.room, self.people = room, [person() for _each in range(PEOPLE)]
        self.accepted: Counter[str] = Counter()
        self.seconds = 0.0
        self.go = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._all()))
        self.thread.start()

    async def _all(self) -> None:
        pages = [Page(self.room, user) for user in self.people]
        for first in range(0, PEOPLE, 10):
            await asyncio.gather(*(page.__aenter__() for page in pages[first : first + 10]))
        await asyncio.to_thread(self.go.wait, 60)
        began = time.monotonic()
        await asyncio.gather(*(self._clap(page) for page in pages))
        self.seconds = time.monotonic() - began
        await asyncio.gather(*(page.__aexit__(None, None, None) for page in pages))

    async def _clap(self, page: Page) -> None:
        began = time.monotonic()
        for number in range(EACH):
            await asyncio.sleep(max(0.0, began + number / 5 - time.monotonic()))
            kind = "laugh" if number % 5 == 4 else "clap"
            answer = await page.ask("react", within=60, kind=kind)
            self.accepted[kind] += code(answer) == "ok"


def reactions_heard(page: Window) -> list[dict[str, Any]]:
    """Messages about reactions that a page gets from now on."""
    heard: list[dict[str, Any]] = []

    def note(frame: str | bytes) -> None:
        if (message := json.loads(frame)).get("type") == "reactions":
            heard.append(message)

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", note)

    page.on("websocket", listen)
    page.reload()
    page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    return heard


def test_two_hundred_a_second(web: Site, chromium: Chromium) -> None:
    room = open_room(topic="What should the spring release fix first?")
    crowd = Crowd(room)
    page = chromium.room(room, person("ada"), viewport=PHONE)
    still = chromium.room(room, viewport=PHONE, reduced_motion="reduce")
    heard = reactions_heard(page)
    page.evaluate(WATCHED)
    crowd.go.set()
    try:
        expect(page.locator("[data-risen] .sprite .reaction-number").first).to_be_attached()
        # The page does what it is asked meanwhile.
        page.get_by_role("button", name="React", exact=True).click()
        sheet = page.get_by_role("region", name="Reactions")
        expect(sheet).to_be_visible()
        sheet.get_by_role("radio", name="Dark", exact=True).check()
        sheet.get_by_role("button", name="Wave").click()
        expect(page.locator("[data-risen]")).to_contain_text("👋🏿")
        expect(still.locator("[data-risen] .counted-reaction").first).to_contain_text("×")
        assert still.locator(".sprite").count() == 0
    finally:
        crowd.thread.join()
    expect(page.locator("[data-notice]")).to_contain_text("claps")
    page.wait_for_timeout(2 * PACE)
    accepted = {**crowd.accepted, "wave": 1}
    assert sum(accepted.values()) > 0.8 * PEOPLE * EACH, "a slow machine may have several say it at once"
    assert accepted == {
        kind: sum(sum(message["counts"].get(kind, {}).values()) for message in heard) for kind in accepted
    }
    assert len(heard) <= 3 + (crowd.seconds + 2) / (PACE / 1000), "one message a tick"
    seen = page.evaluate("() => window.seen")
    assert 1 < seen["most"] <= 20 and seen["many"] > 10
    actions.keep_reactions()
    assert sum(ReactionCount.objects.filter(room=room).values_list("count", flat=True)) == sum(accepted.values())
    assert in_every_look(page, LOOKS) == [], "with the sheet open"
    # The choices of this browser are kept.
    page.reload()
    page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    expect(page.locator('[data-react="wave"] [data-glyph]')).to_have_text("👋🏿")
    page.get_by_label("Show how others react").uncheck()
    still.get_by_role("button", name="React", exact=True).click()
    still.get_by_role("button", name="Heart").click()
    expect(still.locator("[data-risen]")).to_contain_text("×1")
    page.wait_for_timeout(2 * PACE)
    assert page.locator("[data-risen] > *").count() == 0
