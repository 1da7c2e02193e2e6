"""The queue of cases in a browser: it updates by itself, in every look; the next case by a key."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import expect

from moderation.actions.claims import claim
from moderation.models import Case
from people.models import User
from tests.e2e.browser import Chromium, in_every_look
from tests.e2e.test_admin import staff_page
from tests.moderation.test_queue import QUEUE, act, proposed, staff
from tests.support.people import person
from tests.support.reports import report
from tests.support.rooms import ended_room, open_room, seated

LONG = "What should the spring release fix first, and who decides about the order in which it is done?"


def filled() -> None:
    """Cases of every state: live, claimed by another, overdue, waiting for a second moderator."""
    room = open_room("ada", title=LONG)
    bert = seated("bert", room)
    for number in range(3):
        report(person(f"one{number}"), room, subject=bert, category=("hate", "harassment", "violence")[number])
    taken = report(person("two"), ended_room("carl"), category="hate").case
    claim(taken, staff(handle="anna"))
    act(report(person("three"), ended_room("dora")).case, "end_room", timedelta(hours=2))
    waiting = report(person("four"), ended_room("emma"), category="violence").case
    proposed(waiting, User.objects.get(handle="anna"), timedelta(hours=80))


def test_the_queue_updates_by_itself_and_gives_the_next_case(chromium: Chromium) -> None:
    page = staff_page(chromium, staff(handle="mod"))
    chromium.go(page, QUEUE)
    expect(page.get_by_role("heading", name="No case is open")).to_be_visible()
    assert in_every_look(page) == []
    first = report(person("zoe"), open_room("yann", title="Voices")).case
    expect(page.locator("[data-queue-case]")).to_have_count(1, timeout=5_000)
    expect(page.locator("[data-told]")).to_have_text("A report came in.")
    expect(page.get_by_role("link", name="Open 1")).to_be_visible()
    filled()
    expect(page.locator("[data-queue-case]")).to_have_count(5, timeout=8_000)
    expect(page.get_by_text("Anna is working on this")).to_be_visible()
    assert in_every_look(page) == []
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("yann")
    page.keyboard.press("Enter")
    expect(page.locator("[data-queue-case]")).to_have_count(1)
    page.locator("h1").click()
    page.keyboard.press("n")
    page.wait_for_url("**/moderation/case/*/")
    mine = Case.objects.get(claimed_by__handle="mod")
    assert mine.room is not None and mine.room.is_live and mine.pk != first.pk, "the one with the highest priority"
