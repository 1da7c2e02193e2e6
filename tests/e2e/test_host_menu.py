"""Acts of the host's side in browsers: mutes that hold, asking to unmute, co-hosts, and a room handed over."""

from __future__ import annotations

import re
from typing import Any

from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from people.models import User
from rooms import actions
from rooms.models import HandOver, Room, Seat
from social.models import Follow
from tests.e2e.browser import LOOKS, PHONE, Chromium, axe, in_every_look, overflow, start_sound
from tests.e2e.test_manners import WATCH
from tests.e2e.test_room import open_card, press_until, seat_of
from tests.support.cohosts import with_cohosts
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import open_room, seated

KEPT = "A host keeps you muted: nobody hears you until a host lets you speak again."


def press_on_card(page: Page, handle: str, button: str) -> None:
    open_card(page, handle).get_by_role("button", name=button, exact=True).click()
    expect(page.locator("#person-sheet")).to_be_hidden()


def watched(chromium: Chromium, room: Room, user: User | None = None, **options: Any) -> Page:
    """A room's page that keeps what its live region gets, for `heard`: notices go by themselves."""
    page = chromium.room(room, user, **options)
    page.evaluate(WATCH)
    return page


def heard(page: Page, text: str) -> None:
    page.wait_for_function("(text) => told.some((one) => one.includes(text))", arg=text, timeout=60_000)


def offers(card: Locator, *acts: str) -> None:
    """Expect these acts of the host's side on this card, beside removing and blocking."""
    buttons = card.locator("[data-card-do]:not([data-card-do=remove], [data-card-do=block])").locator("visible=true")
    expect(buttons).to_have_count(len(acts))
    if acts:
        expect(buttons).to_have_text(list(acts))


def role_of(room: Room, user: User) -> str | None:
    return Seat.objects.filter(room=room, user=user, left_at=None).values_list("role", flat=True).first()


def test_asked_to_unmute_and_kept_muted(live_sound: Site, chromium: Chromium) -> None:
    """A host asks for a microphone, keeps it off, and lets it go; its owner reads what is so, also after a reload."""
    room = open_room()
    ada = seated("ada", room)
    host, hers, guest = (
        watched(chromium, room, room.host),
        watched(chromium, room, ada, viewport=PHONE),
        watched(chromium, room),
    )
    held, unmute, mute = (hers.locator(f'[data-do="{name}"]') for name in ("held", "unmute", "mute"))
    expect(unmute).to_be_visible()
    card = open_card(host, "ada")
    offers(card, "Keep muted", "Ask to unmute", "Make co-host", "Take off the stage")
    assert in_every_look(host) == []
    card.get_by_role("button", name="Ask to unmute").click()
    asked = hers.get_by_role("status").locator(".notice", has_text="Host asks you to unmute.")
    asked.get_by_role("button", name="Unmute").click()
    heard(host, "Ada was asked to unmute.")
    expect(mute).to_be_visible(timeout=30_000)
    expect(guest.locator(f"{seat_of('ada')}.open")).to_have_count(1)

    offers(open_card(host, "ada"), "Mute", "Keep muted", "Make co-host", "Take off the stage")
    card.get_by_role("button", name="Keep muted").click()
    heard(hers, "Host keeps you muted: nobody hears you")
    expect(held).to_have_text("A host keeps you muted")
    expect(mute.or_(unmute)).to_have_count(2)
    expect(mute.or_(unmute).locator("visible=true")).to_have_count(0)
    expect(guest.locator(seat_of("ada")).get_by_role("button")).to_have_accessible_name("Ada, kept muted by a host")
    assert axe(hers) == [] and overflow(hers) == []
    hers.keyboard.press("m")
    heard(hers, KEPT)
    hers.reload()
    hers.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    hers.evaluate(WATCH)
    held.click()
    heard(hers, KEPT)
    assert Seat.objects.get(room=room, user=ada, left_at=None).mute_held

    offers(open_card(host, "ada"), "Let them speak again", "Make co-host", "Take off the stage")
    expect(card.locator("[data-person-line]")).to_contain_text("kept muted by a host")
    assert in_every_look(host, LOOKS[:1]) == []
    card.get_by_role("button", name="Let them speak again").click()
    heard(hers, "You may unmute again.")
    expect(unmute).to_be_visible()
    unmute.click()
    expect(mute).to_be_visible(timeout=30_000)


def test_a_held_mute_is_told_on_the_next_seat(chromium: Chromium) -> None:
    room = open_room()
    ada = seated("ada", room)
    actions.hold_mute(room.pk, ada, by=room.host)
    actions.leave_seat(room.pk, ada)
    page = watched(chromium, room, ada)
    expect(page.locator('[data-do="held"]')).to_be_hidden()
    actions.take_seat(room.pk, ada)
    heard(page, KEPT)
    expect(page.locator('[data-do="held"]')).to_be_visible()


def test_all_are_muted_at_once(chromium: Chromium) -> None:
    """The panel says whom it means, and how many microphones were on. Co-hosts have no powers over each other."""
    room, (ada, bob) = with_cohosts("ada", "bob")
    cas = seated("cas", room)
    host, hers, guest = (
        watched(chromium, room, room.host),
        watched(chromium, room, ada, viewport=PHONE),
        watched(chromium, room),
    )
    for user in (bob, cas):
        actions.set_muted(room.pk, user, False, by=user)
    expect(guest.locator(".seat.open")).to_have_count(2)
    expect(guest.get_by_role("button", name="Mute all")).to_have_count(0)
    hers.locator('[data-do="panel"]').click()
    expect(hers.get_by_text("Turns the microphones of all speakers off")).to_be_visible()
    hers.get_by_role("button", name="Mute all").click()
    heard(hers, "1 microphone was turned off.")
    hers.locator('[data-do="panel"]').click()
    expect(guest.locator(f"{seat_of('bob')}.open")).to_have_count(1)
    actions.set_muted(room.pk, cas, False, by=cas)
    expect(host.get_by_text("Turns every microphone off but yours.")).to_be_visible()
    host.get_by_role("button", name="Mute all").click()
    heard(host, "2 microphones were turned off.")
    expect(guest.locator(".seat.open")).to_have_count(0)
    host.get_by_role("button", name="Mute all").click()
    heard(host, "No other microphone was on.")

    wanted_of = {
        "bob": [],
        "host": [],
        "ada": ["No longer co-host"],
        "cas": ["Keep muted", "Take off the stage"],  # whose page is not open: nobody would be asked
    }
    for handle, wanted in wanted_of.items():
        card = open_card(hers, handle)
        offers(card, *wanted)
        card.get_by_role("button", name="Close").click()
    press_on_card(host, "cas", "Make co-host")
    heard(host, "There are two co-hosts already.")


def test_a_card_closes_when_its_person_leaves(chromium: Chromium) -> None:
    """The focus would go back to the seat, which is gone too."""
    room = open_room()
    ada = seated("ada", room)
    page = chromium.room(room, person("lea"))
    expect(open_card(page, "ada")).to_be_visible()
    actions.leave_seat(room.pk, ada)
    expect(page.locator("#person-sheet")).to_be_hidden()
    expect(page.locator("#main")).to_be_focused()


def test_a_room_changes_hands_by_keyboard_alone(chromium: Chromium) -> None:
    """A speaker becomes co-host, then host; then the former host becomes a speaker again. Nobody touches a mouse."""
    room = open_room()
    ada = seated("ada", room)
    former = room.host
    host, hers, guest = watched(chromium, room, former), watched(chromium, room, ada), watched(chromium, room)
    expect(hers.locator("[data-hands], [data-entry-form], [data-mute-all]").locator("visible=true")).to_have_count(0)
    by_keyboard(host, "ada", "name_cohost", "Make Ada co-host?", "Make co-host")
    heard(hers, "You are co-host now")
    heard(guest, "Ada is co-host now.")
    expect(hers.locator("[data-hands], [data-entry-form], [data-mute-all]").locator("visible=true")).to_have_count(3)
    expect(host.locator(f"{seat_of('ada')}[data-role=cohost] .seat-who")).to_be_focused()

    by_keyboard(host, "ada", "hand_over", "Make Ada the host?", "Make host")
    heard(host, "Ada hosts this room now. You are co-host.")
    heard(hers, "You host this room now.")
    heard(guest, "Ada hosts this room now.")
    for page in (host, hers, guest):
        expect(page.locator(".hosted")).to_have_text("Hosted by Ada @ada")
        expect(page.locator("dd[data-host] a")).to_have_attribute("href", "/people/ada/")
    expect(hers.get_by_role("button", name="End room")).to_be_visible()
    expect(host.get_by_role("button", name="End room")).to_have_count(0)
    expect(host.get_by_role("link", name="Leave")).to_be_visible()
    expect(host.locator(f"{seat_of('ada')} .seat-who")).to_be_focused()
    assert HandOver.objects.get(room=room).to == ada and role_of(room, former) == "cohost"

    by_keyboard(hers, "host", "demote", "Host: no longer co-host?", "No longer co-host")
    told = "You are no longer co-host. You stay at the table as a speaker."
    heard(host, told)
    expect(host.locator("[data-hands], [data-entry-form], [data-mute-all]").locator("visible=true")).to_have_count(0)
    assert role_of(room, former) == "speaker"
    by_keyboard(hers, None, "end", "End the room for everybody?", "End room")
    expect(hers.locator("[data-table] a").locator("visible=true")).to_have_text(["Hear it again", "Your rooms"])
    expect(host.locator("[data-table] a").locator("visible=true")).to_have_text(["See who else is live"])


def by_keyboard(page: Page, handle: str | None, act: str, question: str, agree: str) -> None:
    """Press an act on somebody's card, or in the bar, and agree to what it asks."""
    if handle is None:
        press_until(page, "Tab", f'[data-do="{act}"]', most=80)
    else:
        press_until(page, "Tab", f"{seat_of(handle)} .seat-who", most=80)
        page.keyboard.press("Enter")
        expect(page.locator("#person-sheet")).to_be_visible()
        press_until(page, "Tab", f'[data-card-do="{act}"]')
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name=question)
    expect(sheet).to_be_visible()
    assert in_every_look(page, LOOKS[:3]) == []
    page.emulate_media(color_scheme="light")
    button = sheet.get_by_role("button", name=agree, exact=True)
    expect(button).not_to_be_focused()
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(sheet).to_be_hidden()


def test_a_cohost_steps_back_where_every_seat_is_taken(chromium: Chromium) -> None:
    room = open_room()
    Room.objects.filter(pk=room.pk).update(max_speakers=1)
    ada = seated("ada", room)
    actions.name_cohost(room.pk, ada, by=room.host)
    seated("bob", room)
    hers, guest = watched(chromium, room, ada, viewport=PHONE), watched(chromium, room)
    press_on_card(hers, "ada", "No longer co-host")
    sheet = hers.get_by_role("dialog", name="No longer be co-host?")
    expect(sheet.get_by_text("Every seat is taken, so you leave the table")).to_be_visible()
    sheet.get_by_role("button", name="Not now").click()
    assert role_of(room, ada) == "cohost"
    press_on_card(hers, "ada", "No longer co-host")
    sheet.get_by_role("button", name="No longer co-host").click()
    heard(hers, "Every seat was taken, so you left the table.")
    expect(hers.locator("[data-hands]")).to_be_hidden()
    expect(hers.locator(f"{seat_of('host')} .seat-who")).to_be_focused()
    expect(guest.locator(seat_of("ada"))).to_have_count(0)
    assert role_of(room, ada) is None


def test_the_host_is_away_and_a_cohost_becomes_host(chromium: Chromium) -> None:
    """The banner says when, in place of an end; then rights and words are those of the new host."""
    room, (ada,) = with_cohosts("ada")
    actions.set_speak_policy(room.pk, room.host, "followed")
    lea = person("lea")
    Follow.objects.create(follower=ada, followed=lea)
    page = watched(chromium, room, lea, viewport=PHONE)
    start_sound(page)
    take_seat, speak = page.locator('[data-do="take_seat"]'), page.locator("[data-speak]")
    expect(page.get_by_text("Here, people whom the host follows take a seat.")).to_be_visible()
    expect(speak).to_have_text("People Host follows.")
    actions.host_lost(room.pk, timezone.now())
    banner = page.get_by_role("status").get_by_text(re.compile(r"A co-host becomes host at \d\d:\d\d unless"))
    expect(banner).to_be_visible()
    assert axe(page) == [] and overflow(page) == []
    plain = chromium.page(room.get_absolute_url(), java_script_enabled=False)
    expect(plain.get_by_text("A co-host becomes host unless the host comes back.")).to_be_visible()
    assert actions.hand_over_to_cohost(room.pk, room.host_id, "host_gone", {})
    heard(page, "Ada hosts this room now.")
    expect(banner).to_be_hidden()
    expect(speak).to_have_text("People Ada follows.")
    expect(take_seat).to_be_visible()
    again = watched(chromium, room, User.objects.get(pk=room.host_id))
    expect(again.locator(".hosted")).to_have_text("Hosted by Ada @ada")
    expect(again.get_by_role("button", name="End room")).to_have_count(0)
