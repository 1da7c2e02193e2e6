"""Live rooms of stories: clients that speak beside the browsers, and what is seen and heard on pages, and when."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from django.utils import timezone
from playwright.sync_api import Page, expect

from moderation.models import Case, Report
from rooms.models import Room
from tests.e2e.hearing import PageEar
from tests.flows.console import QUEUE, Console
from tests.flows.line import clock_time
from tests.support.waiting import wait_until

# Notes the moment, in ms, at which an element with this text is to be seen.
LOOK_FOR = """([selector, text]) => {
  window.seenAt = 0;
  const look = setInterval(() => {
    const seen = (one) => one.checkVisibility() && one.innerText.includes(text);
    if (![...document.querySelectorAll(selector)].some(seen)) return;
    window.seenAt = Date.now();
    clearInterval(look);
  }, 25);
}"""


@contextmanager
def beside(*works: Coroutine[None, None, object]) -> Iterator[None]:
    """Run clients in a thread of their own, beside the browsers, until the block ends."""
    stop = threading.Event()

    async def work() -> None:
        tasks = [asyncio.create_task(one) for one in works]
        await asyncio.to_thread(stop.wait)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    with ThreadPoolExecutor(1) as hands:
        working = hands.submit(asyncio.run, work())
        try:
            yield
        finally:
            stop.set()
            working.result(60)


def look_for(page: Page, selector: str, text: str) -> None:
    """Have the page note when this is to be seen; `seen_at` reads it. The page stays loaded meanwhile."""
    page.evaluate(LOOK_FOR, [selector, text])


def seen_at(page: Page) -> float:
    """When the page first showed what it was to look for, in seconds since 1970."""
    found: float = wait_until(lambda: page.evaluate("() => window.seenAt"), 30, "what the page waits for", 0.05)
    return found / 1000


def last_sound(ear: PageEar, since: float, after: float) -> float:
    """Seconds from a moment, at which there was sound, until the last that is heard; listened for `after` seconds."""
    assert ear.moments(since - 1, since)["loud"], "there is sound until then"
    ear.page.wait_for_timeout(max(0.0, since + after - time.time()) * 1000)
    loud = ear.moments(since, time.time())["loud"]
    return max(0.0, loud[-1] - since) if loud else 0.0


def just_said(room: Room, seconds: int = 4) -> tuple[int, int]:
    """The last whole seconds of a live room, after it has lasted as long."""
    room.refresh_from_db()
    wait_until(lambda: room.room_time(timezone.now()) > (seconds + 2) * 1000, 30, "something that was said")
    end = room.room_time(timezone.now()) // 1000 - 1
    return end - seconds, end


def fill_in_dialog(page: Page, about: str, category: str, seconds: tuple[int, int]) -> None:
    """Fill in the report of somebody in the room that the page is of, up to the button that sends it."""
    page.get_by_role("link", name="Report this room").click()
    sheet = page.get_by_role("dialog", name="Report something in this room")
    sheet.get_by_label("Whom is it about?").select_option(about)
    sheet.get_by_label("What happened?").select_option(category)
    sheet.get_by_label("From").fill(clock_time(seconds[0]))
    sheet.get_by_label("To", exact=True).fill(clock_time(seconds[1]))
    sheet.get_by_label("As far as I know, what I say is true").check()


def send(page: Page) -> Case:
    """Send the report that is filled in."""
    page.get_by_role("button", name="Send the report").click()
    done = page.locator("[data-report-done]")
    expect(done).to_be_visible()
    row = Report.objects.select_related("case").latest("pk")
    expect(done).to_contain_text(str(row.receipt))
    return row.case


def wait_recorded(console: Console, case: Case, seconds: tuple[int, int]) -> None:
    """Wait until the sound of a range can be played on the page of a case in a live room."""

    def is_there() -> bool:
        drawn = console.page.request.get(f"{console.chromium.url}{QUEUE}{case.pk}/peaks/").json()
        return any(start + length >= (seconds[1] + 1) * 1000 for start, length in drawn["segments"])

    wait_until(is_there, 60, "the recorder’s segments", 0.3)


def label(seconds: tuple[int, int]) -> str:
    """A range as buttons have it."""
    return "–".join(clock_time(second) for second in seconds)
