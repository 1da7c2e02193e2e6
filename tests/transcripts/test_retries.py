"""Pieces of work that failed: what waits, what is tried again by whom, and what holds up no other."""

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from ledger.models import Entry
from rooms.models import Room
from rooms.recording import marker
from tests.support.people import person as staff_person
from tests.support.staff import sign_in_staff
from tests.transcripts.pieces import Told, never, transcript, work_through
from transcripts import actions
from transcripts.jobs import claims, results
from transcripts.jobs.run import run_items
from transcripts.models import TrackPlan, Transcript, TranscriptionWindow, WorkItem
from transcripts.refusals import TranscriptRefused


def test_a_failed_window_waits_longer_each_time(windows: list[TranscriptionWindow]) -> None:
    """Three tries in a row find the same full disk; and what waits holds up nobody."""
    bad = windows[0].pk
    engine = Told(RuntimeError("bad"))
    assert run_items("me", never, lambda: engine) == 2, "the other window, and no second try"
    for wait in results.WAITS:
        window = TranscriptionWindow.objects.get(pk=bad)
        assert window.state == WorkItem.State.WAITING and window.next_at is not None
        assert abs(window.next_at - timezone.now() - wait) < timedelta(seconds=50)
        assert run_items("me", never, Told) == 0
        TranscriptionWindow.objects.update(next_at=None)
        worse = Told(RuntimeError("bad"))
        assert run_items("me", never, lambda worse=worse: worse) == 1  # type: ignore[misc]
    assert TranscriptionWindow.objects.get(pk=bad).state == WorkItem.State.FAILED


def test_what_the_database_refuses_counts_as_a_failure_of_that_piece_alone(windows: list[TranscriptionWindow]) -> None:
    """It ended the worker's turn each time, and the piece stayed running until its lease was over."""

    def refused() -> None:
        with transaction.atomic():
            TranscriptionWindow.objects.filter(pk=windows[0].pk).update(speech_ms=0)

    engine = Told(refused)
    assert run_items("me", never, lambda: engine) == 2
    first, second = TranscriptionWindow.objects.order_by("position")
    assert (first.state, second.state) == (WorkItem.State.WAITING, WorkItem.State.DONE)
    assert first.error.startswith("IntegrityError")


def test_one_piece_that_cannot_be_given_up_holds_up_no_other(
    windows: list[TranscriptionWindow], monkeypatch: pytest.MonkeyPatch
) -> None:
    past = Now() - timedelta(seconds=1)
    TranscriptionWindow.objects.update(state=WorkItem.State.RUNNING, attempts=claims.MAX_ATTEMPTS, lease_until=past)
    real = results._mark_gap

    def poisoned(piece: TrackPlan | TranscriptionWindow) -> None:
        if piece.pk == windows[0].pk:
            raise ValueError("poisoned")
        real(piece)

    monkeypatch.setattr(results, "_mark_gap", poisoned)
    assert results.give_up_expired() == 1
    assert TranscriptionWindow.objects.get(pk=windows[1].pk).state == WorkItem.State.FAILED
    monkeypatch.undo()
    assert results.give_up_expired() == 1


def test_on_another_disk_nothing_is_claimed_and_nothing_fails(
    windows: list[TranscriptionWindow], settings: Any, tmp_path: Path
) -> None:
    """Each track was missing there: three tries later all of the transcript was a gap."""
    marker.check()
    settings.RECORDINGS_DIR = tmp_path
    assert run_items("me", never, Told) == 0
    assert set(TranscriptionWindow.objects.values_list("state", "attempts")) == {("waiting", 0)}


def test_staff_and_operators_have_failures_tried_again(windows: list[TranscriptionWindow]) -> None:
    room = Room.objects.get()
    engine = Told(*[RuntimeError("bad")] * 9)
    work_through(lambda: engine)
    helper = staff_person("helper", is_staff=True)
    with pytest.raises(TranscriptRefused, match="not_host"):
        actions.retry_transcript(room, helper, as_staff=True)
    out = StringIO()
    call_command("transcripts", stdout=out)
    assert out.getvalue().splitlines() == ["with gaps: 1", f"  {room.slug}  failed  failed pieces 2"]
    call_command("transcripts", "retry", room.slug, stdout=out)
    assert transcript().state == Transcript.State.WAITING
    with pytest.raises(CommandError, match="nothing"):
        call_command("transcripts", "retry", room.slug, stdout=out)
    again = Told(*[RuntimeError("bad")] * 9)
    work_through(lambda: again)
    chosen = {"action": "retry", "_selected_action": [transcript().pk]}
    for codename, state in (("view_transcript", "failed"), ("retry_transcript", "waiting")):
        helper.user_permissions.add(Permission.objects.get(codename=codename))
        sign_in_staff(Client(), helper).post("/admin/transcripts/transcript/", chosen)
        assert transcript().state == state
    acts = [("transcript_retried", None), ("transcript_retried", helper.pk)]
    assert list(Entry.objects.order_by("seq").values_list("kind", "actor")) == acts
