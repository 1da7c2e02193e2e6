"""The host panel beside the table and as a sheet on a phone; the audience searched; keys; who listens unseen."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from core import bus
from moderation.models import Report
from people.actions.account import update_profile
from people.models import User
from rooms import actions, presence, talk_time
from rooms.models import ListenerChoice, Room, ShareLink
from social.models import Follow
from tests.e2e.browser import LOOKS, PHONE, Chromium, axe, in_every_look, overflow, start_sound
from tests.e2e.test_host_menu import heard, watched
from tests.e2e.test_room import seat_of
from tests.support.people import person
from tests.support.rooms import consented, open_room


def listening(room: Room, *people: User) -> None:
    """Have people listen, seen, who have no page, as long as the test takes."""
    ListenerChoice.objects.bulk_create(ListenerChoice(room=room, user=user, unseen=False) for user in people)

    async def enter() -> None:
        async with bus.connect() as client:
            await presence.enter(client, room.pk, [(presence.user_key(user.pk), "page") for user in people])

    with ThreadPoolExecutor(1) as pool:  # Playwright's own loop runs in this thread
        pool.submit(lambda: asyncio.run(enter())).result()


def crowd(number: int) -> list[User]:
    rows = [User(handle=f"l{n}", display_name=f"Listener {n:03}", email="") for n in range(number)]
    return User.objects.bulk_create(rows)


def dialog_opens(page: Page, key: str, name: str) -> None:
    """A key opens a dialog, and Escape closes it with nothing done."""
    page.keyboard.press(key)
    sheet = page.get_by_role("dialog", name=name)
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_beside_the_table(chromium: Chromium, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stage, audience of a hundred, what happened; every key, and none while one types or once they are off."""
    monkeypatch.setattr(presence, "TTL", 600)
    room = open_room(speak_policy="invited")
    ada = consented(person("ada"), room)
    actions.raise_hand(room.pk, ada)
    listening(room, *crowd(100))
    bus.client().hset(talk_time.key_of(room.pk), mapping={str(room.host.pk): "83000"})
    host, guest = watched(chromium, room, room.host), watched(chromium, room)
    panel, rows = host.get_by_role("region", name="Host panel"), host.locator("[data-audience-list] li")
    table = host.locator("[data-table]")
    expect(panel.locator("[data-stage-count]")).to_have_text("0/10")
    expect(panel.locator("[data-stage-list] li").first).to_contain_text("1:23")
    host.locator("[data-audience]").scroll_into_view_if_needed()
    expect(rows).to_have_count(50)
    expect(table).to_be_in_viewport()
    expect(panel.locator("[data-audience-line]")).to_have_text("100 with a name · 1 without")
    panel.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(100)
    expect(rows.nth(50).get_by_role("button")).to_be_focused()

    an_audience_is_searched(host)
    assert in_every_look(host, LOOKS[2:]) == []
    keys_do_acts(host, room)
    names_change(host, guest, room, ada)
    keys_are_turned_off(host, room)


def an_audience_is_searched(host: Page) -> None:
    """And a listener's card offers what can be done about them, by number too."""
    rows, card = host.locator("[data-audience-list] li"), host.locator("#person-sheet")
    host.locator("#main").focus()
    host.keyboard.press("/")
    expect(host.locator("#audience-q")).to_be_focused()
    host.keyboard.type("nl 042")  # what is typed does nothing else: n and l are keys
    expect(rows).to_have_count(0)
    host.locator("#audience-q").fill("listener 042")
    expect(rows).to_contain_text(["Listener 042 @l42"])
    heard(host, "1 listener found.")
    rows.get_by_role("button").click()
    expect(card.locator("[data-person-line]")).to_have_text("@l42 · listens")
    acts = "[data-card-do]:not([data-card-do=remove], [data-card-do=block])"
    of_the_stage = card.locator(acts).locator("visible=true")
    expect(of_the_stage).to_have_count(0)
    buttons = card.locator(".card-acts .button").locator("visible=true").all_inner_texts()
    host.keyboard.press(str(1 + [text.strip() for text in buttons].index("Remove from the room")))
    expect(host.get_by_role("dialog", name="Remove Listener 042 from the room?")).to_be_visible()
    host.keyboard.press("Escape")
    rows.get_by_role("button").click()
    card.get_by_role("link", name="Report").click()
    report = host.get_by_role("dialog", name="Report something in this room")
    expect(report.get_by_label("Whom is it about?").locator("option:checked")).to_have_text("Listener 042 (@l42)")
    report.get_by_label("What happened?").select_option("hate")
    report.get_by_label("As far as I know").check()
    report.get_by_role("button", name="Send the report").click()
    expect(report.get_by_role("heading", name="We received it")).to_be_visible()
    assert Report.objects.get().subject == User.objects.get(handle="l42")
    report.get_by_role("button", name="Close").click()


def keys_do_acts(host: Page, room: Room) -> None:
    """Each says what became of it or moves the focus; with Ctrl and the like none does anything."""
    host.locator("#main").focus()
    for pressed in ("Control+l", "Alt+l", "Shift+L"):
        host.keyboard.press(pressed)
    assert not Room.objects.get(pk=room.pk).hands_locked
    host.keyboard.press("n")
    expect(host.locator(seat_of("ada"))).to_be_visible()
    heard(host, "Ada sat down.")
    host.keyboard.press("l")
    heard(host, "No new hands are taken now.")
    host.keyboard.press("a")
    heard(host, "No other microphone was on.")
    dialog_opens(host, "e", "End the room for everybody?")
    dialog_opens(host, "2", "Ada")
    host.keyboard.press("p")
    expect(host.locator("#panel-title")).to_be_focused()
    host.keyboard.press("i")
    expect(host.locator("#entry-policy")).to_be_focused()
    host.locator("#main").focus()
    host.keyboard.press("?")
    expect(host.get_by_role("dialog", name="Keys").locator("dl")).to_contain_text("Mute all")
    assert axe(host) == []
    host.keyboard.press("Escape")


def names_change(host: Page, guest: Page, room: Room, ada: User) -> None:
    """For everybody at once; what happened is in its list."""
    panel = host.locator("[data-panel]")
    update_profile(ada, display_name="Ada Anders")
    expect(guest.locator(seat_of("ada")).get_by_role("button")).to_have_accessible_name("Ada Anders, connection lost")
    expect(panel.locator("[data-stage-list]")).to_contain_text("Ada Anders")
    happened = panel.locator("[data-happened-list] li")
    expect(happened.first).to_contain_text("No new hands are taken.")
    expect(happened.nth(1)).to_contain_text("Ada sat down.")
    update_profile(room.host, display_name="Hanna")
    expect(guest.locator(".hosted")).to_contain_text("Hanna")


def keys_are_turned_off(host: Page, room: Room) -> None:
    keys = host.get_by_role("dialog", name="Keys")
    host.keyboard.press("?")
    with host.expect_response(lambda answer: answer.request.method == "PATCH") as saved:
        keys.get_by_role("checkbox").uncheck()
    assert saved.value.ok
    keys.get_by_role("button", name="Close").click()
    host.locator("#main").focus()
    host.keyboard.press("l")
    host.keyboard.press("?")
    expect(keys).to_be_hidden()
    host.reload()
    host.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    host.keyboard.press("?")
    expect(host.locator("[data-uses-keys]")).not_to_be_checked()
    expect(keys).to_be_hidden()
    assert not User.objects.get(pk=room.host.pk).uses_keys and Room.objects.get(pk=room.pk).hands_locked


def test_a_sheet_on_a_phone(chromium: Chromium, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened by the bar, with a count of hands; the bar stays in reach, the page does not. Then who is unseen."""
    monkeypatch.setattr(presence, "TTL", 600)
    room = open_room(speak_policy="invited")
    seated_ada = consented(person("ada"), room)
    actions.raise_hand(room.pk, seated_ada)
    lea = person("lea", name="Lea")
    fan = person("fan")
    Follow.objects.create(follower=fan, followed=lea)
    host, hers = watched(chromium, room, room.host, viewport=PHONE), watched(chromium, room, lea, viewport=PHONE)
    theirs = watched(chromium, room, fan)
    button, panel = host.locator('[data-do="panel"]'), host.locator("[data-panel]")
    expect(button).to_have_accessible_name("Panel 1 hand")
    expect(panel).to_be_hidden()
    button.click()
    expect(host.locator("#panel-title")).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "true")
    assert host.locator(".room-main").evaluate("(e) => e.inert") and not button.evaluate("(e) => e.inert")
    expect(button).to_be_in_viewport()
    host.locator("[data-audience]").scroll_into_view_if_needed()
    rows = host.locator("[data-audience-list]")
    expect(host.locator("[data-audience-line]")).to_have_text("0 with a name · 2 without")
    start_sound(theirs)
    expect(rows.get_by_role("listitem")).to_contain_text(["Fan"])
    unseen_at_the_door(hers, lea)
    expect(rows.get_by_role("listitem")).to_have_count(1)
    hers.get_by_label("Listen unseen").uncheck()
    heard(hers, "People may see that you listen.")
    expect(rows.get_by_role("listitem")).to_contain_text(["Fan", "Lea"])
    assert in_every_look(host, LOOKS[:2]) == [] and overflow(host) == []
    host.emulate_media(color_scheme="light")

    expect(theirs.locator("[data-faces]")).to_contain_text("Lea")
    hers.get_by_label("Listen unseen").check()
    assert axe(hers) == [] and overflow(hers) == []
    host.locator("#audience-q").fill("lea")
    heard(host, "0 listeners found.")
    expect(rows.get_by_role("listitem")).to_have_count(0)
    hers.get_by_role("button", name="Raise hand").click()
    hers.locator("[data-check-consent]").check()
    hers.locator("[data-check-go]").click()
    expect(button).to_have_accessible_name("Panel 2 hands")
    host.locator("#audience-q").scroll_into_view_if_needed()
    expect(rows.get_by_role("listitem")).to_contain_text(["Lea"])
    host.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(button).to_be_focused()
    assert not host.locator(".room-main").evaluate("(e) => e.inert")


def unseen_at_the_door(hers: Page, lea: User) -> None:
    """Beside Listen, before anybody reads the name: the sound begins, and it is never told that she is there."""
    expect(hers.get_by_text("Nobody here reads your name before you press Listen.")).to_be_visible()
    assert in_every_look(hers, LOOKS[:2]) == [] and overflow(hers) == []
    hers.get_by_role("button", name="Listen unseen").click()
    heard(hers, "You listen unseen: nobody here reads your name.")
    expect(hers.get_by_role("button", name="Listen unseen")).to_be_hidden()
    expect(hers.locator('[data-do="listen"]')).to_be_hidden()
    expect(hers.get_by_label("Listen unseen")).to_be_checked()
    assert list(ListenerChoice.objects.filter(user=lea).values_list("unseen", flat=True)) == [True]


def test_an_audience_of_ten_thousand(chromium: Chromium, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them is found on the host's page in seconds, a hundred times what it takes where nothing else runs."""
    monkeypatch.setattr(presence, "TTL", 3600)
    room = open_room()
    listening(room, *crowd(10_000))
    host = chromium.room(room, room.host)
    rows = host.locator("[data-audience-list] li")
    host.locator("[data-audience]").scroll_into_view_if_needed()
    expect(host.locator("[data-audience-line]")).to_have_text("10,000 with a name · 0 without", timeout=30_000)
    expect(rows).to_have_count(50)
    host.locator("#audience-q").fill("listener 9876")
    expect(rows).to_contain_text(["Listener 9876 @l9876"], timeout=30_000)


def test_the_address_is_at_hand_where_the_bar_has_no_place_for_it(chromium: Chromium) -> None:
    """In the panel, and beside Invite people. It says by whom people come, for those who are signed in."""
    room, fan = open_room(), person("fan")
    granted: dict[str, Any] = {"permissions": ["clipboard-read", "clipboard-write"]}
    host = watched(chromium, room, room.host, viewport=PHONE, **granted)
    expect(host.locator('[data-do="panel"]')).to_be_visible()
    host.locator('[data-do="panel"]').click()
    button = host.locator("[data-invitations]").get_by_role("button", name="Share")
    box = button.bounding_box()
    assert box is not None and box["height"] >= 44
    assert shared(host, button) == room.host
    theirs = watched(chromium, room, fan, **granted)
    assert shared(theirs, theirs.locator('[data-do="share"]')) == fan
    nobody = watched(chromium, room, **granted)
    assert shared(nobody, nobody.locator("[data-count] >> xpath=../..").get_by_role("button", name="Share")) is None
    assert ShareLink.objects.count() == 2


def shared(page: Page, button: Locator) -> User | None:
    """Press Share; returns the person whose address is in the clipboard then, or None for the room's own."""
    button.click()
    heard(page, "address")
    address = page.evaluate("navigator.clipboard.readText()")
    _room, _by, code = address.partition("?by=")
    return ShareLink.objects.get(code=code).by if code else None
