"""The walk of the demo: from signing in as its moderator to the first case decided, in at most fifteen acts."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from moderation.models import Case, Decision, EvidenceLine, Statement
from people import demo
from people.models import User
from rooms.guests import voices
from rooms.guests.demo import recorded_demo_room
from rooms.models import RecordingFile
from tests.config.development_urls import DEV_KEY
from tests.e2e.browser import Chromium
from tests.flows.line import assert_sound_ledger
from tests.support.waiting import say
from tests.support.ways_in import code_of
from transcripts.models import Cue, TrackPlan, Transcript, TranscriptionWindow

MOST = 15  # acts; a typed text is one
SAID = voices.LINES[3]


class Person:
    """Somebody before a page, whose acts are counted."""

    def __init__(self, page: Page) -> None:
        self.page, self.acts = page, 0

    def types(self, text: str, into: Locator) -> None:
        into.fill(text)
        self.acts += 1

    def clicks(self, what: Locator) -> None:
        what.click()
        self.acts += 1

    def chooses(self, label: str, where: Locator) -> None:
        where.select_option(label=label)
        self.acts += 1

    def ticks(self, what: Locator) -> None:
        what.check()
        self.acts += 1


def transcribe() -> None:
    """The line that the first case is about, as Whisper would give it."""
    transcript = Transcript.objects.get()
    start, end = voices.times()[6]
    file = RecordingFile.objects.get(recording__room=transcript.room, seat__user__handle=voices.COMMENTER)
    plan = TrackPlan.objects.filter(transcript=transcript, file=file).first()
    plan = plan or TrackPlan.objects.create(transcript=transcript, file=file)
    values: dict[str, Any] = {"spans": [[start, end]], "speech_ms": end - start, "state": "done"}
    window = TranscriptionWindow.objects.create(plan=plan, position=0, **values)
    where = {"transcript": transcript, "window": window, "seat": file.seat, "position": 0}
    made = {"language": "en", "text": SAID, "model": "base", "version": "1", "confidence": 0.9}
    Cue.objects.create(start_ms=start, end_ms=end, **where, **made)
    Transcript.objects.update(state=Transcript.State.READY, finished_at=timezone.now())


def sign_in(person: Person, url: str) -> None:
    page = person.page
    page.goto(f"{url}/accounts/login/")
    person.types("femke", page.get_by_label("Handle or e-mail address"))
    person.types(demo.password(), page.get_by_label("Password"))
    person.clicks(page.get_by_role("main").get_by_role("button", name="Sign in", exact=True))
    person.types(code_of(demo.totp_secret("femke")), page.get_by_label("Code"))
    person.clicks(page.get_by_role("main").get_by_role("button", name="Sign in", exact=True))


@pytest.mark.django_db(transaction=True)
def test_the_first_case_of_the_demo_is_decided_in_fifteen_acts(chromium: Chromium, settings: Any) -> None:
    settings.DEV_KEY = DEV_KEY
    call_command("seed_demo", stdout=StringIO())
    transcribe()
    User.objects.filter(handle="femke").update(language="en")
    page = chromium.context().new_page()
    chromium.listen_to(page)
    femke = Person(page)
    sign_in(femke, chromium.url)
    expect(page.get_by_role("heading", name="Cases", exact=True)).to_be_visible()
    femke.clicks(page.get_by_role("button", name="Next case"))
    room = recorded_demo_room()
    assert room is not None
    expect(page.get_by_role("heading", level=1)).to_contain_text(room.title)
    page.wait_for_selector("body[data-ready]")  # lines opened without script are a page of their own
    femke.clicks(page.get_by_role("button", name="Open the lines"))
    line = page.locator(".cue.inside").filter(has_text="grandmother")
    femke.clicks(line.get_by_role("button", name="Quote"))
    expect(line.get_by_role("button", name="Take back")).to_be_visible()
    form = page.locator("[data-decide]")
    femke.ticks(form.get_by_role("radio", name="Violation", exact=True))
    femke.chooses("No harassment", form.get_by_label("Rule", exact=True))
    femke.types("You made fun of a guest’s grandmother.", form.get_by_label("Facts, as the person will read them"))
    femke.ticks(form.get_by_role("checkbox", name="Warning"))
    femke.clicks(form.get_by_role("button", name="Preview"))
    expect(page.get_by_role("main")).to_contain_text("You made fun of a guest’s grandmother.")
    femke.clicks(page.get_by_role("button", name="Decide", exact=True))
    expect(page.get_by_text("Decided. It is in force")).to_be_visible()
    say(f"the first case of the demo: {femke.acts} acts")
    assert femke.acts <= MOST
    decision = Decision.objects.get(case__kind="person")
    assert decision.state == "standing" and Case.objects.get(pk=decision.case_id).state == "decided"
    assert EvidenceLine.objects.get().text == SAID and Statement.objects.get().person.handle == voices.COMMENTER
    assert_sound_ledger()
