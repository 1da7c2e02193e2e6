"""Reports in browsers: in a dialog of the room, on the page, from the replay; none is lost with the room."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from moderation.actions.questions import ask_reporter
from moderation.models import Case, Report
from people.models import User
from rooms import actions
from tests.e2e.browser import PHONE, Chromium, axe, overflow
from tests.e2e.test_manners import WATCH
from tests.e2e.test_removals_page import OUT, fine, press, told
from tests.e2e.test_room import open_card, press_until, seat_of
from tests.support.people import person
from tests.support.processes import Site
from tests.support.recordings import talked_room
from tests.support.rooms import open_room, seated

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_report_from_the_card_by_keyboard(chromium: Chromium) -> None:
    """In a dialog, so that the room goes on; what is wrong is said beside its field; the receipt has the focus."""
    room = open_room()
    ada, lea = seated("ada", room), person("lea")
    page, host = chromium.room(room, lea, viewport=PHONE), chromium.room(room, room.host)
    host.evaluate(WATCH)
    press(page, f"{seat_of('ada')} .seat-who")
    press(page, "[data-person-report]")
    sheet = page.get_by_role("dialog", name="Report something in this room")
    expect(sheet.get_by_label("Whom is it about?")).to_have_value("ada")
    expect(sheet.get_by_label("From")).to_have_value("0:00")
    expect(sheet.get_by_label("To", exact=True)).to_have_value(re.compile(r"0:\d\d|1:\d\d"))
    sheet.get_by_label("As far as I know, what I say is true").check()
    press(page, "[data-report-send]")
    expect(sheet.get_by_text("Choose what happened.")).to_be_visible()
    category = sheet.get_by_label("What happened?")
    expect(category).to_be_focused()
    fine(page)
    page.keyboard.type("Something else")
    expect(category).to_have_value("other")
    press(page, "[data-report-send]")
    words = sheet.get_by_label("In your own words")
    expect(words).to_be_focused()
    expect(category).not_to_have_attribute("aria-invalid", "true")
    page.keyboard.type("They shouted.")
    sheet.get_by_label("From").fill("50:00")
    sheet.get_by_label("To", exact=True).fill("51:00")
    press(page, "[data-report-send]")
    ends = sheet.get_by_label("To", exact=True)
    expect(sheet.get_by_text("The room was not that long.")).to_be_visible()
    expect(ends).to_be_focused()
    sheet.get_by_label("From").fill("0:00")
    ends.fill("0:01")
    press(page, "[data-report-send]")
    done = page.locator("[data-report-done]")
    expect(done).to_be_focused()
    row = Report.objects.get()
    expect(done).to_contain_text(str(row.receipt))
    fine(page)
    assert (row.subject, row.reporter, row.category_id, row.words) == (ada, lea, "other", "They shouted.")
    assert row.from_ms == 0 and (row.to_ms or 0) <= 1000
    press(page, "[data-report-done] .button")
    expect(page.locator(f"{seat_of('ada')} .seat-who")).to_be_focused()
    assert told(host) == [], "nobody in the room learns of it"
    assert page.evaluate("() => document.querySelector('[data-live]').textContent") == "Live"
    # The server refused values and said so to the console, as it should.
    chromium.complaints[:] = [text for text in chromium.complaints if "status of 400" not in text]


def test_who_was_put_out_still_reports_from_the_open_page(chromium: Chromium) -> None:
    room = open_room()
    ada = seated("ada", room)
    page = chromium.room(room, ada, viewport=PHONE)
    actions.remove_person(room.pk, ada, by=room.host)
    expect(page.get_by_text(OUT)).to_be_focused()
    page.get_by_role("link", name="Report this room").click()
    sheet = page.get_by_role("dialog", name="Report something in this room")
    sheet.get_by_label("Whom is it about?").select_option("host")
    sheet.get_by_label("What happened?").select_option("harassment")
    sheet.get_by_label("As far as I know, what I say is true").check()
    sheet.get_by_role("button", name="Send the report").click()
    expect(page.locator("[data-report-done]")).to_be_focused()
    expect(page.locator("[data-report-done]")).to_contain_text(str(Report.objects.get().receipt))
    assert Report.objects.get().subject == room.host


@pytest.mark.parametrize("ending", ["the room ends", "the writer is removed"])
def test_a_report_that_is_being_written_outlives_the_room(chromium: Chromium, ending: str) -> None:
    """The person who is reported may close the room to the writer before it is sent."""
    room = open_room()
    ada = seated("ada", room)
    page = chromium.room(room, ada, viewport=PHONE)
    page.get_by_role("link", name="Report this room").click()
    sheet = page.get_by_role("dialog", name="Report something in this room")
    sheet.get_by_label("What happened?").select_option("harassment")
    words = sheet.get_by_label("In your own words")
    words.fill("They shouted.")
    sheet.get_by_label("As far as I know, what I say is true").check()
    if ending == "the room ends":
        actions.end_room(room.pk, room.host)
        expect(page.locator("[data-table].over")).to_be_attached()
    else:
        actions.remove_person(room.pk, ada, by=room.host)
        expect(page.get_by_text(OUT)).to_be_visible()
    expect(words).to_have_value("They shouted.")
    sheet.get_by_role("button", name="Send the report").click()
    done = page.locator("[data-report-done]")
    expect(done).to_be_focused()
    row = Report.objects.get()
    assert (row.reporter, row.words) == (ada, "They shouted.")
    expect(done).to_contain_text(str(row.receipt))
    done.get_by_role("button", name="Close").click()
    expect(sheet).to_be_hidden()
    assert page.evaluate("() => document.activeElement !== document.body")


def test_the_page_of_a_report(chromium: Chromium) -> None:
    """From a room without an account, in a tab of its own; and with one, without script, by keyboard."""
    room = open_room()
    seated("ada", room)
    path = f"/rooms/{room.slug}/report/"
    stranger = chromium.room(room, viewport=PHONE)
    card = open_card(stranger, "ada")
    with stranger.expect_popup() as opened:
        card.get_by_role("link", name="Report").click()
    form = opened.value
    expect(form).to_have_url(re.compile(r"/report/\?kind=room&what="))
    expect(form.get_by_label("Whom in the room is it about?")).to_have_value("ada")
    expect(form.get_by_label("From")).to_have_value("0:00")
    expect(form.get_by_label("To", exact=True)).to_have_value(re.compile(r"0:\d\d|1:\d\d"))
    assert axe(form) == [] and overflow(form) == []
    lea = person("lea")
    page = chromium.page(f"{path}?about=ada", lea, java_script_enabled=False)
    press_until(page, "Tab", "#id_category", most=80)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="What happened? Choose what happened.")).to_be_visible()
    press_until(page, "Tab", "#id_category", most=80)
    page.keyboard.type("Harassment")
    press(page, "#id_good_faith", "Space")
    press(page, "main .button.main")
    expect(page.get_by_role("heading", name="We received it")).to_be_visible()
    row = Report.objects.get()
    expect(page.locator("main code")).to_have_text(str(row.receipt))
    assert row.subject == User.objects.get(handle="ada")
    a_question_is_answered(page, row)
    chromium.complaints[:] = [text for text in chromium.complaints if "status of 400" not in text]


def a_question_is_answered(page: Page, row: Report) -> None:
    """On the receipt's own page, as the browser sends it: a policy that hides the address may not make it a forgery."""
    moderator = person("moderator")
    Case.objects.filter(pk=row.case_id).update(
        claimed_by=moderator, claimed_until=timezone.now() + timedelta(minutes=30)
    )
    ask_reporter(row, moderator, "When was it?")
    page.reload()
    page.get_by_label("Your answer").fill("In the first minute.")
    page.get_by_role("button", name="Send the answer").click()
    expect(page.get_by_text("In the first minute.")).to_be_visible()
    assert overflow(page) == []


def test_a_report_from_where_the_replay_stands(web: Site, chromium: Chromium) -> None:
    room = talked_room()
    page = chromium.page(f"/r/{room.slug}/replay/#t=10-14.5", room.host)
    page.wait_for_selector("[data-replay][data-ready]")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Report 0:10 – 0:14").click()
    form = opened.value
    expect(form.get_by_label("From")).to_have_value("0:10")
    expect(form.get_by_label("To", exact=True)).to_have_value("0:15")
    expect(form.get_by_label("Whom is it about?").locator("option")).to_have_count(3)
    assert axe(page) == [] and overflow(page) == []
