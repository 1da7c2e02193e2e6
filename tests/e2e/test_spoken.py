"""A screen reader's words through one whole room, compared with what is kept of it in spoken.txt.

A change of words or structure shows there as a difference. To keep what is said now: SPOKEN=new, with this test.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from django.utils import timezone
from playwright.sync_api import Page, expect

from people.models import User
from rooms import actions
from rooms.models import Room
from social.actions.blocks import block
from tests.e2e.browser import Chromium
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import consented, open_room, seated
from tests.support.sounds import silent_wav
from tests.support.spoken import Reader

KEPT = Path(__file__).with_name("spoken.txt")


def test_a_whole_room_as_it_is_read_out(live_sound: Site, chromium: Chromium, tmp_path: Path) -> None:
    """Lea listens, asks to speak, speaks, helps, hosts, and ends the room. Her microphone is silent, so that nobody
    talks by chance."""
    room = open_room("hanna", topic="Bring a question.")
    lea = person("lea")
    others = {handle: seated(handle, room) for handle in ("ada", "bob", "cas")}
    actions.set_speak_policy(room.pk, room.host, "followed")
    browser = chromium.with_microphone(silent_wav(tmp_path), "--autoplay-policy=no-user-gesture-required")
    chromium.room(room, person("lou"))  # somebody always listens
    page = chromium.room(room, lea, browser=browser, permissions=["microphone"])
    page.get_by_role("button", name="Listen", exact=True).click()
    expect(page.locator('[data-do="raise_hand"]')).to_be_visible()
    page.wait_for_timeout(1000)
    reader = Reader(page)
    reader.page_opens("Lea opens the room and hears it")
    as_listener(reader, room, lea, others["cas"])
    as_speaker(reader, room, lea)
    as_cohost(reader, room, lea)
    as_host(reader, room)
    text = "\n".join(reader.lines)
    if os.environ.get("SPOKEN") == "new":
        KEPT.write_text(text)
    kept = KEPT.read_text()
    differences = difflib.unified_diff(kept.splitlines(), text.splitlines(), "kept", "now", lineterm="")
    assert text == kept, "\n".join(differences)


def as_listener(reader: Reader, room: Room, lea: User, blocked: User) -> None:
    page = reader.page
    seated_as_followed("dee", room)
    reader.step("Dee sits down", "Dee sat down.")
    actions.host_lost(room.pk, timezone.now())
    reader.step("The host's connection is lost", "The host lost the connection.")
    actions.host_back(room.pk)
    reader.step("The host is back", "The host is back.")
    actions.leave_seat(room.pk, blocked)
    block(lea, blocked)
    reader.step("Cas, whom Lea blocks in another page, leaves the table", "Cas left")
    actions.set_speak_policy(room.pk, room.host, "everyone")
    actions.take_seat(room.pk, blocked)
    reader.step("Everyone may speak now, and Cas sits down again", "Cas sat down.")
    press(page, "Stay and listen")
    actions.leave_seat(room.pk, blocked)
    reader.step("Lea stays; Cas leaves the table again", "Cas left")
    actions.set_speak_policy(room.pk, room.host, "followed")
    actions.lock_hands(room.pk, room.host, True)
    reader.step("Only people whom the host follows may speak, and no new hands are taken", "no new hands")
    actions.lock_hands(room.pk, room.host, False)
    reader.step("Hands are taken again", "takes hands again")
    press(page, "Raise hand")
    reader.step("Lea presses Raise hand")
    page.get_by_label("I agree that what I say").check()
    page.get_by_role("dialog").get_by_role("button", name="Raise hand").click()
    reader.step("Lea agrees to being recorded", "Your hand is up.")
    actions.decline_hand(room.pk, room.host, lea)
    reader.step("The host declines", "cannot let you up")
    press(page, "Raise hand")
    reader.step("Lea raises her hand again", "Your hand is up.")


def as_speaker(reader: Reader, room: Room, lea: User) -> None:
    page = reader.page
    actions.let_up(room.pk, room.host)
    expect(page.locator("[data-devices]")).to_be_visible(timeout=60_000)
    reader.step("The host lets Lea up", "Hanna let you up.")
    press(page, "Unmute")
    expect(page.locator('[data-do="mute"]')).to_be_visible(timeout=60_000)
    reader.step("Lea unmutes")
    press(page, "Choose the microphone")
    expect(page.locator("#person-device")).to_be_focused()
    reader.step("Lea opens her own card")
    page.keyboard.press("Escape")
    reader.step("Lea closes it")
    actions.set_muted(room.pk, lea, True, by=room.host)
    reader.step("The host mutes Lea", "Hanna muted you.")
    actions.hold_mute(room.pk, lea, by=room.host)
    reader.step("The host keeps Lea muted", "Hanna keeps you muted")
    press(page, "A host keeps you muted")
    reader.step("Lea presses the button", "A host keeps you muted")
    actions.lift_mute(room.pk, lea, by=room.host)
    reader.step("The host lets Lea speak again", "You may unmute again.")
    actions.ask_unmute(room.pk, lea, by=room.host)
    reader.step("The host asks Lea to unmute", "asks you to unmute.")
    actions.set_entry_policy(room.pk, room.host, "signed_in")
    reader.step("The host lets in only people who are signed in", "who may come in")


def as_cohost(reader: Reader, room: Room, lea: User) -> None:
    page = reader.page
    actions.name_cohost(room.pk, lea, by=room.host)
    reader.step("Lea becomes co-host", "You are co-host now")
    actions.raise_hand(room.pk, consented(person("eve"), room))
    reader.step("Eve raises a hand", "Eve raised a hand.")
    press(page, "Decline Eve’s hand")
    expect(page.locator("[data-hands]")).to_be_focused()
    reader.step("Lea declines")
    press(page, "Mute all")
    reader.step("Lea mutes all", "No other microphone")
    page.locator('.seat[data-user="ada"] .seat-who').click()
    reader.step("Lea opens Ada's card")
    press(page, "Keep muted")
    reader.step("Lea keeps Ada muted", "Ada stays muted")
    actions.hand_over(room.pk, lea, by=room.host)
    reader.step("The host hands the room over to Lea", "You host this room now.")


def as_host(reader: Reader, room: Room) -> None:
    page = reader.page
    page.locator('.seat[data-user="bob"] .seat-who').click()
    reader.step("Lea opens Bob's card")
    press(page, "Remove from the room")
    reader.step("Lea presses Remove from the room")
    press(page, "Remove")
    reader.step("Lea removes Bob", "Bob left the table.")
    page.locator('.seat[data-user="ada"] .seat-who').click()
    press(page, "Make co-host")
    reader.step("Lea presses Make co-host on Ada's card")
    press(page, "Make co-host")
    reader.step("Ada is made co-host", "Ada is co-host now.")
    page.locator('.seat[data-user="dee"] .seat-who').click()
    press(page, "Take off the stage")
    reader.step("Lea takes Dee off the stage", "taken off the stage in a moment")
    reader.step("Eight seconds later", "Dee left the table.")
    press(page, "End room")
    reader.step("Lea presses End room")
    page.get_by_role("dialog").get_by_role("button", name="End room").click()
    expect(page.get_by_text("This room has ended")).to_be_visible()
    reader.step("The room is over", "The room is over.")


def seated_as_followed(handle: str, room: Room) -> None:
    """Somebody whom the host lets up, with the policy as it is."""
    user = consented(person(handle), room)
    actions.raise_hand(room.pk, user)
    actions.let_up(room.pk, room.host)


def press(page: Page, button: str) -> None:
    page.get_by_role("button", name=button, exact=True).locator("visible=true").click()
