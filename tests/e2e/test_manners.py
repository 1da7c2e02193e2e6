"""How the room's page treats its reader: leaving, what is told and read out, one's microphone, what lies in sight."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from people.models import User
from rooms import actions
from rooms.models import Room, Seat
from social.models import Follow
from tests.e2e.browser import DESK, PHONE, Chromium, axe, overflow, resize, sit_down_and_speak
from tests.e2e.test_pages import LONG_TITLE, full_room
from tests.e2e.test_room import press_until, seat_of
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import is_connected, open_room, seated
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
SIDEWAYS = {"width": 844, "height": 390}
# Counts what the live region gets: each is read out.
WATCH = """() => {
  window.told = [];
  new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach((node) =>
    window.told.push(node.textContent)))).observe(document.querySelector('[data-notice]'), {childList: true});
}"""


def seats_of(room: Room) -> set[str]:
    return set(Seat.objects.filter(room=room, left_at=None).values_list("user__handle", flat=True))


def top_of_table(page: Page) -> float:
    return float(page.evaluate("() => document.querySelector('[data-table]').getBoundingClientRect().top + scrollY"))


def test_leaving_frees_the_seat_at_once(chromium: Chromium) -> None:
    """By keyboard alone; by another link only when asked; the host hears what happens to the room."""
    room = open_room()
    ada, bob = seated("ada", room), seated("bob", room)
    hers, his, host = chromium.room(room, ada, viewport=PHONE), chromium.room(room, bob), chromium.room(room, room.host)
    expect(hers.locator('[data-do="leave"]')).to_have_text(re.compile("Leave"))
    press_until(hers, "Tab", '[data-do="leave"]')
    hers.keyboard.press("Enter")
    expect(hers).to_have_url(chromium.url + "/")
    assert seats_of(room) == {"host", "bob"}
    wait_until(lambda: not is_connected(room.pk, ada.pk), 30, "the page's line is closed")

    his.get_by_role("link", name="Stamtafel").click()
    sheet = his.get_by_role("dialog", name="Leave the room?")
    expect(sheet.get_by_text("your seat is free")).to_be_visible()
    assert axe(his) == []
    sheet.get_by_role("button", name="Stay").click()
    assert seats_of(room) == {"host", "bob"}

    host.get_by_role("link", name="Stamtafel").click()
    sheet = host.get_by_role("dialog", name="Leave the room?")
    minutes = round(settings.ROOM_HOST_GRACE_SECONDS / 60)
    expect(sheet.get_by_text(f"the room ends by itself after {minutes} minute")).to_be_visible()
    sheet.get_by_role("button", name="Leave", exact=True).click()
    expect(host).to_have_url(chromium.url + "/")
    assert seats_of(room) == {"host", "bob"}, "the room waits for its host"


def test_what_is_told_and_what_is_read_out(web: Site, chromium: Chromium) -> None:
    """One live region. Who moves is said in one sentence; a host that is lost and back, and the end, at once."""
    room = open_room()
    bob = seated("bob", room)
    page, his = chromium.room(room), chromium.room(room, bob)
    assert page.locator("[role=status]:not(dialog *), [aria-live]").count() == 1
    page.evaluate(WATCH)
    his.evaluate(WATCH)
    for handle in ("ada", "cas", "dee"):
        seated(handle, room)
    page.wait_for_function("() => told.length === 1")
    actions.host_lost(room.pk, timezone.now())
    expect(page.get_by_role("status").get_by_text("The host lost the connection.")).to_be_visible()
    actions.host_back(room.pk)
    expect(page.get_by_role("status").get_by_text("The host is back.")).to_be_visible()
    actions.set_muted(room.pk, bob, False, by=bob)
    actions.set_muted(room.pk, bob, True, by=room.host)
    actions.unseat(room.pk, bob, room.host)
    expect(his.get_by_text("You were taken off the stage.")).to_be_visible()
    expect(his.get_by_text("Host muted you.")).to_be_visible()
    page.wait_for_function("() => told.length === 3")

    top = top_of_table(page)
    page.context.set_offline(True)
    offline = page.get_by_text("You are offline.")
    expect(offline).to_be_visible()
    expect(page.locator("[data-live]")).to_have_text("Not connected")
    expect(page.locator(".may-sit, [data-do=take_seat]:visible")).to_have_count(0)
    expect(page.get_by_text("No connection to the room.")).to_be_visible()
    assert top_of_table(page) == top, "a notice moves nothing"
    page.wait_for_timeout(6000)  # it tries again several times
    page.context.set_offline(False)
    expect(offline).to_be_hidden()
    expect(page.locator("[data-live]")).to_have_text("Live")
    expect(page.get_by_text("You are back.")).to_be_visible()
    actions.end_room(room.pk, room.host)
    page.wait_for_function("() => told.at(-1) === 'The room is over.'")
    told = page.evaluate("() => told")

    reconnecting = [text for text in told if text.startswith("The connection was lost")]
    assert len(reconnecting) <= 1
    assert [text for text in told if text not in reconnecting] == [
        "3 people sat down.",
        "The host is back.",
        "Bob left the table.",
        "You are offline. The room goes on; you are brought back by yourself when the network is.",
        "You are back.",
        "The room is over.",
    ]
    chromium.complaints[:] = [text for text in chromium.complaints if "ERR_INTERNET_DISCONNECTED" not in text]


def choose_keys(page: Page, on: bool) -> None:
    """Turn the keys on or off in their dialog."""
    page.get_by_role("button", name="Show the keys").click()
    page.locator("[data-uses-keys]").set_checked(on)
    page.get_by_role("dialog", name="Keys").get_by_role("button", name="Close").click()


def test_ones_own_microphone(live_sound: Site, chromium: Chromium) -> None:
    """Unmute leads through the check to an open one. M mutes, also offline; taken off the stage is said as that."""
    room = open_room()
    ada = seated("ada", room)
    page, host = chromium.room(room, ada, viewport=PHONE), chromium.room(room, room.host)
    sit_down_and_speak(host)
    mute, unmute = page.locator('[data-do="mute"]'), page.locator('[data-do="unmute"]')
    unmute.click()
    expect(mute).to_be_visible(timeout=30_000)
    colours = "(e) => getComputedStyle(e).backgroundColor"
    assert mute.evaluate(colours) == page.locator("[data-live]").evaluate(colours), "open is green"
    page.wait_for_function(
        """() => parseFloat(document.querySelector('[data-do="mute"]').style.getPropertyValue('--level')) > 0"""
    )
    assert axe(page) == []
    choose_keys(page, False)
    page.keyboard.press("m")
    expect(mute).to_be_visible()
    choose_keys(page, True)
    page.keyboard.press("m")
    expect(unmute).to_be_visible()
    expect(host.locator(f"{seat_of('ada')}.open")).to_have_count(0)
    assert unmute.evaluate(colours) != mute.evaluate(colours)
    page.keyboard.press("m")
    expect(host.locator(f"{seat_of('ada')}.open")).to_have_count(1)
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline.")).to_be_visible()
    page.keyboard.press("m")
    expect(mute).to_be_hidden()
    page.context.set_offline(False)
    expect(host.locator(f"{seat_of('ada')}.open")).to_have_count(0)
    expect(page.get_by_text("You are back at the table. Your microphone is off.")).to_be_visible()
    expect(page.get_by_text("Your microphone is on.")).to_have_count(0)
    page.evaluate(WATCH)

    take_off(host, "ada")
    host.get_by_role("button", name="Undo").click()
    expect(host.get_by_role("button", name="Undo")).to_have_count(0)
    expect(page.locator('[data-do="leave_seat"]')).to_be_visible()
    take_off(host, "ada")
    expect(page.get_by_text("You were taken off the stage.")).to_be_visible(timeout=20_000)
    expect(host.locator(".notice", has_text="Ada was taken off the stage.")).to_be_visible()
    page.wait_for_timeout(1000)
    assert page.evaluate("() => told.filter((text) => text.startsWith('Your microphone stopped'))") == []
    chromium.complaints[:] = [text for text in chromium.complaints if "ERR_INTERNET_DISCONNECTED" not in text]


def take_off(host: Page, handle: str) -> None:
    host.locator(seat_of(handle)).get_by_role("button").click()
    host.get_by_role("button", name="Take off the stage").click()


def test_a_strangers_way(chromium: Chromium) -> None:
    """Free chairs and both links in the head lead back to the room; a card follows, and so does a room that is over."""
    room = open_room()
    ada = seated("ada", room)
    path = room.get_absolute_url()
    page = chromium.room(room, viewport=PHONE)
    for name in ("Sign in", "Sign up"):
        link = page.get_by_role("banner").get_by_role("link", name=name)
        assert (link.get_attribute("href") or "").endswith(f"?next={quote(path, safe='')}")
    page.get_by_role("banner").locator("summary").click()
    page.get_by_role("button", name="Nederlands").click()
    expect(page.locator("html")).to_have_attribute("lang", "nl")
    assert page.url == chromium.url + path
    page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    page.locator(".seat.free").first.click()
    expect(page).to_have_url(re.compile(rf"/accounts/login/\?next={quote(path, safe='')}$"))

    lea = person("lea")
    page = chromium.room(room, lea)
    page.locator(seat_of("ada")).get_by_role("button").click()
    page.get_by_role("dialog").get_by_role("button", name="Follow", exact=True).click()
    expect(page.get_by_role("dialog").get_by_role("button", name="Unfollow")).to_be_visible()
    assert Follow.objects.filter(follower=lea, followed=ada).exists() and axe(page) == []
    page.get_by_role("dialog").get_by_role("button", name="Unfollow").click()
    expect(page.get_by_role("dialog").get_by_role("button", name="Follow", exact=True)).to_be_enabled()
    assert not Follow.objects.filter(follower=lea, followed=ada).exists()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Nederlands").click()
    expect(page.locator("html")).to_have_attribute("lang", "nl")
    assert page.url == chromium.url + path and User.objects.get(pk=lea.pk).language == "nl"
    User.objects.filter(pk=lea.pk).update(language="en")
    page.reload()
    page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    actions.end_room(room.pk, room.host)
    page.get_by_role("button", name="Follow Host").click()
    expect(page.get_by_text("You follow Host.")).to_be_visible()
    assert page.url == chromium.url + path and Follow.objects.filter(follower=lea, followed=room.host).exists()


def test_without_script(chromium: Chromium) -> None:
    """The player comes first, no dead button stands there, and a host ends the room by a form."""
    room = open_room()
    page = chromium.page(room.get_absolute_url(), java_script_enabled=False, viewport=PHONE)
    expect(page.locator("[data-bar]")).to_be_hidden()
    expect(page.locator("audio[controls]")).to_be_in_viewport()
    expect(page.get_by_role("link", name="End room")).to_have_count(0)
    host = chromium.page(room.get_absolute_url(), room.host, java_script_enabled=False, viewport=PHONE)
    host.get_by_role("link", name="End room").click()
    expect(host.get_by_role("heading", name="End the room for everybody?")).to_be_visible()
    host.get_by_role("button", name="End room").click()
    expect(host.get_by_text("This room has ended")).to_be_visible()
    room.refresh_from_db()
    assert (room.status, room.end_reason) == (Room.Status.ENDED, Room.EndReason.HOST)


OVERLAPS = """() => {
  const box = (e) => e.getBoundingClientRect();
  const faces = [...document.querySelectorAll('.seat[data-user]')]
    .map((seat) => [seat, box(seat.querySelector('.avatar'))]);
  const words = [...document.querySelectorAll('.seat-name, .seat-role')].filter((e) => e.offsetWidth);
  return words.flatMap((word) => faces.filter(([seat, face]) => {
    if (seat.contains(word)) return false;
    const { left, right, top, bottom } = box(word);
    const x = Math.min(Math.max((face.left + face.right) / 2, left), right) - (face.left + face.right) / 2;
    const y = Math.min(Math.max((face.top + face.bottom) / 2, top), bottom) - (face.top + face.bottom) / 2;
    return Math.hypot(x, y) < face.width / 2 - 6;
  }).map(([seat]) => `${word.textContent} on ${seat.dataset.user}`));
}"""


# Pairs of names of which one lies on the other, by more than their edges.
NAMES_ON_NAMES = """() => {
  const all = [...document.querySelectorAll('.seat-name')];
  const names = all.map((name) => [name.textContent, name.getBoundingClientRect()]);
  return names.flatMap(([name, one], at) => names.slice(at + 1).filter(([, other]) =>
    Math.min(one.right, other.right) - Math.max(one.left, other.left) > 2 &&
    Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 2
  ).map(([other]) => `${name} and ${other}`));
}"""


def test_what_lies_in_sight(chromium: Chromium) -> None:
    """Thirteen at a phone's table, in Dutch; a long title and a phone on its side; forced colours."""
    room = full_room()
    for place, handle in ((11, "kim"), (12, "lou")):
        room.seats.create(user=person(handle), role="cohost", place=place)
    phone = chromium.room(room, viewport=PHONE, locale="nl-NL")
    assert phone.evaluate(OVERLAPS) == [] and phone.evaluate(NAMES_ON_NAMES) == []
    resize(phone, 320, 640)
    assert phone.evaluate(NAMES_ON_NAMES) == []
    resize(phone, **PHONE)
    head = phone.locator("main header")
    phone.mouse.wheel(0, 900)
    phone.wait_for_function("() => scrollY > 300")
    expect(head.get_by_role("heading")).to_be_in_viewport(ratio=0.9)
    expect(head.locator(".recorded")).to_be_in_viewport(ratio=0.9)
    phone.get_by_role("link", name="Lees alles").click()
    expect(phone.locator("#about")).to_contain_text(LONG_TITLE)
    short = chromium.room(open_room("anna", title="Short"), viewport=DESK)
    assert top_of_table(chromium.room(room, viewport=DESK)) - top_of_table(short) < 70
    sideways = chromium.room(room, viewport=SIDEWAYS, locale="nl-NL")
    assert overflow(sideways) == [] and axe(sideways) == []
    assert sideways.evaluate(OVERLAPS) == [] and sideways.evaluate(NAMES_ON_NAMES) == []
    for seat in sideways.locator(".seat-who").all():
        expect(seat).to_be_in_viewport(ratio=0.9)
    forced = chromium.room(room, viewport=PHONE, forced_colors="active")
    edge = "(e) => getComputedStyle(e).borderTopWidth"
    assert forced.locator(".table-top").evaluate(edge) == "2px"
    assert forced.locator("[data-live]").evaluate("(e) => getComputedStyle(e, '::before').borderTopWidth") == "4px"
