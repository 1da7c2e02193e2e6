"""A prepared room in browsers: its host prepares and opens it, and who waits on its page is in it by itself."""

from __future__ import annotations

import re
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, expect

from rooms.models import Room
from social.actions.follows import follow
from tests.e2e.browser import PHONE, Chromium, in_every_look
from tests.e2e.test_dashboard import QUICK
from tests.e2e.test_removals_page import press
from tests.e2e.test_room import press_until
from tests.support.people import person
from tests.support.rooms import prepared_room


def fine(*pages: Page) -> None:
    wrong = [f"{page.url}: {text}" for page in pages for text in in_every_look(page)]
    assert not wrong, "\n".join(wrong)


def test_prepared_waited_for_and_opened_by_keyboard_alone(chromium: Chromium) -> None:
    host = person("host", creator=True, time_zone="Europe/Amsterdam", language="nl")
    lea = person("lea", time_zone="America/New_York")
    follow(lea, host)
    hers = chromium.page("/", host, locale="en-GB")
    press(hers, 'a[href$="?when=later"]')
    hers.wait_for_url("**/rooms/open/*")
    expect(hers.get_by_role("radio", checked=True).first).to_have_value("later")
    day = timezone.localtime(timezone.now() + timedelta(days=3)).date()
    hers.locator("#id_date").fill(f"{day:%Y-%m-%d}")
    hers.locator("#id_time").fill("20:00")
    press_until(hers, "Tab", "#id_title")
    hers.keyboard.type("Bread at dusk")
    fine(hers)
    hers.keyboard.press("Enter")
    hers.wait_for_url("**/r/*/")
    room = Room.objects.get()
    assert room.is_prepared and room.starts_wall == f"{day:%Y-%m-%d}T20:00"
    fine(hers)

    phone = chromium.context(lea, viewport=PHONE).new_page()
    chromium.listen_to(phone)
    phone.add_init_script(QUICK)
    chromium.go(phone, "/")
    press(phone, f'a[href="{room.get_absolute_url()}"]')
    expect(phone.locator("[data-countdown]")).to_have_text(re.compile("in [234] days"))
    expect(phone.locator("[data-elsewhere]")).to_contain_text("20:00 (time of Amsterdam)")
    fine(phone)

    # What its host changes is on the page that waits.
    press(hers, f'a[href="{room.get_absolute_url()}prepared/"]')
    hers.wait_for_url("**/prepared/")
    press_until(hers, "Tab", "#id_title")  # which marks what is in it
    hers.keyboard.type("Bread at dawn")
    fine(hers)
    hers.keyboard.press("Enter")
    hers.wait_for_url(f"**{room.get_absolute_url()}")
    expect(phone.get_by_role("heading", name="Bread at dawn")).to_be_visible()

    press(hers, f'form[action="{room.get_absolute_url()}open/"] button')
    hers.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    phone.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    expect(phone.locator(".seat[data-user=host]")).to_be_visible()
    assert Room.objects.get().is_live


def test_cancelled_it_says_so_on_the_page_that_waits(chromium: Chromium) -> None:
    room = prepared_room()
    guest = chromium.context(viewport=PHONE).new_page()
    chromium.listen_to(guest)
    guest.add_init_script(QUICK)
    chromium.go(guest, room.get_absolute_url())
    host = chromium.page("/dashboard/", room.host)
    fine(host)
    press(host, f'a[href="{room.get_absolute_url()}cancel/"]')
    host.wait_for_url("**/cancel/")
    fine(host)
    press(host, "form.stack .danger")
    expect(guest.get_by_text("Host cancelled it.")).to_be_visible()
    fine(guest)
