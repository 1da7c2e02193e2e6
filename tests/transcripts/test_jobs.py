"""Pieces of work: claimed by one, fenced, tried again, marked when they fail; the engine does as it is told."""

import threading
from collections.abc import Callable

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from retention import purge
from rooms.hooks import recording_ready
from rooms.models import Recording, Room
from tests.support import recordings, sounds
from tests.support.people import person
from tests.support.rooms import due_at
from tests.transcripts.pieces import Told, let_leases_run_out, never, transcript, work_through
from transcripts import actions
from transcripts.jobs import claims, progress, results
from transcripts.jobs.run import run_items, transcribe_window
from transcripts.models import Cue, TrackPlan, Transcript, TranscriptionWindow, WorkItem
from transcripts.refusals import TranscriptRefused
from transcripts.speech.engine import EngineUnavailable
from transcripts.speech.windows import Span


def test_a_finished_recording_is_transcribed_from_the_signal_on(recording: Recording) -> None:
    recording_ready.send(Recording, recording=recording)
    recording_ready.send(Recording, recording=recording)
    assert transcript().state == Transcript.State.WAITING
    engine = Told()
    assert run_items("me", never, lambda: engine) == 3
    found = transcript()
    assert found.state == Transcript.State.READY
    assert (found.model, found.version) == ("told", "1")
    assert found.done_ms == found.speech_ms > 40_000
    cues = list(Cue.objects.order_by("start_ms"))
    assert cues[0].start_ms >= 2_000
    assert {cue.seat.user.handle for cue in cues} == {"hanna"}
    recording_ready.send(Recording, recording=recording)
    assert transcript().state == Transcript.State.READY


def test_a_room_that_wanted_none_gets_none(db: None) -> None:
    recording = recordings.ended_recording(person("hanna"), transcription=False)
    assert actions.request_transcript(recording).state == Transcript.State.OFF
    assert not TrackPlan.objects.exists()


def test_a_room_without_tracks_is_ready_at_once(db: None) -> None:
    made = actions.request_transcript(recordings.ended_recording(person("hanna")))
    assert transcript().state == Transcript.State.READY
    assert progress.progress(transcript()) == progress.TranscriptProgress(100, 0, 0)
    assert made.pk == transcript().pk


def test_a_track_of_silence_is_ready_without_windows(db: None) -> None:
    host = person("hanna")
    recording = recordings.ended_recording(host)
    recordings.lay_track(recording, recordings.sat_until_the_end(recording, host, 0), np.zeros(16_000 * 40, np.float32))
    actions.request_transcript(recording)
    assert run_items("me", never, Told) == 1
    assert transcript().state == Transcript.State.READY
    assert not TranscriptionWindow.objects.exists()


def test_who_lost_the_lease_writes_nothing(windows: list[TranscriptionWindow]) -> None:
    """The slow worker wakes up after another one has taken over: its token no longer fits."""
    slow = claims.claim(TranscriptionWindow, "slow")
    let_leases_run_out()
    quick = claims.claim(TranscriptionWindow, "quick")
    again = claims.claim(TranscriptionWindow, "quick")
    assert slow and quick and again
    assert {quick.pk, again.pk} == {window.pk for window in windows}  # first tries first, then what was left behind
    taken = again if again.pk == slow.pk else quick
    assert taken.token == slow.token + 1
    writes: list[Callable[[], None]] = [
        lambda: results.save_window(slow, [], results.EngineVersion("m", "1"), 5),
        lambda: results.record_failure(slow, "late"),
        lambda: claims.write_if_held(slow, lease_until=Now()),
    ]
    for write in writes:
        with pytest.raises(claims.LeaseLost), transaction.atomic():
            write()
    results.save_window(taken, [], results.EngineVersion("m", "1"), 5)
    taken.refresh_from_db()
    assert (taken.state, taken.worker) == (WorkItem.State.DONE, "quick")


def test_a_heartbeat_keeps_the_lease_and_notices_when_it_is_lost(
    windows: list[TranscriptionWindow], settings: object
) -> None:
    settings.SPEECH_LEASE_SECONDS = 1  # type: ignore[attr-defined]
    window = claims.claim(TranscriptionWindow, "me")
    assert window
    beat = claims.Heartbeat(window)
    beat.last -= 10
    before = TranscriptionWindow.objects.get(pk=window.pk).lease_until
    beat()
    after = TranscriptionWindow.objects.get(pk=window.pk).lease_until
    assert before and after and after >= before
    TranscriptionWindow.objects.filter(pk=window.pk).update(token=99)
    beat.last -= 10
    with pytest.raises(claims.LeaseLost):
        beat()


def test_a_worker_that_loses_its_lease_stops_and_goes_on_with_the_next(windows: list[TranscriptionWindow]) -> None:
    def stolen() -> None:
        TranscriptionWindow.objects.filter(state=WorkItem.State.RUNNING).update(token=50, worker="thief")

    engine = Told(stolen)
    assert run_items("me", never, lambda: engine) == 2
    assert [window.state for window in TranscriptionWindow.objects.order_by("pk")] == ["running", "done"]
    assert not Cue.objects.filter(window=windows[0]).exists()


def test_a_failed_window_is_tried_again(windows: list[TranscriptionWindow]) -> None:
    engine = Told(RuntimeError("first"), None, RuntimeError("second"))
    work_through(lambda: engine)
    first = TranscriptionWindow.objects.get(pk=windows[0].pk)
    assert (first.state, first.attempts) == (WorkItem.State.DONE, 3)
    assert transcript().state == Transcript.State.READY
    assert not Cue.objects.exclude(kind=Cue.Kind.SPEECH).exists()


def test_a_window_that_keeps_failing_is_marked_and_the_rest_is_there(windows: list[TranscriptionWindow]) -> None:
    """Never dropped silently: each of its stretches stands in the transcript as a gap."""
    engine = Told(None, *[RuntimeError("bad")] * 3)
    work_through(lambda: engine)
    assert transcript().state == Transcript.State.READY
    gaps = list(Cue.objects.filter(kind=Cue.Kind.FAILED).order_by("start_ms").values_list("start_ms", "end_ms"))
    assert gaps == [(13_000, 22_000), (32_000, 35_000)]
    assert progress.progress(transcript()).gaps == 1
    failed = TranscriptionWindow.objects.get(state=WorkItem.State.FAILED)
    assert failed.error == "RuntimeError: bad"


def test_the_host_can_have_failures_tried_again(windows: list[TranscriptionWindow]) -> None:
    room = Room.objects.get()
    work_through(lambda: Told(RuntimeError("bad")))
    engine = Told(*[RuntimeError("bad")] * 9)
    work_through(lambda: engine)
    actions.retry_transcript(room, room.host)
    assert transcript().state == Transcript.State.WAITING
    work_through(Told)
    assert transcript().state == Transcript.State.READY
    assert not Cue.objects.exclude(kind=Cue.Kind.SPEECH).exists()
    with pytest.raises(TranscriptRefused, match="nothing_failed"):
        actions.retry_transcript(room, room.host)


def test_a_track_that_cannot_be_read_is_one_gap_and_can_be_tried_again(recording: Recording) -> None:
    room, file = recording.room, recording.files.get()
    actions.request_transcript(recording)
    path = recordings.path_of(file)
    kept = path.read_bytes()
    path.write_bytes(b"nothing")
    work_through(Told)
    assert transcript().state == Transcript.State.FAILED
    gap = Cue.objects.get()
    assert (gap.kind, gap.start_ms, gap.end_ms) == ("failed", 2_000, 2_000 + file.duration_ms)
    path.write_bytes(kept)
    actions.retry_transcript(room, room.host)
    work_through(Told)
    assert transcript().state == Transcript.State.READY
    assert set(Cue.objects.values_list("kind", flat=True)) == {"speech"}


def test_a_missing_engine_costs_no_attempt_and_is_said(windows: list[TranscriptionWindow]) -> None:
    def missing() -> Told:
        raise EngineUnavailable("base.pt is missing")

    for _ in range(5):
        run_items("me", never, missing)
    assert transcript().trouble == "base.pt is missing"
    assert set(TranscriptionWindow.objects.values_list("state", "attempts")) == {("waiting", 0)}
    run_items("me", never, Told)
    assert (transcript().state, transcript().trouble) == (Transcript.State.READY, "")


def test_a_window_that_kills_its_workers_is_given_up(windows: list[TranscriptionWindow]) -> None:
    for _ in range(claims.MAX_ATTEMPTS):
        assert {claims.claim(TranscriptionWindow, "dies"), claims.claim(TranscriptionWindow, "dies")} == set(windows)
        assert claims.claim(TranscriptionWindow, "idle") is None
        let_leases_run_out()
    assert claims.claim(TranscriptionWindow, "dies") is None
    assert results.give_up_expired() == 2
    assert results.give_up_expired() == 0
    assert transcript().state == Transcript.State.FAILED
    assert Cue.objects.filter(kind=Cue.Kind.FAILED).count() == 3


def test_stretches_without_a_word_are_marked_unclear(windows: list[TranscriptionWindow]) -> None:
    window = claims.claim(TranscriptionWindow, "me")
    assert window
    results.save_window(window, [], results.EngineVersion("m", "1"), 10)
    assert [(cue.kind, cue.start_ms) for cue in Cue.objects.all()] == [("unclear", 2_000)]


def test_progress_out_of_measured_speed(windows: list[TranscriptionWindow]) -> None:
    assert progress.progress(transcript()) == progress.TranscriptProgress(0, None, 0)
    window = claims.claim(TranscriptionWindow, "me")
    assert window and transcript().state == Transcript.State.RUNNING
    results.save_window(window, [], results.EngineVersion("m", "1"), spent_ms=100_000)
    # 10 of 22 seconds took 100 s: 120 s are left.
    assert progress.progress(transcript()) == progress.TranscriptProgress(45, 2, 0)


def test_a_purge_leaves_no_row_and_stops_the_worker_that_is_at_it(windows: list[TranscriptionWindow]) -> None:
    window = claims.claim(TranscriptionWindow, "me")
    assert window
    room = Room.objects.get()

    def purge_now() -> None:
        assert purge.purge([room.pk], due_at(room)) == [room.pk]

    with pytest.raises(claims.LeaseLost):
        transcribe_window(window, Told(purge_now))
    for kind in (Transcript, TrackPlan, TranscriptionWindow, Cue):
        assert not kind._default_manager.exists()
    assert purge.purge([room.pk], due_at(room)) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"start_ms": 5, "end_ms": 5},
        {"start_ms": -1},
        {"text": ""},
        {"kind": "failed"},
        {"confidence": 1.2},
        {"corrected_text": "without a date"},
        {"corrected_text": "", "corrected_at": timezone.now()},
        {"position": 0},
    ],
)
def test_the_database_refuses_cues_that_make_no_sense(
    windows: list[TranscriptionWindow], wrong: dict[str, object]
) -> None:
    window = claims.claim(TranscriptionWindow, "me")
    assert window
    run_items("other", never, Told)
    plan = window.plan
    good: dict[str, object] = {
        "transcript": plan.transcript,
        "window": window,
        "position": 1,
        "seat": plan.file.seat,
        "start_ms": 0,
        "end_ms": 10,
        "text": "x",
        "language": "en",
    }
    Cue.objects.create(**{**good, "position": 0})
    with pytest.raises(IntegrityError), transaction.atomic():
        Cue.objects.create(**{**good, **wrong})
    Cue.objects.create(**good)


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_have_one_piece() -> None:
    """Eight threads claim as fast as they can: each window goes to exactly one."""
    host = person("hanna")
    recording = recordings.ended_recording(host)
    recordings.lay_track(recording, recordings.sat_until_the_end(recording, host, 0), sounds.clip("0880"))
    actions.request_transcript(recording)
    plan = claims.claim(TrackPlan, "planner")
    assert plan
    results.save_plan(plan, [(Span(at, at + 1_000),) for at in range(0, 60_000, 1_000)])
    claimed: list[int] = []
    start = threading.Barrier(8)

    def greedy() -> None:
        try:
            start.wait()
            while window := claims.claim(TranscriptionWindow, threading.current_thread().name):
                claimed.append(window.pk)
                results.save_window(window, [], results.EngineVersion("m", "1"), 1)
        finally:
            connection.close()

    threads = [threading.Thread(target=greedy) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(TranscriptionWindow.objects.values_list("pk", flat=True))
    assert transcript().state == Transcript.State.READY
    assert transcript().done_ms == transcript().speech_ms == 60_000
