"""Live rooms along which staff read, in a browser: a line appears, its word is marked, one press makes it a case."""

from __future__ import annotations

import re
from datetime import timedelta

from django.db.models import F
from playwright.sync_api import expect

from moderation.models import Case, SafetyGrant, WordHit
from tests.e2e.browser import Chromium, in_every_look
from tests.e2e.test_admin import staff_page
from tests.support.cases import staff
from tests.support.word_hits import LIVE, WORDS, confirm, listed, long_room, spoken_room


def test_a_word_is_marked_and_one_press_makes_it_a_case_with_the_range(chromium: Chromium) -> None:
    """All of it by keyboard."""
    room, bert = spoken_room("anna", "bert")
    long_room("carl", title="What should the spring release fix first, and who decides?", transcription=False)
    word = listed("utter fool")
    listed("rotten")
    page = staff_page(chromium, staff("senior", "mara"))
    chromium.go(page, LIVE)
    expect(page.get_by_role("heading", name="No live room was reported")).to_be_visible()
    assert in_every_look(page) == []
    page.get_by_label("Why you read along in all live rooms").focus()
    page.keyboard.type("Threats were reported by mail today.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No captions in this room.")).to_be_visible()
    confirm(room, bert, 1, "you are an", final=False)
    expect(page.get_by_text("you are an")).to_be_visible(timeout=8_000)
    page.get_by_role("link", name=room.title).focus()
    confirm(room, bert, 1, "you are an utter fool and rotten")
    card = page.get_by_role("article", name=room.title)
    expect(card.locator("mark")).to_have_text(["rotten", "utter fool", "utter fool", "rotten"])
    expect(page.locator("[data-told]")).to_have_text("A word of the list was found.")
    expect(page.get_by_role("link", name=room.title)).to_be_focused()
    assert in_every_look(page) == []
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(card.get_by_role("button", name="Not a violation: rotten")).to_be_focused()
    page.keyboard.press("Enter")
    expect(card.locator("[data-hit]")).to_have_count(1)
    expect(page.get_by_role("link", name=room.title)).to_be_focused()
    assert WordHit.objects.filter(outcome="dismissed").count() == 1
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/moderation/case/\d+/$"))
    case = Case.objects.get()
    assert case.suggested and case.subject == bert and case.ranges.exists()
    for path in (WORDS, f"{WORDS}{word.pk}/change/"):
        chromium.go(page, path)
        assert in_every_look(page) == []
    chromium.go(page, LIVE)
    expect(page.get_by_role("article")).to_have_count(2)
    page.evaluate("() => { window.known = fetch; window.fetch = () => Promise.reject(new TypeError('offline')); }")
    failed = page.locator(".live-rooms .note", has_text="These rooms cannot be read at the moment.")
    expect(failed).to_be_visible(timeout=12_000)
    expect(page.get_by_role("article")).to_have_count(0)
    page.evaluate("() => { window.fetch = window.known; }")
    expect(page.get_by_role("article")).to_have_count(2, timeout=8_000)
    expect(failed).to_have_count(0)
    SafetyGrant.objects.update(until=F("at") + timedelta(seconds=1))
    expect(page.get_by_role("article")).to_have_count(1, timeout=8_000)
    expect(page.get_by_label("Why you read along in all live rooms")).to_be_visible()
