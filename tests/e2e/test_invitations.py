"""Invitations in browsers: chosen by keyboard, accepted from the inbox on a phone, a list of handles, links."""

from __future__ import annotations

import asyncio
import queue
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

from django.conf import settings
from playwright.sync_api import Page, expect

from mail.devmail import newest_mails
from people.models import User
from rooms import actions
from rooms.models import Arrival, Consent, Hand, Invitation, PersonalLink, Room, Seat
from social.actions.follows import follow
from tests.e2e.browser import PHONE, Chromium, axe, in_every_look, overflow, start_sound
from tests.support.client import Page as Socket
from tests.support.client import code
from tests.support.invitations import reachable
from tests.support.messages import deliver
from tests.support.people import PASSWORD, people, person
from tests.support.processes import Site
from tests.support.rooms import consented, open_room, seated
from tests.support.waiting import wait_until


def press_until(page: Page, key: str, focused: str) -> None:
    """Press a key until the focus is where it should be."""
    for _press in range(40):
        if page.evaluate("selector => document.activeElement.matches(selector)", focused):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not lead to {focused}")


def to_the_table(page: Page) -> None:
    """Through the check to a seat, with a microphone."""
    page.locator("[data-check-consent]").check()
    page.locator("[data-check-open]").click()
    expect(page.get_by_text("This network lets you speak.")).to_be_visible(timeout=30_000)
    page.locator("[data-check-go]").click()
    expect(page.get_by_text("You sit at the table.")).to_be_visible(timeout=30_000)


def test_invited_by_keyboard_and_accepted_from_the_inbox_on_a_phone(live_sound: Site, chromium: Chromium) -> None:
    host = person("host", creator=True, name="Marijke")
    room = open_room(host, speak_policy="invited")
    anna = person("anna", name="Anna de Wit")
    follow(anna, host)
    page = chromium.room(room, host)
    choose_by_keyboard(page)
    expect(page.locator("[data-invite-said]")).to_have_text("1 person is invited.")
    expect(page.locator("[data-invite-answers]")).to_be_focused()
    page.keyboard.press("Escape")
    panel = page.locator("[data-invitations]")
    expect(panel.get_by_role("listitem")).to_contain_text(["no answer yet"])
    deliver()
    phone = chromium.page("/messages/", anna, viewport=PHONE, has_touch=True)
    phone.get_by_role("link", name=re.compile("Marijke")).first.click()
    phone.get_by_role("button", name=re.compile("^Accept")).click()
    phone.wait_for_url(f"**{room.get_absolute_url()}")
    banner = phone.locator("[data-invited]")
    expect(banner).to_contain_text("a place at the table is free")
    expect(panel.get_by_role("listitem")).to_contain_text(["accepted"])
    assert axe(phone) == [] and overflow(phone) == []
    banner.get_by_role("button", name="Take a seat").click()
    to_the_table(phone)
    expect(banner).to_be_hidden()
    expect(page.locator(".seat[data-user=anna]")).to_be_visible()
    expect(panel.get_by_role("listitem")).to_contain_text(["came in"])  # nobody reads it before she is seen


def choose_by_keyboard(page: Page) -> None:
    """From the room's page to an invitation, without a pointer; the dialog is fine in every look."""
    press_until(page, "Tab", "[data-invite-open]")
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="Invite people")
    expect(sheet.get_by_role("checkbox", name=re.compile("Anna de Wit"))).to_be_visible()
    assert in_every_look(page) == []
    press_until(page, "Tab", "[data-pick-q]")
    page.keyboard.type("anna")
    with page.expect_response(re.compile(r"/invitable/\?q=anna")):  # it draws the list anew, under the fingers
        page.keyboard.press("Enter")
    expect(page.locator("[data-pick-said]")).to_have_text("1 person")
    press_until(page, "Tab", "[data-pick-list] input")
    page.keyboard.press("Space")
    expect(sheet.get_by_role("button", name="Invite 1 person")).to_be_visible()
    press_until(page, "Tab", "[data-invite-send]")
    page.keyboard.press("Enter")


def test_a_prospect_comes_by_a_personal_link_and_takes_a_seat(live_sound: Site, chromium: Chromium) -> None:
    room = open_room("host", entry_policy="signed_in", speak_policy="invited")
    page = chromium.room(room, room.host)
    link = personal_link(page)
    visitor = chromium.page(link.removeprefix(chromium.url), viewport=PHONE)
    expect(visitor.get_by_role("heading", name="Host invites you to speak")).to_be_visible()
    assert in_every_look(visitor) == []
    assert not Invitation.objects.exists() and PersonalLink.objects.get().used_at is None
    sign_up(visitor)
    expect(visitor.get_by_role("heading", name="Host invites you to speak")).to_be_visible()
    visitor.get_by_role("button", name="Come and speak").click()
    visitor.wait_for_url(f"**{room.get_absolute_url()}")
    visitor.locator("[data-invited]").get_by_role("button", name="Take a seat").click()
    to_the_table(visitor)
    expect(page.locator(".seat[data-user=pim]")).to_be_visible()
    expect(page.locator('[data-list="links"]')).to_contain_text("used")
    other = chromium.page(link.removeprefix(chromium.url), person("other"), expect=410)
    expect(other.get_by_role("heading", name="This link cannot be used")).to_be_visible()
    assert in_every_look(other) == []
    assert Seat.objects.filter(room=room, user__handle="pim", left_at=None).exists()


def personal_link(page: Page) -> str:
    """Make a personal link in the dialog; its address is shown once."""
    page.locator("[data-invite-open]").first.click()
    sheet = page.get_by_role("dialog", name="Invite people")
    sheet.get_by_role("button", name="Make a personal link").click()
    expect(sheet.get_by_text("Say who it is for.")).to_be_visible()
    sheet.get_by_label("For whom").fill("Pim of the library")
    sheet.get_by_role("button", name="Make a personal link").click()
    expect(sheet.locator("[data-link-made]")).to_be_focused()
    link = sheet.locator("[data-link-url]").inner_text()
    assert axe(page) == []
    sheet.get_by_role("button", name="Close").click()
    page.locator("[data-invite-open]").first.click()
    expect(sheet.locator("[data-link-made]")).to_be_hidden()
    sheet.get_by_role("button", name="Close").click()
    expect(page.locator('[data-list="links"]')).to_contain_text("Pim of the library")
    return link


def sign_up(page: Page) -> None:
    """Make an account and confirm its address, from wherever the page is."""
    page.locator("main").get_by_role("link", name="Sign up").click()
    fields = {"display_name": "Pim", "username": "pim", "email": "pim@example.org", "password1": PASSWORD}
    for name, value in {**fields, "born": "1990-05-04"}.items():
        page.fill(f"#id_{name}", value)
    page.check("#id_rules")
    page.get_by_role("button", name="Make my account").click()
    page.wait_for_url(re.compile("/accounts/confirm-email/$"))
    found = re.search(r"http://\S+/accounts/\S+", newest_mails(1)[0].text)
    assert found
    page.goto(found[0])
    page.get_by_role("button", name="Yes, confirm it").click()


def test_a_list_is_answered_line_by_line_and_who_came_is_counted_once(chromium: Chromium) -> None:
    room = open_room("host")
    seated("ada", room)
    people = [reachable(handle) for handle in ("bert", "carl")]
    page = chromium.room(room, room.host)
    page.locator("[data-invite-open]").first.click()
    sheet = page.get_by_role("dialog", name="Invite people")
    sheet.get_by_text("To listen", exact=True).click()
    sheet.get_by_label("A list of handles").fill("@bert, Carl\nnobody-here\n!!\nhost ada")
    sheet.get_by_role("button", name="Invite 6 people").click()
    expect(sheet.locator("[data-invite-said]")).to_contain_text("2 people are invited.")
    assert sheet.locator("[data-invite-list] li").all_inner_texts() == [
        "@bert is invited.",
        "@Carl is invited.",
        "@nobody-here There is nobody with this handle.",
        "@!! This is no handle.",
        "@host You cannot invite yourself.",
        "@ada This person sits at the table already.",
    ]
    assert in_every_look(page) == []
    assert set(Invitation.objects.values_list("user__handle", "kind")) == {(one.handle, "listen") for one in people}
    expect(sheet.locator("[data-share-url]")).not_to_be_empty()
    address = sheet.locator("[data-share-url]").text_content() or ""
    come_twice(chromium, room, address.strip().removeprefix(chromium.url))
    page.reload()
    expect(page.locator('[data-list="came"]')).to_have_text("Host 1", use_inner_text=True)


def come_twice(chromium: Chromium, room: Room, address: str) -> None:
    """By two pages of one browser; the address of a page that is in names nobody any more."""
    assert "?by=" in address
    first = chromium.page(address)
    expect(first.locator("[data-share], [data-bar]").first).to_be_visible()
    wait_until(lambda: Arrival.objects.filter(link__room=room).exists(), 30)
    expect(first).to_have_url(chromium.url + room.get_absolute_url())
    second = first.context.new_page()
    chromium.listen_to(second)
    chromium.go(second, address)
    expect(second).to_have_url(chromium.url + room.get_absolute_url())
    assert Arrival.objects.filter(link__room=room).count() == 1


def test_accepted_in_the_room_while_every_place_is_taken(chromium: Chromium) -> None:
    room, guest = open_room("host"), person("guest")
    Room.objects.filter(pk=room.pk).update(max_speakers=1)
    ada, guest = seated("ada", room), consented(guest, room)
    actions.set_speak_policy(room.pk, room.host, "followed")
    page, host = chromium.room(room, guest), chromium.room(room, room.host)
    start_sound(page)
    host.locator("[data-invite-open]").first.click()
    sheet = host.get_by_role("dialog", name="Invite people")
    sheet.get_by_label("A list of handles").fill("guest")
    sheet.get_by_role("button", name="Invite 1 person").click()
    expect(sheet.locator("[data-invite-said]")).to_contain_text("1 person is invited.")
    sheet.get_by_role("button", name="Close").click()
    deliver()
    banner = page.locator("[data-invited]")
    expect(banner).to_contain_text("Host invites you to speak.")
    assert in_every_look(page) == []
    banner.get_by_role("button", name="Accept").click()
    expect(page.locator("[data-hint]")).to_have_text("Number 1, invited")
    expect(banner).to_be_hidden()
    expect(host.locator("[data-hands] li[data-user=guest] [data-hand-invited]")).to_be_visible()
    host.locator("[data-invitations]").get_by_role("button", name="Take back the invitation for Guest").click()
    expect(page.get_by_text("The invitation to speak was taken back.")).to_be_visible()
    expect(host.locator("[data-hands] li[data-user=guest]")).to_have_count(0)
    assert not Hand.objects.filter(room=room, lowered_at=None).exists()
    assert Seat.objects.filter(room=room, user=ada, left_at=None).exists()


def test_without_script_the_page_invites_too(chromium: Chromium) -> None:
    room = open_room("host")
    reachable("bert")
    follow(reachable("carl"), room.host)
    page = chromium.page(f"{room.get_absolute_url()}invite/", room.host, java_script_enabled=False, viewport=PHONE)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("checkbox", name="Carl @carl").check()
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_text("1 person is invited.")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Take back.*Carl")).click()
    expect(page.get_by_text("It is taken back.")).to_be_visible()
    expect(page.get_by_text("to speak · taken back")).to_be_visible()
    assert overflow(page) == []  # axe needs script
    page.get_by_label("A list of handles").fill("bert\nnobody-here")
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_text("1 person is invited.")).to_be_visible()
    expect(page.get_by_text("There is nobody with this handle.")).to_be_visible()
    expect(page.get_by_label("A list of handles")).to_have_value("nobody-here")
    page.get_by_role("button", name="Share").click()
    expect(page.locator("[data-share-url]")).to_contain_text("?by=")
    with_script = chromium.page(f"{room.get_absolute_url()}invite/", room.host)
    expect(with_script.get_by_label("Among")).to_be_visible()
    expect(with_script.get_by_role("button", name="Search")).to_be_hidden()
    assert in_every_look(with_script) == []


def test_fifty_who_were_invited_and_one_seat(chromium: Chromium) -> None:
    """Those on sockets race for it; the one on a phone then joins the queue, and the host sees all of it."""
    room = open_room("host", speak_policy="invited")
    Room.objects.filter(pk=room.pk).update(max_speakers=1)
    users = people(50)
    Consent.objects.bulk_create(Consent(room=room, user=user, text_version=settings.CONSENT_VERSION) for user in users)
    Invitation.objects.bulk_create(
        Invitation(room=room, user=user, by=room.host, by_helper=True, kind="speak") for user in users
    )
    host, phone = chromium.room(room, room.host), chromium.room(room, users[0], viewport=PHONE)
    seen = threading.Event()
    ends: queue.Queue[list[str]] = queue.Queue()
    with ThreadPoolExecutor(1) as pool:  # Playwright's own loop runs in this thread
        racing = pool.submit(lambda: asyncio.run(race(room, users[1:], ends, seen)))
        try:
            assert sorted(ends.get(timeout=120)) == ["sits"] + ["waits"] * 48
            expect(host.locator(".seat[data-user]")).to_have_count(2)  # with the host
            expect(host.locator("[data-hands] li[data-user]")).to_have_count(48)
            phone.locator("[data-invited]").get_by_role("button", name="Accept").click()
            expect(phone.locator("[data-hint]")).to_have_text("Number 49, invited")
            expect(host.locator("[data-hands] li[data-user]")).to_have_count(49)
        finally:
            seen.set()
        racing.result()
    assert Seat.objects.filter(room=room, role="speaker", left_at=None).count() == 1


async def race(room: Room, users: list[User], ends: queue.Queue[list[str]], seen: threading.Event) -> None:
    """Accept and sit down on sockets as pages do, all at once; the sockets stay open until it is `seen`."""

    async def come(page: Socket) -> str:
        answer = await page.ask("accept_invitation", within=60)
        if answer.get("seat_free"):
            if code(await page.ask("take_seat", within=60)) == "ok":
                return "sits"
            answer = await page.ask("accept_invitation", within=60)
        return "waits" if code(answer) == "ok" and not answer["seat_free"] else code(answer)

    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(Socket(room, user)) for user in users]
        ends.put(await asyncio.gather(*(come(page) for page in pages)))
        await asyncio.to_thread(seen.wait)
