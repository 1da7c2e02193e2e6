"""The page of an ended room in a real browser: hear, follow, search, link, correct."""

from __future__ import annotations

import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from people.models import User
from rooms.models import Recording, Room
from tests.e2e.browser import LOOKS, MEDIA_HANDLERS, MEDIA_SHOWN, PHONE, Chromium, axe, in_every_look, overflow, resize
from tests.support.recordings import TOTAL_MS, talked_room
from tests.support.rooms import published
from tests.support.sounds import length_ms
from transcripts.models import Cue, Transcript, TranscriptionWindow


@pytest.fixture
def room(web: object) -> Room:
    return talked_room(title="Voices at the table")


def replay(chromium: Chromium, room: Room, who: str = "host", part: str = "", **options: Any) -> Page:
    page = chromium.page(f"/r/{room.slug}/replay/{part}", User.objects.get(handle=who), **options)
    page.wait_for_selector("[data-replay][data-ready]")
    return page


def until(page: Page, true: str, seconds: float = 30) -> None:
    """Wait for something in the page to be true. (Playwright's own way needs eval, which our policy forbids.)"""
    end = time.monotonic() + seconds
    while not page.evaluate(true):
        assert time.monotonic() < end, f"not true after {seconds} s: {true}"
        page.wait_for_timeout(50)


def now(page: Page) -> float:
    return float(page.evaluate("document.querySelector('[data-audio]').currentTime"))


def current(page: Page) -> str:
    return " ".join(page.locator(".line[aria-current] [data-text]").inner_text().split())


def many_lines(room: Room, count: int) -> None:
    """As many lines as an hour has, half a second apart from 12 s on."""
    window = TranscriptionWindow.objects.filter(plan__transcript__room=room)[0]
    seat = window.cues.get().seat
    transcript = Transcript.objects.get(room=room)
    Cue.objects.bulk_create(
        Cue(
            transcript=transcript,
            window=window,
            position=number,
            seat=seat,
            start_ms=18_000 + number * 100,
            end_ms=18_000 + number * 100 + 90,
            language="en",
            text=f"line number {number} of many",
            model="base",
            version="1",
        )
        for number in range(1, count)
    )


def test_it_is_for_everybody(chromium: Chromium, room: Room) -> None:
    wrong = []
    User.objects.filter(handle="bob").update(display_name="Hubert Blaine Wolfeschlegelsteinhausenbergerdorff")
    for who, part in (("host", "#t=10-14"), ("ada", "")):
        page = replay(chromium, room, who, part)
        for look in LOOKS:
            wrong += [f"{who}: {text}" for text in in_every_look(page, (look,))]
            bar = page.locator(".replay-bar").evaluate(
                """e => [...e.querySelectorAll(':scope > button, select, summary')]
                  .map((b) => b.getBoundingClientRect()).map((b) => [b.width, b.height, (b.top + b.bottom) / 2])"""
            )
            assert len(bar) == 6 and max(one[2] for one in bar) - min(one[2] for one in bar) < 4, "controls in a row"
            assert all(width >= 44 and height >= 44 for width, height, _middle in bar)
    assert not wrong, "\n".join(wrong)


def test_every_state_is_for_everybody(chromium: Chromium, room: Room) -> None:
    wrong = []
    host = User.objects.get(handle="host")
    for state in ("finishing", "failed", "purged"):
        Recording.objects.filter(room=room).update(state=state)
        page = chromium.page(f"/r/{room.slug}/replay/", host, viewport=PHONE)
        wrong += [f"{state}: {text}" for text in axe(page) + overflow(page)]
    assert not wrong, "\n".join(wrong)


def test_a_reporter_marks_a_part_by_hand(chromium: Chromium, room: Room) -> None:
    """Dragging moves the position as ever; after the button it marks a part, once, which the report then proposes."""
    page = replay(chromium, room, "ada")
    box = page.locator("[data-wave]").bounding_box()
    assert box is not None

    def drag() -> None:
        page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 20, steps=4)
        page.mouse.up()

    drag()
    expect(page.locator("[data-report-label]")).to_have_text("Report something")
    button = page.get_by_role("button", name="Mark a part to report")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    drag()
    expect(page.locator("[data-report-label]")).to_have_text("Report 0:15 – 0:30")
    expect(button).to_have_attribute("aria-pressed", "false")
    link = page.locator("[data-report]")
    link.focus()
    assert "from=15" in str(link.get_attribute("href")) and "to=30" in str(link.get_attribute("href"))


def test_hear_it_and_go_from_speaker_to_speaker(chromium: Chromium, room: Room) -> None:
    page = replay(chromium, room)
    page.get_by_role("button", name="Play", exact=True).click()
    until(page, "document.querySelector('[data-audio]').currentTime > 1.5")
    expect(page.locator("[data-who-now]")).to_have_text("Host")
    expect(page.locator(".lanes li[data-talking] .name")).to_have_text(["Host"])
    assert current(page).startswith("And Mr. John Dashwood")
    page.get_by_role("button", name="Pause").click()
    starts = []
    for _press in range(4):
        page.keyboard.press("n")
        page.wait_for_timeout(200)
        starts.append(now(page))
    for found, wanted in zip(starts, (10.0, 11.0, 30.0, 40.0), strict=True):
        assert abs(found - wanted) < 0.6, starts
    page.get_by_label("Speed").select_option("1.5")
    assert page.evaluate("document.querySelector('[data-audio]').playbackRate") == 1.5
    at = now(page)
    page.locator("h1").click()
    page.keyboard.press("j")
    assert abs(now(page) - (at - 10)) < 0.3
    page.keyboard.press("l")
    page.keyboard.press("ArrowRight")
    assert abs(now(page) - (at + 5)) < 0.3
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_seek_by_wave_lane_slider_and_line(chromium: Chromium, room: Room) -> None:
    page = replay(chromium, room)
    box = page.locator("[data-wave]").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    assert abs(now(page) - TOTAL_MS / 2000) < 1
    lane = page.locator("[data-lane=ada] svg").bounding_box()
    assert lane is not None
    page.mouse.click(lane["x"] + lane["width"] * 0.2, lane["y"] + 5)
    assert abs(now(page) - TOTAL_MS / 5000) < 1
    slider = page.get_by_role("slider", name="Position")
    slider.focus()
    page.keyboard.press("End")
    assert now(page) > TOTAL_MS / 1000 - 1
    assert slider.get_attribute("aria-valuetext") == "0:49 of 0:50"
    page.get_by_text("He might even have been made amiable himself.").click()
    assert abs(now(page) - 40) < 0.2 and current(page) == "He might even have been made amiable himself."


def test_links_to_a_second_and_to_a_part(chromium: Chromium, room: Room) -> None:
    page = replay(chromium, room, part="#t=30.5")
    assert abs(now(page) - 30.5) < 0.2
    end = 11.0 + length_ms("0890") / 1000
    part = replay(chromium, room, "ada", f"#t=10-{end:.1f}")
    assert abs(now(part) - 10) < 0.2
    assert part.locator(".line.marked").count() == 2 and part.locator("[data-span]").is_visible()
    part.evaluate("document.querySelector('[data-audio]').currentTime = 13.5")
    part.get_by_role("button", name="Play", exact=True).click()
    until(part, "document.querySelector('[data-audio]').paused", seconds=60)
    assert abs(now(part) - end) < 0.5, "it stops where the part ends"


def test_copy_a_link(chromium: Chromium, room: Room) -> None:
    page = replay(chromium, room, part="#t=12", permissions=["clipboard-read", "clipboard-write"])
    page.locator("[data-link-menu] summary").click()
    page.get_by_role("button", name="Link to this second").click()
    expect(page.locator("[data-part]")).to_have_text("Link copied.")
    assert page.evaluate("navigator.clipboard.readText()").endswith(f"/r/{room.slug}/replay/#t=12")
    page.locator("h1").click()
    page.keyboard.press("[")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("]")
    until(page, "location.hash === '#t=12-17'")
    page.locator(".line .at").nth(3).click()
    page.locator(".line .at").nth(4).click(modifiers=["Shift"])
    until(page, "location.hash.startsWith('#t=30-4')")


def test_reading_does_not_fight_the_sound(chromium: Chromium, room: Room) -> None:
    many_lines(room, 250)
    page = replay(chromium, room, part="#t=20")
    lines = page.locator("[data-lines]")
    page.get_by_role("button", name="Play", exact=True).click()
    until(page, "document.querySelector('[data-lines]').scrollTop > 200")
    lines.hover()
    page.mouse.wheel(0, -3000)
    expect(page.get_by_role("button", name="Follow the sound")).to_be_visible()
    page.wait_for_timeout(700)
    place, at = lines.evaluate("e => e.scrollTop"), current(page)
    text = "document.querySelector('.line[aria-current] [data-text]').innerText"
    until(page, f"{text} !== {json.dumps(at)}")  # the sound goes on
    assert lines.evaluate("e => e.scrollTop") == place, "and the lines stay where the reader reads"
    page.mouse.wheel(0, -9000)
    until(page, "document.querySelector('[data-lines]').scrollTop == 0")
    page.get_by_role("button", name="Follow the sound").click()
    until(page, "document.querySelector('[data-lines]').scrollTop > 200")
    expect(page.get_by_role("button", name="Follow the sound")).to_be_hidden()


def test_the_lines_use_the_height_of_the_screen(chromium: Chromium, room: Room) -> None:
    """On a desk the column ends where the screen ends and scrolls itself; on a phone the page does."""
    many_lines(room, 80)
    page = replay(chromium, room, viewport={"width": 1280, "height": 900})
    said = page.locator("[data-said]").bounding_box()
    assert said is not None and said["y"] < 90 and 860 <= said["y"] + said["height"] <= 900, said
    lines = page.locator("[data-lines]")
    assert lines.evaluate("e => e.scrollHeight > 2 * e.clientHeight && e.scrollWidth <= e.clientWidth")
    lines.focus()
    expect(lines).to_be_focused()
    at = page.evaluate("scrollY")
    page.keyboard.press("PageDown")
    until(page, "document.querySelector('[data-lines]').scrollTop > 300")
    assert page.evaluate("scrollY") == at, "the page stays where it is"
    text = page.locator("[data-text]").first
    assert text.evaluate("e => e.textContent.includes('\\n') && getComputedStyle(e).whiteSpace === 'pre-line'")
    resize(page, **PHONE)
    assert lines.evaluate("e => e.scrollHeight <= e.clientHeight + 1")
    assert text.evaluate("e => getComputedStyle(e).whiteSpace === 'normal'")


def test_search_as_one_types(chromium: Chromium, room: Room) -> None:
    cue = Cue.objects.filter(transcript__room=room, text__startswith="He might")[0]
    Cue.objects.filter(pk=cue.pk).update(corrected_text="Één café, he said.", corrected_at="2026-11-23T00:00Z")
    page = replay(chromium, room)
    page.keyboard.press("/")
    page.keyboard.type("Een CAFE")
    expect(page.locator("[data-found]")).to_have_text("1 line")
    assert page.locator(".line:visible").count() == 1
    assert page.locator(".line:visible mark").all_inner_texts() == ["Één", "café"]
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.className").startswith("at")
    page.locator("#q").fill("zebra")
    expect(page.locator("[data-found]")).to_have_text("No line has these words.")
    page.locator("#q").fill("")
    assert page.locator(".line:visible").count() == 5 and page.locator("mark").count() == 0


def test_correct_a_line_in_its_place(chromium: Chromium, room: Room) -> None:
    page = replay(chromium, room)
    line = page.locator(".line", has_text="He was not an ill-disposed")
    line.hover()
    line.get_by_role("button", name="Correct this line").click()
    area = line.get_by_role("textbox")
    expect(area).to_be_focused()
    area.fill("   ")
    page.keyboard.press("Enter")
    expect(line.get_by_role("alert")).to_contain_text("a line cannot be empty")
    area.fill("He was a <well-disposed> young man.")
    page.keyboard.press("Enter")
    line = page.locator(".line", has_text="well-disposed")
    expect(line.locator("[data-text]")).to_have_text("He was a <well-disposed> young man.")
    expect(line.locator("[data-machine]")).to_have_text("Heard by the machine: He was not an ill-disposed young man.")
    expect(line.get_by_role("button", name="Correct this line")).to_be_focused()
    assert not axe(page)
    page.reload()
    page.wait_for_selector("[data-replay][data-ready]")
    line = page.locator(f"#{line.get_attribute('id')}")
    line.hover()
    line.get_by_role("button", name="Correct this line").click()
    line.get_by_role("button", name="Take the correction back").click()
    expect(line.locator("[data-text]")).to_have_text("He was not an ill-disposed young man.")
    assert Cue.objects.filter(transcript__room=room, corrected_text=None).count() == 5


def test_correct_a_line_without_script(chromium: Chromium, room: Room) -> None:
    """A link opens the form, what is wrong is said beside it, and what was saved stands in its place."""
    page = chromium.page(f"/r/{room.slug}/replay/", room.host, java_script_enabled=False, viewport=PHONE)
    line = page.locator(".line", has_text="He was not an ill-disposed")
    line.get_by_role("link", name="Correct this line").click()
    area = page.get_by_role("textbox", name="What was said", exact=True)
    expect(area).to_have_value("He was not an ill-disposed young man.")
    area.fill("   ")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_have_text("Write what was said: a line cannot be empty.")
    area.fill("He was a <well-disposed> young man.")
    page.get_by_role("button", name="Save").click()
    cue = Cue.objects.get(transcript__room=room, corrected_text="He was a <well-disposed> young man.")
    assert page.url.endswith(f"/replay/#line-{cue.pk}")
    line = page.locator(f"#line-{cue.pk}")
    expect(line).to_be_in_viewport()
    expect(line.locator("[data-text]")).to_have_text("He was a <well-disposed> young man.")
    expect(line.locator("[data-machine]")).to_have_text("Heard by the machine: He was not an ill-disposed young man.")
    line.get_by_role("link", name="Correct this line").click()
    page.get_by_role("button", name="Take the correction back").click()
    expect(line.locator("[data-text]")).to_have_text("He was not an ill-disposed young man.")
    but_refusals(chromium)


def but_refusals(chromium: Chromium) -> None:
    """A form that comes back with what was wrong is a 400, which Chromium counts as an error."""
    chromium.complaints[:] = [text for text in chromium.complaints if "status of 400" not in text]


def test_the_form_of_a_line_is_for_everybody(chromium: Chromium, room: Room) -> None:
    """Opened by its address it is the same page with script, and axe finds nothing, not even in what is wrong."""
    cue = Cue.objects.get(transcript__room=room, text__startswith="He was not")
    page = replay(chromium, room, part=f"?edit={cue.pk}#line-{cue.pk}")
    assert not in_every_look(page)
    page.get_by_role("textbox", name="What was said", exact=True).fill(" ")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be empty")
    expect(page.get_by_role("textbox", name="What was said", exact=True)).to_be_focused()
    assert not in_every_look(page)
    but_refusals(chromium)


def test_headphone_keys_and_the_lock_screen(chromium: Chromium, room: Room) -> None:
    page = chromium.context(room.host).new_page()
    chromium.listen_to(page)
    page.add_init_script(MEDIA_HANDLERS)
    page.goto(f"{chromium.url}/r/{room.slug}/replay/")
    page.wait_for_selector("[data-replay][data-ready]")
    told = page.evaluate(MEDIA_SHOWN)
    assert (told["title"], told["artist"], len(told["artwork"])) == ("Voices at the table", "Host", 1)
    assert page.request.get(told["artwork"][0]).ok
    audio = "document.querySelector('[data-audio]')"
    page.evaluate("handlers.play()")
    until(page, f"!{audio}.paused && {audio}.currentTime > 0.2")
    page.evaluate("handlers.play()")
    until(page, "navigator.mediaSession.playbackState === 'playing'")
    assert not page.evaluate(f"{audio}.paused"), "play twice is not pause"
    page.evaluate("handlers.pause()")
    until(page, f"{audio}.paused && navigator.mediaSession.playbackState === 'paused'")
    page.evaluate("handlers.seekto({ seekTime: 30 })")
    assert abs(now(page) - 30) < 0.2
    page.evaluate("handlers.seekbackward()")
    assert abs(now(page) - 20) < 0.2
    page.evaluate("handlers.seekforward()")
    assert abs(now(page) - 30) < 0.2
    page.evaluate("handlers.nexttrack()")
    assert abs(now(page) - 39.8) < 0.4, "the next speaker"


def test_download_everything_in_the_browser(chromium: Chromium, room: Room, tmp_path: Path) -> None:
    page = replay(chromium, room)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download everything").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name == f"{room.slug}.zip"
    with zipfile.ZipFile(file) as read:
        assert read.testzip() is None and f"{room.slug}/mix.m4a" in read.namelist()


def test_published_for_somebody_without_an_account(chromium: Chromium, room: Room) -> None:
    published(room)
    page = chromium.page(f"/r/{room.slug}/replay/")
    page.wait_for_selector("[data-replay][data-ready]")
    page.get_by_role("button", name="Play", exact=True).click()
    until(page, "document.querySelector('[data-audio]').currentTime > 0.5")
    assert page.locator("[data-edit]").count() == 0 and not axe(page)


def test_without_script(chromium: Chromium, room: Room) -> None:
    page = chromium.page(f"/r/{room.slug}/replay/", room.host, java_script_enabled=False)
    expect(page.locator("audio[controls]")).to_be_visible()
    assert page.locator(".line").count() == 5
    page.get_by_role("searchbox").fill("married")
    page.get_by_role("button", name="Search").click()
    assert page.locator(".line").count() == 1


def test_a_page_that_waits_shows_the_recording_when_it_is_there(chromium: Chromium, room: Room) -> None:
    Recording.objects.filter(room=room).update(state="finishing")
    page = chromium.page(f"/r/{room.slug}/replay/", room.host)
    expect(page.get_by_text("The recording is being put together")).to_be_visible()
    Recording.objects.filter(room=room).update(state="ready")
    page.wait_for_selector("[data-replay][data-ready]", timeout=20_000)
