"""People around one table, each before a browser: sitting down, being kept in order, leaving, coming back."""

from __future__ import annotations

import re

from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from people.models import User
from rooms import actions
from rooms.models import Consent, Room, Seat
from social.models import Follow
from tests.e2e.browser import MEDIA_HANDLERS, MEDIA_SHOWN, PHONE, Chromium, start_sound
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import open_room, seated


def seat_of(handle: str) -> str:
    return f'.seat[data-user="{handle}"]'


def open_card(page: Page, handle: str) -> Locator:
    page.locator(seat_of(handle)).get_by_role("button").click()
    return page.locator("#person-sheet")


def press_until(page: Page, key: str, wanted: str, most: int = 40) -> None:
    """Press a key until the element has the focus: as somebody without a mouse does."""
    for _ in range(most):
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", wanted):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{wanted} was not reached by {key}")


def test_sitting_down_by_keyboard_alone(live_sound: Site, chromium: Chromium) -> None:
    """From the address to a place at the table without a mouse: consent first, then the microphone, then the seat."""
    room, ada = open_room(), person("ada")
    onlooker = chromium.room(room)
    page = chromium.room(room, ada, viewport=PHONE)
    page.wait_for_timeout(600)
    if page.locator('[data-do="listen"]').is_visible():  # Chromium may have taken the test's own doings for a click
        press_until(page, "Tab", '[data-do="listen"]')
        page.keyboard.press("Enter")
        expect(page.locator('[data-do="take_seat"]')).to_be_focused(timeout=15_000)
    press_until(page, "Tab", '[data-do="take_seat"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Before you speak")).to_be_visible()
    expect(page.locator("[data-check-go]")).to_be_disabled()
    assert not Consent.objects.filter(user=ada).exists()
    press_until(page, "Tab", "#check-consent")
    page.keyboard.press("Space")
    press_until(page, "Tab", "[data-check-open]")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This network lets you speak.")).to_be_visible(timeout=15_000)
    press_until(page, "Tab", "[data-check-go]")
    page.keyboard.press("Enter")
    expect(page.locator(seat_of("ada"))).to_be_visible()
    expect(page.get_by_role("button", name="Unmute")).to_be_visible()
    expect(onlooker.locator(seat_of("ada"))).to_be_visible()
    assert Consent.objects.filter(user=ada, room=room, text_version=settings.CONSENT_VERSION).exists()
    assert Seat.objects.get(room=room, user=ada, left_at=None).muted, "the microphone is off at the start"
    press_until(page, "Tab", '[data-do="unmute"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Mute", exact=True)).to_be_focused()
    expect(onlooker.locator(f"{seat_of('ada')}.open")).to_have_count(1)
    press_until(page, "Tab", '[data-do="leave_seat"]')
    page.keyboard.press("Enter")
    expect(onlooker.locator(seat_of("ada"))).to_have_count(0)


def test_the_host_keeps_order(chromium: Chromium) -> None:
    """Mute and take off the stage from the person's card; only who may sees the powers."""
    room = open_room()
    ada, bob = seated("ada", room), seated("bob", room)
    host, guest, hers = chromium.room(room, room.host), chromium.room(room), chromium.room(room, ada)
    hers.wait_for_timeout(600)
    actions.set_muted(room.pk, ada, False, by=ada)
    expect(guest.locator(f"{seat_of('ada')}.open")).to_have_count(1)
    guest.locator(seat_of("ada")).get_by_role("button").click()
    expect(guest.get_by_role("link", name="See their page")).to_be_visible()
    expect(guest.get_by_role("button", name="Take off the stage")).to_have_count(0)
    host.locator(seat_of("ada")).get_by_role("button").click()
    host.get_by_role("dialog").get_by_role("button", name="Mute", exact=True).click()
    expect(guest.locator(f"{seat_of('ada')}.open")).to_have_count(0)
    expect(hers.get_by_text("Host muted you.")).to_be_visible()
    host.locator(seat_of("bob")).get_by_role("button").click()
    host.get_by_role("button", name="Take off the stage").click()
    expect(guest.locator(seat_of("bob"))).to_have_count(0)
    assert not Seat.objects.filter(room=room, user=bob, left_at=None).exists()
    host.locator(seat_of("host")).get_by_role("button").click()
    expect(host.get_by_role("button", name="Take off the stage")).to_have_count(0)


def test_a_web_process_may_die(web: Site, chromium: Chromium) -> None:
    """The line is lost and comes back by itself; what happened in between is there."""
    room = open_room()
    page = chromium.room(room)
    web.kill("web")
    expect(page.get_by_text("The connection was lost. It is being made again…")).to_be_visible()
    seated("ada", room)
    web.start("web")
    expect(page.locator(seat_of("ada"))).to_be_visible(timeout=60_000)
    # What was under way when the process was killed breaks off, what is asked before it is back is refused.
    broken = re.compile("WebSocket|ERR_(CONNECTION|EMPTY_RESPONSE|INCOMPLETE_CHUNKED|CONTENT_LENGTH|SOCKET)")
    chromium.complaints[:] = [text for text in chromium.complaints if not broken.search(text)]


def test_opening_a_room(chromium: Chromium) -> None:
    """From the home page to one's own table, and it stands there for others."""
    host = person("host", creator=True)
    page = chromium.page("/", host, viewport=PHONE)
    expect(page.get_by_role("link", name="Open a table")).to_be_visible()
    page.get_by_role("link", name="Open the table").click()
    page.get_by_role("button", name="Open the table").click()
    assert not Room.objects.exists(), "a room without a title is not opened"
    page.get_by_label("What is it about?").fill("Voices & <b>tables</b>")
    page.get_by_label("People I follow").check()
    page.get_by_role("button", name="Open the table").click()
    expect(page.get_by_role("heading", name="Voices & <b>tables</b>")).to_be_visible()
    room = Room.objects.get()
    assert (room.speak_policy, room.host) == ("followed", host)
    assert Seat.objects.get(room=room).muted
    home = chromium.page("/")
    home.get_by_role("link", name=re.compile("^Voices &")).click()
    expect(home.get_by_role("heading", name="Voices & <b>tables</b>")).to_be_visible()
    page.goto(chromium.url + "/rooms/open/")
    assert page.url.endswith(room.get_absolute_url()), "who hosts a room is led there"


def test_who_may_not_open_is_told_how_to_ask(chromium: Chromium) -> None:
    page = chromium.page("/", person("guest"))
    expect(page.get_by_role("link", name="Host a table")).to_have_attribute("href", "/creators/")
    page.get_by_role("link", name="How to ask").click()
    assert page.url.endswith("/creators/")
    page.goto(chromium.url + "/rooms/open/")
    expect(page.get_by_role("heading", name="Only the creator group opens rooms")).to_be_visible()


def test_home_shows_followed_hosts_first(chromium: Chromium) -> None:
    first, second = open_room("anna"), open_room("bert")
    guest = person("guest")
    Follow.objects.create(follower=guest, followed=first.host)
    page = chromium.page("/", guest)
    links = page.get_by_role("navigation", name="Live people").get_by_role("link").all()
    assert [link.get_attribute("href") for link in links][1:] == [first.get_absolute_url(), second.get_absolute_url()]


def test_policy_is_told_in_place_of_a_seat(chromium: Chromium) -> None:
    """Nobody is offered what they may not do; they read why."""
    room = open_room(speak_policy="followed")
    lea = person("lea")
    page = chromium.room(room, lea, viewport=PHONE)
    start_sound(page)
    expect(page.get_by_text("Here, people whom the host follows take a seat.")).to_be_visible()
    expect(page.get_by_role("button", name="Take a seat")).to_have_count(0)
    expect(page.locator(".may-sit")).to_have_count(0)


def test_the_host_is_missed(chromium: Chromium) -> None:
    """A lost host is said, with the time at which the room ends; coming back takes it away."""
    room = open_room()
    page = chromium.room(room)
    actions.host_lost(room.pk, timezone.now())
    expect(page.get_by_text(re.compile(r"The room ends at \d\d:\d\d unless the host comes back"))).to_be_visible()
    chromium.room(room, User.objects.get(pk=room.host_id))
    expect(page.get_by_text(re.compile("The room ends at"))).to_be_hidden()


def test_the_lock_screen_knows_the_room_and_starts_and_stops_it(live_sound: Site, chromium: Chromium) -> None:
    room = open_room(title="Voices at the table")
    page = chromium.context().new_page()
    chromium.listen_to(page)
    page.add_init_script(MEDIA_HANDLERS)
    page.goto(chromium.url + room.get_absolute_url())
    page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    told = page.evaluate(MEDIA_SHOWN)
    assert (told["title"], told["artist"], len(told["artwork"])) == ("Voices at the table", "Host", 1)
    assert page.request.get(told["artwork"][0]).ok
    start_sound(page)
    listen = page.locator('[data-do="listen"]')
    for _time in range(2):
        page.evaluate("handlers.pause()")
        expect(listen).to_be_visible()
        page.evaluate("handlers.play()")
        expect(listen).to_be_hidden()
    page.evaluate("handlers.stop()")
    expect(listen).to_be_visible()
