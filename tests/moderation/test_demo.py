"""The demo's cases: of its own people, on its own recorded voices, made once."""

from __future__ import annotations

from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client

from ledger.verify import verify
from moderation.actions.claims import claim_next
from moderation.actions.decisions import approve
from moderation.demo import COMMENTER, PROPOSER, SELLER
from moderation.models import Case, Decision, Report, Review
from moderation.queries.access import visible_cases
from moderation.queries.reviews import visible_reviews
from people.models import Sanction, User
from rooms.guests import peers, voices
from rooms.guests.demo import recorded_demo_room
from rooms.models import RecordingFile, Room
from rooms.recording import peaks
from tests.support.recordings import path_of
from tests.support.staff import with_fresh_step
from tests.support.voices import loudest
from transcripts.models import Transcript

pytestmark = pytest.mark.django_db


def seed() -> str:
    out = StringIO()
    call_command("seed_demo", stdout=out)
    return out.getvalue()


def of_demo(handle: str) -> User:
    return with_fresh_step(User.objects.get(handle=handle))


def test_the_cases_are_made_once_and_can_be_decided() -> None:
    said = [seed(), seed()]
    assert all("cases that are open: 4" in text for text in said)
    kinds = sorted(Case.objects.values_list("kind", "state"))
    assert kinds == [
        ("message", "open"),
        ("person", "open"),
        ("profile", "decided"),
        ("profile", "proposed"),
        ("title", "open"),
    ]
    assert Report.objects.count() == 5 and Decision.objects.count() == 2
    appealed = Review.objects.get()
    assert appealed.decision.outcome == "no_violation" and appealed.appeals.get().person == of_demo(SELLER)
    assert Room.objects.filter(is_demo=True).count() == 2, "one that is recorded, one that is live"
    femke, willem = of_demo("femke"), of_demo("willem")
    assert visible_cases(femke).count() == visible_cases(willem).count() == 5, "none of them is a party"
    assert visible_reviews(femke).get() == visible_reviews(willem).get() == appealed
    assert not visible_reviews(of_demo(PROPOSER)).exists(), "who decided it"
    taken = claim_next(femke)
    assert taken is not None and (taken.kind, taken.subject) == ("person", of_demo(COMMENTER)), "the worst comes first"
    assert Sanction.objects.in_force().get().user.handle == SELLER
    approve(Decision.objects.get(state="proposed"), willem)
    assert Sanction.objects.in_force().get().ends_at is None
    assert verify().ok, verify().problems


def test_the_recorded_room_has_both_voices_and_the_report_their_second() -> None:
    seed()
    room = recorded_demo_room()
    assert room is not None
    files = {
        file.seat.user.handle if file.seat else "mix": file
        for file in RecordingFile.objects.filter(recording__room=room)
    }
    assert set(files) == {voices.READER, voices.COMMENTER, "mix"}
    assert files[voices.READER].has_sound and files[voices.COMMENTER].has_sound
    assert room.room_time(room.ended_at) == files["mix"].duration_ms
    report = Report.objects.get(kind="person")
    assert report.from_ms is not None and report.to_ms is not None
    part = slice(report.from_ms * peers.RATE // 1000, report.to_ms * peers.RATE // 1000)
    heard = {name: peers.read_clip(path_of(file))[part] for name, file in files.items()}
    assert loudest(heard[voices.COMMENTER]) > -30 and loudest(heard["mix"]) > -30
    assert np.abs(heard[voices.READER]).max() < 1000, "he speaks alone"
    assert peaks.prepare(room.recording), "the site draws its waveform as of any room"
    assert Transcript.objects.get(room=room).state in Transcript.OPEN, "and transcribes it"
    client = Client()
    client.force_login(room.host)
    assert room.title in client.get("/dashboard/").content.decode()


def test_without_its_sound_there_are_the_other_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> object:
        raise voices.VoicesMissing("install flite")

    monkeypatch.setattr(voices, "times", missing)
    assert "cases that are open: 3" in seed()
    assert recorded_demo_room() is None
