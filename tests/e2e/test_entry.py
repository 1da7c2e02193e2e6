"""Entry policies in browsers: the host changes them, and people who are no longer admitted see why."""

from __future__ import annotations

from playwright.sync_api import expect

from people.actions import standing
from rooms.models import Room
from social.actions.follows import follow
from tests.e2e.browser import PHONE, Chromium, axe
from tests.support.people import person
from tests.support.rooms import open_room, seated


def test_the_host_closes_the_room_to_people_who_are_signed_in(chromium: Chromium) -> None:
    room = open_room()
    ada = seated("ada", room)
    host, guest, hers = chromium.room(room, room.host), chromium.room(room), chromium.room(room, ada)
    expect(guest.get_by_label("Who may come in").get_by_role("combobox")).to_have_count(0)
    choice = host.locator("#entry-policy")
    choice.focus()
    choice.select_option("signed_in")
    host.keyboard.press("Tab")
    host.keyboard.press("Enter")
    told = "Everyone who is signed in can come in with this address."
    for page in (host, hers):
        expect(page.locator("[data-entry]")).to_have_text(told)
    expect(guest.locator("[data-notice]")).to_contain_text("Only people who are signed in")
    expect(guest.locator('[data-bar] [data-do="sign_in"]')).to_be_visible()
    expect(guest.locator('[data-bar] [data-do="listen"]')).to_be_hidden()
    assert Room.objects.get(pk=room.pk).entry_policy == "signed_in"
    expect(hers.locator(".seat[data-user=ada]")).to_be_visible()
    refused = chromium.page(room.get_absolute_url(), expect=401, viewport=PHONE)
    expect(refused.get_by_role("link", name="Sign in").last).to_be_visible()
    assert axe(host) == [] and axe(refused) == []


def test_the_host_changes_it_without_script(chromium: Chromium) -> None:
    room = open_room(entry_policy="followers")
    ada = person("ada")
    follow(ada, room.host)
    hers = chromium.room(room, ada)
    page = chromium.page(room.get_absolute_url(), room.host, java_script_enabled=False)
    expect(page.locator("[data-entry]")).to_have_text("People who follow Host can come in with this address.")
    page.locator("#entry-policy").select_option("invited")
    page.locator("[data-entry-form]").get_by_role("button", name="Change").click()
    expect(page.locator("[data-entry]")).to_contain_text("Nobody else can come in")
    expect(hers.locator("[data-notice]")).to_contain_text("its host chooses who may come in")
    assert Room.objects.get(pk=room.pk).entry_policy == "invited"


def test_a_suspended_person_is_told_why_the_page_ended(chromium: Chromium) -> None:
    room = open_room()
    ada = person("ada")
    page = chromium.room(room, ada)
    standing.impose_sanction(ada, "suspended", None, "shouting")
    expect(page.locator("[data-notice]")).to_have_text("This account is suspended.")
