"""Decisions and appeals in a browser: on a phone, by keyboard, from the link of a mail; without script."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import Page, expect

from moderation.actions.telling_people import send_notification
from moderation.models import Appeal, AppealDraft, AppealLink, Decision, Notification, Review
from people.models import User
from tests.e2e.browser import DESK, PHONE, Chromium, Look, in_every_look, overflow, resize
from tests.e2e.test_removals_page import press
from tests.e2e.test_room import press_until
from tests.support.cases import no_violation, open_case, review_decided, violation
from tests.support.people import person
from tests.support.recordings import talked_room

pytestmark = pytest.mark.django_db(transaction=True)
LINK = re.compile(r"/appeal/[A-Za-z0-9_-]{43}/")
NAME = "Ada van der Schaaf-Vriezekolk-Oosterhuis"
LOOKED_AT: tuple[Look, ...] = ((PHONE, "light"), (PHONE, "dark"), (DESK, "light"))
# Plays the sound of the page's first player into memory; its loudest sample.
PEAK = """async () => {
  const answer = await fetch(document.querySelector("audio").src);
  const sound = await new OfflineAudioContext(1, 1, 48000).decodeAudioData(await answer.arrayBuffer());
  return sound.getChannelData(0).reduce((most, one) => Math.max(most, Math.abs(one)), 0);
}"""


def suspended() -> tuple[Decision, User, str]:
    """A suspension for what was said from 10 to 14 s of a room with sound, and the path of the link that was mailed."""
    room = talked_room(title="What should the spring release fix first, and who has the time for it?")
    ada = User.objects.get(handle="ada")
    User.objects.filter(pk=ada.pk).update(display_name=NAME, language="nl", time_zone="Europe/Amsterdam")
    ada.refresh_from_db()
    case = open_case(room, person("lea"), subject=ada, from_ms=10_000, to_ms=14_000)
    decision = violation(case, ("suspend", 7), ("no_stage", 14), ("restrict", None))
    return decision, ada, told()


def told() -> str:
    """Tell everybody what waits; the path of the last link that was mailed."""
    for pk in Notification.objects.filter(told_at=None).order_by("pk").values_list("pk", flat=True):
        assert send_notification(pk)
    links = [link[0] for sent in mail.outbox if (link := LINK.search(str(sent.body)))]
    mail.outbox.clear()
    return links[0] if links else ""


def looked_at(page: Page, name: str) -> list[str]:
    wrong = [f"{name}: {text}" for text in in_every_look(page, LOOKED_AT)]
    resize(page, 320, 700)
    wrong += [f"{name}, 320 px: {text}" for text in overflow(page)]
    resize(page, **PHONE)
    return wrong


def test_an_appeal_from_a_mail_on_a_phone_by_keyboard_alone(chromium: Chromium) -> None:
    """The draft is kept by itself, the sound plays, the appeal is sent, and the same page says what follows."""
    decision, ada, link = suspended()
    page = chromium.page(link, viewport=PHONE)
    expect(page).to_have_url(re.compile(r"/appeal/$"))
    wrong = looked_at(page, "form")
    press(page, 'a[href="#write"]')
    press_until(page, "Tab", "textarea")
    page.keyboard.type("Ik las een toneelstuk voor")
    expect(page.get_by_role("status")).to_have_text(re.compile(r"\w+\."))
    page.reload()
    words = page.locator("textarea")
    expect(words).to_have_value("Ik las een toneelstuk voor")
    press_until(page, "Tab", "audio")
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('audio').currentTime > 0.3")
    assert page.evaluate(PEAK) > 0.05
    press_until(page, "Tab", "textarea")
    page.keyboard.press("Control+End")
    page.keyboard.type(", en zei dat.")
    press(page, '[value="file"]')
    expect(page.locator(".state")).to_be_visible()
    assert Appeal.objects.get().words == "Ik las een toneelstuk voor, en zei dat." and not AppealDraft.objects.exists()
    expect(page.locator("audio, textarea")).to_have_count(0)
    wrong += looked_at(page, "waiting")
    told()
    review_decided(Review.objects.get(), "upheld")
    page.reload()
    wrong += looked_at(page, "dismissed")
    AppealLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    page.goto(f"{chromium.url}/appeal/")
    wrong += looked_at(page, "expired")
    page.goto(f"{chromium.url}{link[:-3]}/")
    wrong += looked_at(page, "refused")
    chromium.complaints[:] = [text for text in chromium.complaints if not re.search(r"status of (404|410)", text)]
    page = chromium.page("/dashboard/", ada, expect=403, viewport=PHONE)
    wrong += looked_at(page, "suspended")
    press(page, '.button.main[href="/decisions/"]')
    page.wait_for_url("**/decisions/")
    wrong += looked_at(page, "own page")
    press(page, f'[href="/decisions/{decision.pk}/"]')
    page.wait_for_url(f"**/decisions/{decision.pk}/")
    wrong += looked_at(page, "statement")
    assert not wrong, "\n".join(wrong)


def test_without_script_a_suspended_person_saves_and_sends_and_a_reporter_reads_the_outcome(chromium: Chromium) -> None:
    decision, ada, _link = suspended()
    plain: dict[str, Any] = {"viewport": PHONE, "java_script_enabled": False}
    page = chromium.page(f"/decisions/{decision.pk}/", ada, **plain)
    page.locator(".button.main").press("Enter")
    page.fill("textarea", "Half a thought")
    page.locator('[value="save"]').press("Enter")
    expect(page.locator(".messages")).to_be_visible()
    chromium.go(page, f"/decisions/{decision.pk}/appeal/")
    expect(page.locator("textarea")).to_have_value("Half a thought")
    expect(page.locator("audio")).to_have_attribute("src", re.compile("/appeal/sound/"))
    page.fill("textarea", "A whole thought")
    page.locator('[value="file"]').press("Enter")
    expect(page.locator(".state")).to_be_visible()
    assert Appeal.objects.get().words == "A whole thought"
    review_decided(Review.objects.get(), "overturned")
    lea = User.objects.get(handle="lea")
    case = open_case(decision.case.room, lea, subject=User.objects.get(handle="bob"), words="W" * 60 + " and more.")
    no_violation(case)
    told()
    receipt = f"/reports/{case.reports.get().receipt}/"
    page = chromium.page(receipt, lea, **plain)
    page.locator(".button.main").press("Enter")
    expect(page.locator("textarea")).to_be_visible()
    page = chromium.page(receipt, lea, viewport=PHONE)
    wrong = looked_at(page, "receipt")
    chromium.go(page, f"{receipt}appeal/")
    wrong += looked_at(page, "the reporter's form")
    chromium.go(page, "/decisions/")
    wrong += looked_at(page, "own reports")
    page = chromium.page(f"/decisions/{decision.pk}/", ada, viewport=PHONE)
    wrong += looked_at(page, "granted")
    assert not wrong, "\n".join(wrong)
