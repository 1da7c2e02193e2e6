"""Pages of appeals in a browser: an appeal is decided by keyboard and button, with real sound, in every look."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import Page, expect

from moderation.models import Look, Review
from people.groups import ADMINISTRATORS, OUTSIDE_REVIEWERS, SENIORS
from people.models import User
from tests.e2e.browser import Chromium, in_every_look, overflow, resize
from tests.e2e.test_admin import staff_page
from tests.support.case_pages import draft
from tests.support.cases import concerned_appeal, violation
from tests.support.people import person
from tests.support.recordings import talked_room
from tests.support.reports import report
from tests.support.staff import with_fresh_step

QUEUE = "/admin/moderation/review/"
WORDS = (
    "I quoted the play that we had read the week before, and said so. Nobody was meant: listen to the minute before."
)


def staff(group: str, handle: str) -> User:
    user = with_fresh_step(person(handle, is_staff=True))
    user.groups.set(Group.objects.filter(name=group))
    return user


def appealed() -> Review:
    """The review of a suspension for something that was said from 10 to 20 s of a room with sound."""
    room = talked_room(title="What should the spring release fix first?")
    ada = User.objects.get(handle="ada")
    case = report(person("reporter"), room, subject=ada, from_ms=10_000, to_ms=20_000, words="She threatened bob.").case
    decision = violation(case, ("no_stage", 14), ("restrict", None), by=staff(SENIORS, "decider"))
    review = concerned_appeal(decision, WORDS).review
    Review.objects.filter(pk=review.pk).update(due_at=timezone.now() - timedelta(days=2))
    return review


def looked_at(page: Page, name: str) -> list[str]:
    wrong = [f"{name}: {text}" for text in in_every_look(page)]
    resize(page, 320, 700)
    wrong += [f"{name}, 320 px: {text}" for text in overflow(page)]
    resize(page, 1280, 900)
    return wrong


def test_an_appeal_is_decided_and_its_pages_are_for_everybody(chromium: Chromium) -> None:
    review = appealed()
    page = staff_page(chromium, staff(SENIORS, "mod"))
    chromium.go(page, QUEUE)
    expect(page.locator("[data-queue-review]")).to_have_count(1)
    wrong = looked_at(page, "queue")
    page.keyboard.press("n")
    page.wait_for_url(f"**{QUEUE}{review.pk}/")
    page.wait_for_selector("body[data-ready]")
    page.keyboard.press(" ")
    expect(page.locator('[data-do="play"]')).to_contain_text("Pause")
    page.wait_for_timeout(600)
    page.keyboard.press(" ")
    page.keyboard.press("o")
    expect(page.locator(".cue").first).to_be_visible()
    assert {look.what for look in Look.objects.filter(user__handle="mod")} == {"played", "lines"}
    form = page.locator("[data-decide]")
    expect(form.locator("[name=rule]")).to_be_hidden()
    form.locator('[value="replaced"]').check()
    form.locator("[name=reasons]").fill("The quote is from the play. What followed it was not: that stays a violation.")
    form.locator("[name=rule]").select_option(str(draft()["rule"]))
    form.locator("[name=facts]").fill("You shouted at a guest until they left.")
    form.locator('[value="warning"]').check()
    wrong += looked_at(page, "review")
    form.locator('[data-key="p"]').click()
    expect(page.locator(".statement")).to_be_visible()
    wrong += looked_at(page, "preview")
    page.locator('[value="decide"]').click()
    expect(page.locator("#outcome-head")).to_be_visible()
    wrong += looked_at(page, "decided")
    assert Review.objects.get().replacement is not None and not wrong, "\n".join(wrong)


def test_an_appeal_without_a_reviewer_is_given_away_on_a_page_for_everybody(chromium: Chromium) -> None:
    review = appealed()
    Review.objects.update(stranded_at=timezone.now())
    staff(OUTSIDE_REVIEWERS, "outer")
    page = staff_page(chromium, staff(ADMINISTRATORS, "boss"))
    chromium.go(page, QUEUE)
    wrong = looked_at(page, "stranded")
    page.locator("[data-stranded]").click()
    wrong += looked_at(page, "reviewer")
    page.get_by_label("Outside reviewer", exact=True).select_option(index=1)
    page.get_by_label("Why").fill("Everybody else had a part in it.")
    page.locator('[value="give"]').click()
    expect(page.locator('[value="end"]')).to_be_visible()
    wrong += looked_at(page, "given")
    assert review.outside.count() == 1 and not wrong, "\n".join(wrong)
