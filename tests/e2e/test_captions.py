"""Captions in browsers: words that are published as the process that writes them does, without Whisper."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from core import bus
from rooms import actions, channels
from rooms.models import Consent, Room, Seat
from rooms.rules.facts import facts_of
from rooms.wire.events import encode
from rooms.wire.sides import tell_host_side
from tests.e2e.browser import DESK, LOOKS, PHONE, Chromium, axe, in_every_look, overflow, resize
from tests.support.people import person
from tests.support.rooms import consented, open_room, people_in, seated
from tests.support.waiting import wait_until
from transcripts.captions import state, wire
from transcripts.models import LiveLine
from transcripts.speech.stitch import Word

SENTENCE = "From fairest creatures we desire increase, that thereby beauty’s rose might never die."
LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff van den Heuvel-Oosterbaan"


def words(text: str, at: int) -> list[Word]:
    return [Word(f" {word}", at + 300 * n, at + 300 * n + 250, 1.0) for n, word in enumerate(text.split())]


def publish(room: Room, message: Any) -> None:
    bus.publish(channels.room_channel(room.pk), encode(message))


def say(room: Room, user: str, number: int, text: str, draft: str = "", *, final: bool = False) -> None:
    """Have a line shown as it is now: said until this moment."""
    at = max(0, room.room_time() - 300 * len(text.split()))
    publish(room, wire.caption(user, number, words(text, at), draft, at=at, final=final))


def on_table(page: Page) -> Any:
    return page.locator('[data-captions="table"]')


def talks(room: Room, user: str) -> None:
    publish(room, {"type": "talking", "user": user, "talking": True})


def test_on_the_table(chromium: Chromium) -> None:
    """Drafts and confirmed words, two who speak, a reload, ten seconds without a line, and the look of all of it."""
    room = open_room(topic="What should the spring release fix first?")
    ada = consented(person("ada", name=LONG_NAME), room)
    actions.take_seat(room.pk, ada)
    state.set_room_state(room.pk, "on")
    page = chromium.room(room, viewport=PHONE)
    shown, topic = on_table(page), page.locator("[data-on-table]")
    expect(shown).to_be_hidden()
    say(room, "ada", 1, "", "From ferrets")
    expect(shown.locator(".caption-draft")).to_have_text("From ferrets")
    say(room, "ada", 1, "From fairest", "creatures")
    expect(shown.locator(".caption-text")).to_have_text("From fairest creatures")
    expect(shown.locator(".caption-draft")).to_have_text("creatures")
    assert page.locator(".caption-draft").evaluate("(e) => getComputedStyle(e).fontStyle") == "italic"
    expect(shown.locator(".caption-name")).to_have_text(LONG_NAME)
    expect(topic).to_be_hidden()
    say(room, "ada", 1, SENTENCE, "And")
    expect(shown.locator(".caption-line")).to_have_count(2)
    say(room, "ada", 1, "From fairest", "is late")  # on its way since before: changes nothing
    say(room, "host", 2, "Indeed", "so")
    expect(shown.locator(".caption")).to_have_count(2)
    expect(shown).to_contain_text("never die. And")
    # Nothing of it lies over a seat, and none is cut.
    boxes = page.evaluate(
        """() => {
          const box = (e) => e.getBoundingClientRect();
          const lines = [...document.querySelectorAll(".caption-line, .caption-name")].map(box);
          const seats = [...document.querySelectorAll(".seat:not(.free) .seat-who")].map(box);
          return lines.filter((a) => seats.some((b) =>
            a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)).length;
        }"""
    )
    assert boxes == 0
    assert axe(page) == [] and overflow(page) == []
    page.emulate_media(forced_colors="active")
    assert "dotted" in page.locator(".caption-draft").last.evaluate("(e) => getComputedStyle(e).textDecoration")
    page.emulate_media(forced_colors="none")
    # Who comes later, or again, has the last lines from what is kept.
    end = room.room_time()
    kept = [["kept", end - 200, end - 100], ["words", end - 100, end]]
    LiveLine.objects.create(room=room, speaker=ada, line=3, started_ms=0, ended_ms=end, final=True, words=kept)
    page.reload()
    expect(on_table(page)).to_contain_text("kept words")
    page.context.set_offline(True)
    page.wait_for_timeout(10_000)
    page.context.set_offline(False)
    expect(page.get_by_text("You are back.")).to_be_visible(timeout=20_000)
    say(room, "ada", 4, "back again", final=True)
    expect(on_table(page)).to_contain_text("back again")
    expect(topic).to_be_visible(timeout=15_000)
    chromium.complaints[:] = [text for text in chromium.complaints if "ERR_INTERNET_DISCONNECTED" not in text]


def test_the_readers_choices(chromium: Chromium) -> None:
    """By keys alone: hidden, larger, below the table, read out; kept for who is signed out, after a reload."""
    room = open_room()
    state.set_room_state(room.pk, "on")
    page = chromium.room(room)
    page.locator("#main").focus()
    page.keyboard.press("w")
    sheet = page.get_by_role("region", name="Captions")
    expect(sheet.get_by_label("Show captions")).to_be_focused()
    assert in_every_look(page, LOOKS) == [], "with the sheet open"
    resize(page, **DESK)
    sheet.get_by_label("Large", exact=True).focus()
    page.keyboard.press("Space")
    sheet.get_by_label("Below the table").focus()
    page.keyboard.press("Space")
    sheet.get_by_label("Have them read out").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    say(room, "host", 1, SENTENCE, final=True)
    below = page.locator('[data-captions="below"]')
    expect(below).to_contain_text("never die.")
    expect(on_table(page)).to_be_hidden()
    expect(page.locator("[data-notice]")).to_contain_text(f": {SENTENCE}", timeout=15_000)
    page.reload()
    page.wait_for_selector('[data-do="share"]:not([disabled])', state="attached")
    expect(below).to_have_attribute("data-size", "1")
    assert axe(page) == []
    page.locator("#main").focus()
    page.keyboard.press("w")
    page.keyboard.press("Space")  # show no captions
    page.keyboard.press("Escape")
    say(room, "host", 2, "nobody reads this")
    page.wait_for_timeout(600)
    expect(below).to_be_hidden()
    expect(on_table(page)).to_be_hidden()


def test_before_the_microphone_and_while_live(chromium: Chromium) -> None:
    """The check says that the room is captioned; who wants none is shown without, and may change it later."""
    room = open_room()
    state.set_room_state(room.pk, "on")
    ada = person("ada")
    page = chromium.room(room, ada)
    reader = chromium.room(room, viewport=PHONE)
    page.locator('[data-do="take_seat"], [data-do="listen"]').locator("visible=true").first.wait_for()
    take = page.locator('[data-do="take_seat"]')
    if not take.is_visible():
        page.locator('[data-do="listen"]').click()
    take.click()
    sheet = page.get_by_role("dialog", name="Before you speak")
    expect(sheet).to_contain_text("This room is captioned")
    sheet.locator("[data-check-consent]").check()
    sheet.get_by_label("No captions of what I say").check()
    assert axe(page) == []
    sheet.locator("[data-check-open]").click()
    sheet.locator("[data-check-go]").click()
    expect(page.get_by_text("You sit at the table.")).to_be_visible(timeout=30_000)
    assert Seat.objects.get(room=room, user=ada).captions_off
    assert Consent.objects.get(room=room, user=ada).captioned
    talks(room, "ada")
    actions.set_muted(room.pk, ada, False, ada)
    talks(room, "ada")
    expect(on_table(reader)).to_contain_text("captions off")
    expect(reader.locator('[data-user="ada"] .unseen')).to_contain_text("captions off")
    say(room, "ada", 1, "must not be read")
    reader.wait_for_timeout(600)
    expect(on_table(reader)).not_to_contain_text("must not")
    page.locator("#main").focus()
    page.keyboard.press("w")
    page.get_by_role("region", name="Captions").get_by_label("No captions of what I say").uncheck()
    page.keyboard.press("Escape")
    expect(page.get_by_text("What you say is written down again.")).to_be_visible()
    say(room, "ada", 2, "may be read")
    expect(on_table(reader)).to_contain_text("may be read")


def test_the_hosts_side(chromium: Chromium) -> None:
    """How far behind in a word, another language offered, captions switched; who was not told says so themselves."""
    room = open_room(transcription=False)
    state.set_room_state(room.pk, "on")
    sam = seated("sam", room)
    host, speaker = chromium.room(room, room.host), chromium.room(room, sam)
    panel = host.get_by_role("region", name="Captions").locator("visible=true")
    expect(panel).to_contain_text("Nothing of what is said is written down.")
    panel.get_by_role("button", name="Turn captions on").click()
    publish(room, wire.captions_state("on"))
    expect(panel).to_contain_text("Captions are on time.")
    expect(speaker.get_by_text("You agreed to speak without captions")).to_be_visible()
    assert facts_of(room, sam).captions_off
    speaker.get_by_role("button", name="Write it down").click()
    expect(speaker.get_by_text("What you say is written down again.")).to_be_visible()
    assert not facts_of(room, sam).captions_off
    publish(room, wire.captions_state("slow"))
    expect(panel).to_contain_text("Captions come late")
    room.refresh_from_db()
    tell_host_side(room, wire.caption_language(room.slug, "nl", "en"))
    expect(panel).to_contain_text("What is spoken sounds like Dutch")
    assert axe(host) == []
    panel.get_by_role("button", name="Change the language").click()
    expect(panel.get_by_label("Language spoken")).to_have_value("nl")
    expect(panel.get_by_text("What is spoken sounds like")).to_be_hidden()
    room.refresh_from_db()
    assert room.language == "nl"
    expect(speaker.get_by_text("What is spoken sounds like")).to_have_count(0)


def test_alone_on_a_second_screen(chromium: Chromium) -> None:
    room = open_room()
    state.set_room_state(room.pk, "on")
    seated("ada", room)
    page = chromium.page(f"/r/{room.slug}/captions/")
    lines = page.locator("[data-alone]")
    expect(page.get_by_text("Nobody has said anything yet.")).to_be_visible()
    wait_until(lambda: people_in(room.pk), what="the line to the room is open")
    say(room, "ada", 1, SENTENCE, final=True)
    say(room, "ada", 2, "And more", "of it")
    expect(lines.locator("li")).to_have_count(1)
    expect(lines).to_contain_text("And more of it")
    say(room, "host", 3, "Indeed")
    expect(lines.locator("li")).to_have_count(2)
    size = lines.evaluate("(e) => Number.parseFloat(getComputedStyle(e).fontSize)")
    page.get_by_role("button", name="Larger").click()
    assert lines.evaluate("(e) => Number.parseFloat(getComputedStyle(e).fontSize)") > size
    page.reload()
    expect(page.locator("body")).to_have_attribute("data-size", "1")
    assert in_every_look(page, LOOKS) == []
    say(room, "host", 4, "And this")
    expect(lines).to_contain_text("And this")
    actions.set_captions(room.pk, room.host, False)
    expect(lines.locator("li")).to_have_count(0)
    actions.set_captions(room.pk, room.host, True)
    expect(lines).to_contain_text("And this")
    actions.end_room(room.pk, room.host)
    expect(page.get_by_text(re.compile("This room has ended"))).to_be_visible()
    expect(lines.locator("li")).to_have_count(0)
