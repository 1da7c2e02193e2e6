"""Clips in a real browser: two lines chosen, the video downloaded and looked into, and taken back by a speaker."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from people.models import User
from rooms import actions
from rooms.models import Clip, Room
from rooms.recording.clips import making
from tests.e2e.browser import Chromium, in_every_look
from tests.support.clips import begins_at, everything_said, probed
from tests.support.messages import deliver
from tests.support.recordings import TALK, TOTAL_MS, talked_room
from tests.support.rooms import open_room
from tests.support.waiting import wait_until


@pytest.fixture
def room(web: object) -> Room:
    return talked_room(title="Voices at the table")


def replay(chromium: Chromium, room: Room, who: str, part: str = "") -> Page:
    page = chromium.page(f"/r/{room.slug}/replay/{part}", User.objects.get(handle=who))
    page.wait_for_selector("[data-replay][data-ready]")
    return page


def worker_makes_it() -> None:
    """Make the clip that the page asked for, in this process."""
    wait_until(lambda: Clip.objects.filter(state=Clip.State.WAITING).exists(), what="a clip that waits")
    assert making.make(Clip.objects.get(state=Clip.State.WAITING).pk)
    deliver()


def downloaded(page: Page, link: str, to: Path) -> Path:
    with page.expect_download() as got:
        page.get_by_role("link", name=link).click()
    got.value.save_as(to / got.value.suggested_filename)
    return to / got.value.suggested_filename


def test_two_lines_become_a_video_and_a_speaker_takes_it_back(chromium: Chromium, room: Room, tmp_path: Path) -> None:
    page = replay(chromium, room, "host")
    page.locator(".line .at").nth(1).click()
    page.locator(".line .at").nth(2).click(modifiers=["Shift"])
    expect(page.get_by_label("From second")).to_have_value("10.0")
    end = float(page.get_by_label("To second").input_value())
    expect(page.locator("[data-clip-length]")).to_contain_text("seconds")
    page.get_by_role("button", name="Make a clip").click()
    expect(page.get_by_text("It is being made.")).to_be_visible()
    worker_makes_it()
    expect(page.get_by_role("link", name="Download the video")).to_be_visible(timeout=60_000)
    path = downloaded(page, "Download the video", tmp_path)
    assert path.name == f"{room.slug}-0m10.mp4"
    found = probed(path)
    assert (found["video"]["codec_name"], found["audio"]["codec_name"]) == ("h264", "aac")
    assert abs(float(found["format"]["duration"]) - (end - 10)) < 0.2
    assert abs(begins_at(path, everything_said(TALK), TOTAL_MS) - 10.0) < 0.05
    captions = downloaded(page, "Captions", tmp_path).read_text()
    assert captions.startswith("WEBVTT") and "He was not an ill-disposed young man." in captions
    assert "Dashwood" not in captions, "said before it"
    assert in_every_look(page) == []

    clip, ada = Clip.objects.get(), chromium.context(User.objects.get(handle="ada")).new_page()
    ada.goto(f"{chromium.url}/messages/official/")
    ada.get_by_role("link", name="See the clip, or take it back").click()
    expect(ada.get_by_role("heading", name="Clip")).to_be_visible()
    assert in_every_look(ada) == []
    link = page.get_by_role("link", name="Download the video").get_attribute("href")
    assert page.request.get(f"{chromium.url}{link}").status == 200
    ada.get_by_role("button", name="Take back").press("Enter")
    expect(ada.get_by_text("The clip is deleted.")).to_be_visible()
    assert page.request.get(f"{chromium.url}{link}").status == 404
    assert page.request.get(f"{chromium.url}/r/{room.slug}/clips/{clip.key}/").status == 410


def test_by_keyboard_alone_and_what_is_too_long(chromium: Chromium, room: Room) -> None:
    page = replay(chromium, room, "host", "#t=1-6")
    page.get_by_label("From second").fill("30")
    page.keyboard.press("Tab")
    page.keyboard.type("400")
    page.keyboard.press("Tab")
    expect(page.locator("[data-clip-length]")).to_contain_text("from 1 to 90 seconds")
    page.get_by_role("button", name="Make a clip").press("Enter")
    expect(page.locator("[data-clip-wrong]")).to_contain_text("from 1 to 90 seconds")
    page.get_by_label("To second").fill("36")
    page.get_by_label("As", exact=True).select_option("sound")
    page.get_by_role("button", name="Make a clip").press("Enter")
    worker_makes_it()
    expect(page.get_by_role("link", name="Download the sound")).to_be_visible(timeout=60_000)
    assert Clip.objects.get().from_ms == 30_000
    page.get_by_role("button", name="Take back").press("Enter")
    expect(page.get_by_text("There are no clips yet.")).to_be_visible()
    assert "sound" not in page.url


def test_without_script(chromium: Chromium, room: Room) -> None:
    page = chromium.page(f"/r/{room.slug}/replay/", room.host, java_script_enabled=False)
    page.get_by_label("From second").fill("30")
    page.get_by_label("To second").fill("34.5")
    page.get_by_role("button", name="Make a clip").click()
    expect(page.get_by_text("The clip is being made.")).to_be_visible()
    page.get_by_role("button", name="Switch clips off").click()
    expect(page.get_by_role("button", name="Switch clips on")).to_be_visible()
    actions.set_clips_off(room.pk, room.host, False)


def test_the_last_minute_from_the_host_panel(chromium: Chromium, web: object) -> None:
    room = open_room()
    Room.objects.filter(pk=room.pk).update(started_at=timezone.now() - timedelta(minutes=2))
    page = chromium.room(room, room.host)
    panel = page.locator("[data-panel-clips]")
    panel.scroll_into_view_if_needed()
    panel.get_by_label("The last").select_option("30")
    panel.get_by_role("button", name="Make a clip").press("Enter")
    expect(panel.get_by_text("It is being made.")).to_be_visible()
    clip = Clip.objects.get()
    assert (clip.kind, clip.to_ms - clip.from_ms) == ("video", 30_000)
    assert in_every_look(page) == []
    panel.get_by_role("button", name="Take back").click()
    expect(panel.get_by_text("There are no clips yet.")).to_be_visible()
    assert Clip.objects.get().state == Clip.State.TAKEN_BACK
    panel.get_by_role("button", name="Switch clips off").click()
    expect(panel.get_by_text("Clips are off")).to_be_visible()
    guest = chromium.room(room)
    expect(guest.locator("[data-panel-clips]")).to_have_count(0)
