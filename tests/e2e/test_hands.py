"""Hands in browsers: raised after consent, let up, declined, lowered; and a speak policy changed while live."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from core import bus
from rooms import actions
from rooms.models import Hand, Room, Seat
from tests.e2e.browser import PHONE, Chromium, axe, overflow, start_sound
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import consented, open_room, seated


def test_a_hand_is_raised_and_let_up(live_sound: Site, chromium: Chromium) -> None:
    room = open_room(speak_policy="followed")
    bert = consented(person("bert"), room)
    host, hers = chromium.room(room, room.host), chromium.room(room, person("ada"), viewport=PHONE)
    second = chromium.room(room, person("carl"))
    actions.raise_hand(room.pk, bert)
    panel, bar = host.locator("[data-hands]"), hers.locator("[data-bar]")
    expect(host.locator('[data-do="hands"]')).to_have_text("1 hand")
    expect(second.locator("[data-hands]")).to_be_hidden()
    start_sound(hers)
    bar.get_by_role("button", name="Raise hand").click()
    hers.locator("[data-check-consent]").check()
    hers.locator("[data-check-go]").click()
    expect(bar).to_contain_text("Number 2")
    expect(panel.locator("li")).to_have_count(2)
    hers.reload()
    start_sound(hers)
    expect(bar).to_contain_text("Number 2")
    assert overflow(hers) == [] and axe(host) == [] and axe(hers) == []
    panel.locator("li[data-user=bert]").get_by_role("button", name="Decline").click()
    expect(bar).to_contain_text("Number 1")
    panel.get_by_role("button", name="Let the next one up").click()
    expect(hers.locator("[data-notice]")).to_contain_text("Host let you up.")
    expect(bar.get_by_role("button", name="Unmute")).to_be_visible()
    expect(host.locator(".seat[data-user=ada]")).to_be_visible()
    expect(panel.locator("li")).to_have_count(0)
    assert set(Hand.objects.values_list("outcome", flat=True)) == {"seated", "declined"}


def test_a_snapshot_puts_hands_in_their_order_and_none_twice(
    chromium: Chromium, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages of hands that were raised at once may arrive in any order; the snapshot after it has the right one."""
    room = open_room(speak_policy="followed")
    people = [consented(person(handle), room) for handle in ("ada", "bert", "carl")]
    host = chromium.room(room, room.host)
    held: list[tuple[str, str]] = []
    with monkeypatch.context() as patched:
        patched.setattr(bus, "publish_many", held.extend)
        for user in people:
            actions.raise_hand(room.pk, user)
    bus.publish_many(list(reversed(held)))
    rows = host.locator("[data-hands] li[data-user]")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_have_attribute("data-user", "carl")
    host.context.set_offline(True)
    expect(host.get_by_text("No connection to the room")).to_be_visible()
    host.context.set_offline(False)
    expect(host.get_by_text("No connection to the room")).to_be_hidden()
    expect(rows.nth(0)).to_have_attribute("data-user", "ada")
    expect(rows).to_have_count(3)
    assert rows.evaluate_all("(all) => all.map((one) => one.dataset.user)") == ["ada", "bert", "carl"]
    chromium.complaints.clear()  # that there was no network


def test_hands_go_down_by_their_owner_and_by_leaving(chromium: Chromium) -> None:
    room = open_room(speak_policy="invited")
    page = chromium.room(room, consented(person("ada"), room))
    start_sound(page)
    bar = page.locator("[data-bar]")
    bar.get_by_role("button", name="Raise hand").click()
    bar.get_by_role("button", name="Lower hand").click()
    bar.get_by_role("button", name="Raise hand").click()
    expect(bar.get_by_role("button", name="Lower hand")).to_be_visible()
    bar.get_by_role("link", name="Leave").click()
    page.wait_for_url(chromium.url + "/")
    expect(page.get_by_role("heading").first).to_be_visible()
    outcomes = Hand.objects.order_by("id").values_list("outcome", flat=True)
    for _try in range(100):
        if list(outcomes.all()) == ["lowered", "left"]:
            break
        page.wait_for_timeout(100)
    assert list(outcomes.all()) == ["lowered", "left"]


def test_a_tighter_speak_policy_asks_about_those_on_stage(chromium: Chromium) -> None:
    room = open_room()
    guest = seated("guest", room)
    host, listener = chromium.room(room, room.host), chromium.room(room, person("ada"))
    host.locator("#speak-policy").select_option("followed")
    host.locator("[data-speak-form]").get_by_role("button", name="Change").click()
    sheet = host.get_by_role("dialog", name="What about those who sit at the table already?")
    expect(sheet.get_by_role("listitem")).to_have_text(["Guest"])
    assert axe(host) == []
    sheet.get_by_role("button", name="They stay").click()
    expect(listener.locator("[data-speak]")).to_have_text("People Host follows.")
    assert Seat.objects.filter(room=room, user=guest, left_at=None).exists()
    host.locator("[data-speak-form]").get_by_role("button", name="Change").click()
    sheet.get_by_role("button", name="Take them off the stage").click()
    expect(host.locator(".seat[data-user=guest]")).to_have_count(0)
    assert Room.objects.get(pk=room.pk).speak_policy == "followed"
