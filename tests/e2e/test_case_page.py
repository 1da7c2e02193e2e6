"""The page of a case in a browser: decided by keyboard alone, with real sound; for everybody in every look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from moderation.models import Case, Decision, EvidenceLine, EvidenceRange, Look
from people.models import User
from rooms.models import Room
from tests.e2e.browser import Chromium, in_every_look, in_every_size, overflow, resize
from tests.e2e.test_admin import staff_page
from tests.rooms.recording.test_finish import record
from tests.support.case_pages import draft, staff
from tests.support.people import person
from tests.support.recordings import talked_room
from tests.support.reports import report
from tests.support.rooms import open_room, seated


def case_about_ada(**values: Any) -> Case:
    """A room whose second voice was reported twice, from 10 to 20 s."""
    room = talked_room(title="What should the spring release fix first?", **values)
    ada = User.objects.get(handle="ada")
    report(person("reporter"), room, subject=ada, from_ms=10_000, to_ms=20_000, words="She threatened bob, twice.")
    return report(person("other"), room, subject=ada, from_ms=12_000, to_ms=18_000).case


def opened(chromium: Chromium, case: Case, user: User) -> Page:
    page = staff_page(chromium, user)
    chromium.go(page, f"/admin/moderation/case/{case.pk}/")
    page.wait_for_selector("body[data-ready]")
    return page


def keys(page: Page, *names: str) -> None:
    for name in names:
        page.keyboard.press(name)


def test_a_case_is_decided_by_keyboard_alone(chromium: Chromium) -> None:
    """Claimed, played, read, quoted, marked, previewed and decided without a mouse; no single key decides."""
    case, mod = case_about_ada(), staff("mod")
    page = opened(chromium, case, mod)
    keys(page, "c")
    expect(page.locator('[data-part="claim"]')).to_contain_text("Yours for 30 minutes")
    page.wait_for_selector("body[data-ready]")
    assert page.evaluate("document.querySelector('[data-audio]').muted")
    keys(page, " ")
    expect(page.locator('[data-do="play"]')).to_contain_text("Pause")
    page.wait_for_timeout(600)
    keys(page, " ")
    expect(page.locator('[data-do="play"]')).to_contain_text("Listen to 0:10–0:20")
    assert page.evaluate("document.querySelector('[data-audio]').currentTime") >= 10
    keys(page, "o")
    expect(page.locator(".cue").first).to_be_visible()
    keys(page, "ArrowDown", "q")
    expect(page.locator(".cue.quoted")).to_have_count(1)
    keys(page, "e")
    expect(page.locator('[data-part="evidence"]')).to_contain_text("0:10–0:20")
    keys(page, "d")
    expect(page.locator('[name="outcome"]').first).to_be_focused()
    keys(page, " ", "Tab", "ArrowDown", "Tab")
    page.keyboard.type("You threatened a guest, twice.")
    keys(page, "Tab", " ")  # the first measure: a warning
    assert not Decision.objects.exists()
    page.reload()  # a lost page: the draft is there again
    page.wait_for_selector("body[data-ready]")
    expect(page.locator('[name="facts"]')).to_have_value("You threatened a guest, twice.")
    keys(page, "p")
    expect(page.get_by_role("heading", name="What the person will read")).to_be_visible()
    assert not Decision.objects.exists()
    keys(page, "d", "p", "Enter", " ")
    assert not Decision.objects.exists()
    button = page.get_by_role("button", name="Decide", exact=True)
    for _tab in range(40):
        if button.evaluate("(one) => one === document.activeElement"):
            break
        keys(page, "Tab")
    keys(page, "Enter")
    expect(page.get_by_text("Decided. It is in force")).to_be_visible()
    decision = Decision.objects.get()
    assert (decision.by, decision.facts) == (mod, "You threatened a guest, twice.")
    assert {row.kind for row in decision.measures.all()} == {"warning"}
    assert EvidenceLine.objects.count() == 1 and EvidenceRange.objects.get().from_ms == 10_000
    assert {look.what for look in Look.objects.all()} == {"played", "lines"}


def test_on_a_phone_the_decision_is_at_hand_and_nothing_lies_over_the_focus(chromium: Chromium) -> None:
    case, mod = case_about_ada(transcription=False), staff("mod")
    page = opened(chromium, case, mod)
    resize(page, 390, 844)
    foot = page.locator(".console-foot")
    expect(foot).to_be_in_viewport()
    expect(foot).to_contain_text("Nobody has claimed it")
    foot.get_by_role("button", name="Claim").click()
    expect(foot).to_contain_text("Yours for 30 minutes")
    page.wait_for_selector("body[data-ready]")
    for _tab in range(45):
        keys(page, "Tab")
        covered = page.evaluate(
            """() => {
              const [one, foot] = [document.activeElement, document.querySelector(".console-foot")];
              const [box, over] = [one.getBoundingClientRect(), foot.getBoundingClientRect()];
              return !foot.contains(one) && box.top >= over.top && box.top < innerHeight ? one.outerHTML : "";
            }"""
        )
        assert not covered, covered
    page.evaluate("scrollTo(0, 0)")
    foot.get_by_role("link", name="Decide").click()
    expect(page.locator("#decide-head")).to_be_in_viewport()
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(foot).to_be_in_viewport()
    keys(page, "d")
    expect(page.locator('[name="outcome"]').first).to_be_focused()


def test_a_range_is_dragged_on_the_waveform(chromium: Chromium) -> None:
    """Swept by mouse, an end moved by keys and by a finger; a press alone is a place to go to, a scroll is nothing."""
    case = case_about_ada(transcription=False)
    page = opened(chromium, case, staff("mod"))
    wave, fields = page.locator("[data-wave]"), page.locator("[data-range-form] input:not([type=hidden])")
    wave.scroll_into_view_if_needed()
    box = wave.bounding_box()
    assert box is not None
    all_seconds = page.locator("[data-position]").evaluate("(slider) => Number(slider.max)")

    def at(second: float) -> tuple[float, float]:
        return box["x"] + box["width"] * second / all_seconds, box["y"] + box["height"] / 2

    page.mouse.move(*at(30))
    page.mouse.down()
    page.mouse.move(*at(35), steps=3)
    assert page.locator('[data-do="play"]').inner_text().startswith("Listen to 0:10"), "nothing is chosen yet"
    page.mouse.move(*at(40), steps=3)
    page.mouse.up()
    expect(page.locator("[data-told]")).to_have_text("From 0:30 to 0:40.")
    expect(page.locator('[data-do="play"]')).to_contain_text("Listen to 0:30–0:40")
    end = page.get_by_role("slider", name="End of the range")
    end.focus()
    keys(page, "ArrowRight", "PageDown")
    assert end.get_attribute("aria-valuetext") == "0:31", "ends stay a second apart"
    page.mouse.click(*at(20))
    expect(page.locator("[data-now]")).to_have_text("0:20")
    expect(fields.nth(0)).to_have_value("0:30")
    finger = {
        "pointerId": 7,
        "pointerType": "touch",
        "isPrimary": True,
        "button": 0,
        "bubbles": True,
        "cancelable": True,
    }
    end.evaluate("(grip) => { grip.closest('[data-wave]').setPointerCapture = () => undefined; }")
    for kind, second in (("pointerdown", 31), ("pointermove", 45), ("lostpointercapture", 45), ("pointerup", 45)):
        end.dispatch_event(kind, {**finger, "clientX": at(second)[0], "clientY": at(second)[1]})
    expect(fields.nth(1)).to_have_value("0:31")
    for kind, second in (("pointerdown", 31), ("pointermove", 45), ("pointerup", 45)):
        end.dispatch_event(kind, {**finger, "clientX": at(second)[0], "clientY": at(second)[1]})
    expect(fields.nth(1)).to_have_value("0:45")


def test_keys_are_listed_and_can_be_turned_off(chromium: Chromium) -> None:
    case = case_about_ada(transcription=False)
    page = opened(chromium, case, staff("mod"))
    keys(page, "?")
    expect(page.get_by_text("Mark the range as evidence")).to_have_count(0)  # nobody claimed it yet
    expect(page.get_by_text("Claim the case", exact=True)).to_be_visible()
    expect(page.locator("#keys-sheet dl")).to_contain_text("Space")
    page.get_by_label("Use single keys").uncheck()
    keys(page, "Escape", "c")
    page.wait_for_timeout(300)
    case.refresh_from_db()
    assert case.claimed_by is None


@pytest.mark.parametrize("language", ["en", "nl"])
def test_the_case_page_is_for_everybody(chromium: Chromium, language: str) -> None:
    """axe-core finds nothing on a case at work, on its preview and on a proposal, and nothing stands out of them."""
    case = case_about_ada()
    mod, second = staff("mod", language=language), staff("second", language=language)
    page = opened(chromium, case, mod)
    keys(page, "c")
    expect(page.locator("[data-decide]")).to_be_visible()
    page.wait_for_selector("body[data-ready]")
    keys(page, "o")
    expect(page.locator(".cue").first).to_be_visible()
    keys(page, "ArrowDown", "q")
    expect(page.locator(".cue.quoted")).to_have_count(1)
    wrong = looked_at(page, "case", language)
    form = page.locator("[data-decide]")
    form.locator('[value="violation"]').check()
    form.locator('[value="suspend"]').check()
    form.locator('[name="days_suspend"]').fill("60")
    form.locator('[name="rule"]').select_option(str(draft()["rule"]))
    form.locator('[name="facts"]').fill("You threatened a guest, twice, and did not stop when you were asked to.")
    form.locator("details summary").click()
    form.locator('[name="public_facts"]').fill("A speaker threatened a guest.")
    wrong += looked_at(page, "draft", language)
    keys(page, "Tab")
    form.locator('[data-key="p"]').click()
    expect(page.locator(".statement")).to_be_visible()
    wrong += looked_at(page, "preview", language)
    page.locator("#sure").check()
    page.locator('[value="decide"]').click()
    expect(page.locator("#decided-head")).to_be_visible()
    notice, head = (page.locator(one).bounding_box() for one in (".messages > .message", ".console-head"))
    assert notice and head and notice["x"] == head["x"] and notice["y"] + notice["height"] < head["y"]
    wrong += looked_at(page, "proposed", language)
    other = opened(chromium, case, second)
    other.locator('[data-key="a"]').click()
    expect(other.locator(".statement")).to_be_visible()
    wrong += looked_at(other, "second", language)
    assert not wrong, "\n".join(wrong)


def looked_at(page: Page, name: str, language: str) -> list[str]:
    look = in_every_look if language == "en" else in_every_size
    wrong = [f"{name}: {text}" for text in look(page)]
    resize(page, 320, 700)
    wrong += [f"{name}, 320 px: {text}" for text in overflow(page)]
    resize(page, 1280, 900)
    return wrong


def test_a_live_room_is_played_from_its_segments(chromium: Chromium) -> None:
    """Muted, from the reported second on, over the gap between two runs of the recorder."""
    room = open_room()
    ada = seated("ada", room)
    Room.objects.filter(pk=room.pk).update(started_at=timezone.now() - timedelta(seconds=60))
    room.refresh_from_db()
    record(room, 0, 500, begins=2, seconds=4)
    record(room, 1, 1000, begins=10, seconds=8)
    case = report(person("reporter"), room, subject=ada, from_ms=11_000, to_ms=15_000).case
    page = opened(chromium, case, staff("mod"))
    keys(page, " ")
    expect(page.locator('[data-do="play"]')).to_contain_text("Pause")
    expect(page.locator("[data-now]")).to_have_text("0:12")
    expect(page.locator('[data-do="play"]')).to_contain_text("Listen to 0:11–0:15")  # it stops where the range ends
    expect(page.locator("[data-now]")).to_have_text("0:15")
    assert page.evaluate("document.querySelector('[data-audio]').currentTime") < 10  # 5 s are in no segment
    assert {look.what for look in Look.objects.all()} == {"played"}
