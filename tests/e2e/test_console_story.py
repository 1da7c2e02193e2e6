"""Stories of the console in browsers: from the queue to a second moderator, and what measures change on open pages."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from moderation.models import Case, Decision
from people.models import User
from rooms import actions
from rooms.models import Room
from tests.e2e.browser import Chromium
from tests.e2e.test_admin import staff_page
from tests.e2e.test_case_page import case_about_ada, keys
from tests.support.case_pages import draft, staff
from tests.support.people import person
from tests.support.rooms import consented, open_room

QUEUE = "/admin/moderation/case/"


def test_a_suspension_from_the_queue_to_the_stage_and_the_clock(chromium: Chromium) -> None:
    """The next case by a key, looked at, proposed: the subject loses the stage at once. Approved: the copy is kept for
    90 days, and the host's list says so."""
    case = case_about_ada()
    ada, room = User.objects.get(handle="ada"), Room.objects.get(host__handle="host")
    table = open_room("hanna")
    actions.take_seat(table.pk, consented(ada, table))
    hers = chromium.page(table.get_absolute_url(), ada)
    expect(hers.locator("[data-seats]")).to_contain_text(ada.display_name)
    page = staff_page(chromium, staff("mod"))
    chromium.go(page, QUEUE)
    expect(page.locator("[data-queue-case]")).to_have_count(1)
    keys(page, "n")
    page.wait_for_url(f"**{QUEUE}{case.pk}/")
    page.wait_for_selector("body[data-ready]")
    keys(page, "o")
    expect(page.locator(".cue").first).to_be_visible()
    form = page.locator("[data-decide]")
    form.locator('[value="violation"]').check()
    form.locator('[name="rule"]').select_option(str(draft()["rule"]))
    form.locator('[name="facts"]').fill("You threatened a guest, twice.")
    form.locator("details summary").click()
    form.locator('[name="public_facts"]').fill("A speaker threatened a guest.")
    form.locator('[value="suspend"]').check()
    form.locator('[name="days_suspend"]').fill("60")
    form.locator('[data-key="p"]').click()
    page.locator("#sure").check()
    page.locator('[value="decide"]').click()
    expect(page.locator("#decided-head")).to_be_visible()
    assert Decision.objects.get().state == "proposed"
    expect(hers.locator("[data-notice]")).to_have_text("This account is suspended.")
    assert not table.seats.filter(user=ada, left_at=None).exists()

    dashboard = chromium.page("/dashboard/", room.host)
    clock = dashboard.locator("[data-retention]")
    expect(clock).not_to_contain_text("a decision found a violation")
    second = staff_page(chromium, staff("second"))
    chromium.go(second, f"{QUEUE}{case.pk}/")
    second.wait_for_selector("body[data-ready]")
    keys(second, "a")
    second.wait_for_url("**/second/")
    second.locator("#sure").check()
    second.get_by_role("button", name="Approve").click()
    expect(second.locator("#decided-head")).to_be_visible()
    assert Decision.objects.get().state == "standing" and Case.objects.get().state == "decided"
    dashboard.reload()
    expect(clock).to_contain_text("because a decision found a violation")
    expect(clock).to_contain_text("90 days left")


def test_a_title_that_moderators_remove_goes_from_open_pages_in_the_words_of_their_reader(chromium: Chromium) -> None:
    """With its topic, from the heading, the table and what is told about the room; both come back."""
    room = open_room(title="Insulting title", topic="More of it")
    page = chromium.room(room, person("nel", language="nl"))
    heading, topic = page.get_by_role("heading", level=1), page.locator("[data-on-table]")
    expect(topic).to_have_text("More of it")
    row = actions.take_down_title(room, None)
    expect(heading).to_have_text("Titel verwijderd")
    expect(heading).to_have_attribute("lang", "nl")
    expect(page).to_have_title(re.compile("^Titel verwijderd"))
    assert "More of it" not in page.locator("main").inner_text() and topic.inner_text() == ""
    actions.put_back_title(row, None)
    expect(heading).to_have_text("Insulting title")
    expect(heading).to_have_attribute("lang", "en")
    expect(topic).to_have_text("More of it")
