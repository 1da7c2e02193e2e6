"""A host's list of rooms: it gets on by itself, is read out once, and is for everybody however full it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from playwright.sync_api import Page, expect

from retention.purge import purge
from rooms.models import Recording, Room
from tests.e2e.browser import Chromium, in_every_look
from tests.e2e.test_pages import LONG_TITLE, ended_room
from tests.support.people import person
from tests.support.recordings import talked_room
from tests.support.rooms import due_at
from transcripts.models import TrackPlan, Transcript, TranscriptionWindow

# Seconds instead of minutes: what a page waits for is asked for a hundred times as often.
QUICK = "const wait = setTimeout; window.setTimeout = (what, ms, ...more) => wait(what, ms / 20, ...more);"


def dashboard(chromium: Chromium, room: Room, **options: Any) -> Page:
    page = chromium.context(room.host, **options).new_page()
    chromium.listen_to(page)
    page.add_init_script(QUICK)
    page.goto(chromium.url + "/dashboard/")
    return page


def transcript(room: Room, state: str, **values: Any) -> None:
    finished = timezone.now() if state in ("ready", "failed") else None
    Transcript.objects.filter(room=room).update(state=state, finished_at=finished, **values)


def test_it_gets_on_by_itself_and_is_read_out_once(chromium: Chromium) -> None:
    room = talked_room(title="Voices at the table")
    Recording.objects.filter(room=room).update(state="finishing")
    transcript(room, "waiting", speech_ms=100_000)
    TrackPlan.objects.filter(transcript__room=room).update(state="waiting")
    page = dashboard(chromium, room)
    row = page.locator(".past > li")
    expect(row).to_contain_text("Recording is being finished…")
    expect(row).to_contain_text("Transcribing, 0 %")
    status = page.locator("[data-notice]")
    expect(status).to_have_text("")
    Recording.objects.filter(room=room).update(state="ready")
    expect(row).to_contain_text("Recording ready")
    expect(status).to_have_text("Voices at the table: Recording ready. Transcribing, 0 %")
    link = page.get_by_role("link", name="Hear it again, download it")
    link.focus()
    TrackPlan.objects.filter(transcript__room=room).update(state="done")
    TranscriptionWindow.objects.filter(plan__transcript__room=room).update(speech_ms=10_000)
    transcript(room, "running", done_ms=40_000, spent_ms=150_000)
    expect(row).to_contain_text("Transcribing, 40 %, about 3 minutes left")
    expect(status).to_have_text("Voices at the table: Recording ready. Transcribing, 40 %, about 3 minutes left")
    page.evaluate("document.querySelector('[data-notice]').textContent = ''")
    transcript(room, "running", done_ms=60_000)
    expect(row).to_contain_text("Transcribing, 60 %, about 2 minutes left")
    expect(status).to_have_text("")
    transcript(room, "ready", done_ms=100_000)
    expect(row).to_contain_text("Transcript ready")
    expect(status).to_have_text("Voices at the table: Recording ready. Transcript ready")
    expect(link).to_be_focused()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(1000)
    assert not asked, "nothing moves any more, so nothing is asked"


def test_full_and_empty_it_is_for_everybody(chromium: Chromium) -> None:
    first = talked_room(title=LONG_TITLE)
    host = first.host
    states = ["off", "waiting", "running", "ready", "failed", "ready"]
    rooms = [ended_room(host, f"{number}. {LONG_TITLE}"[:100]) for number in range(24)]
    for number, made in enumerate(rooms):
        Transcript.objects.create(room=made, language="en")
        transcript(made, states[number % 6], speech_ms=100_000, done_ms=40_000, spent_ms=20_000)
    Recording.objects.filter(room=rooms[1]).update(state="failed")
    Recording.objects.filter(room=rooms[2]).update(state="finishing")
    for made in rooms[3:6]:
        ended = timezone.now() - timedelta(days=29, hours=20)
        Room.objects.filter(pk=made.pk).update(started_at=ended - timedelta(hours=2), ended_at=ended)
    rooms[-1].refresh_from_db()
    purge([rooms[-1].pk], due_at(rooms[-1]))
    nobody = person("empty", creator=True)
    full = dashboard(chromium, first)
    assert full.locator(".past > li").count() == 25
    wrong = in_every_look(full) + in_every_look(chromium.page("/dashboard/", nobody))
    assert not wrong, "\n".join(wrong)
