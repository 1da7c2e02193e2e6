"""Real speech workers: Celery processes with Whisper in them, killed without warning while they work."""

import os
import signal
from collections.abc import Callable

import pytest
from django.db import connection
from django.db.models.functions import Now

from rooms.models import Recording
from tests.support import recordings, sounds
from tests.support.people import person
from tests.support.privileges import owner
from tests.support.processes import Site
from tests.support.waiting import wait_until
from transcripts import actions
from transcripts.models import Cue, TrackPlan, Transcript, TranscriptionWindow, WorkItem
from transcripts.tasks import requeue, work

# Each claim and each lease that was taken away is written down by the database itself: nothing a worker does escapes.
WITNESS = """
CREATE TABLE claims (window_id bigint, token bigint, worker text, at timestamptz DEFAULT clock_timestamp(),
                     lease_was timestamptz, state_was text);
CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.token <> OLD.token THEN
        INSERT INTO claims VALUES (NEW.id, NEW.token, NEW.worker, DEFAULT, OLD.lease_until, OLD.state);
    END IF;
    RETURN NEW;
END $$;
GRANT SELECT, INSERT ON claims TO stamtafel_app;
CREATE TRIGGER witness BEFORE UPDATE ON transcripts_transcriptionwindow FOR EACH ROW EXECUTE FUNCTION witness();
"""
FORGET = "DROP TRIGGER witness ON transcripts_transcriptionwindow; DROP FUNCTION witness(); DROP TABLE claims;"
# A track of two windows, then tracks of one short window each: eight windows, of which most take a second.
TRACKS = [(*sounds.CLIPS, "0870"), *((name,) for name in ("0880", "0930", "0890") * 2)]
# The lease runs out while a worker starts again; a part of tiny.en takes hundredths of a second.
LIGHT = {"WHISPER_MODEL": "tiny.en", "WHISPER_THREADS": "1", "SPEECH_LEASE_SECONDS": "6"}


@pytest.fixture
def recording(transactional_db: None) -> Recording:
    host = person("hanna")
    made = recordings.ended_recording(host)
    sat = recordings.sat_until_the_end(made, host, 0)
    for number, names in enumerate(TRACKS):
        places, end_ms = sounds.in_turn(names, 200, pause_ms=600)
        recordings.lay_track(made, sat, sounds.laid(places, end_ms), start_ms=number * 60_000)
    return made


def claims() -> list[tuple[int, str]]:
    """Each claim of a window so far, in order: the window and the worker."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT window_id, worker FROM claims ORDER BY at")
        return [(int(window), str(worker)) for window, worker in cursor.fetchall()]


def taken_from_the_living() -> int:
    """Claims of a window whose lease had not run out: there must be none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM claims WHERE state_was = 'running' AND lease_was > at")
        return int(cursor.fetchone()[0])


def wait_for(what: Callable[[], bool], site: Site, seconds: float = 300) -> None:
    """Wait, generously: Whisper on a busy machine. If it never comes to that, say what the worker wrote last."""
    try:
        wait_until(what, seconds, every=0.05)
    except AssertionError as error:
        raise AssertionError(site.log("speech").read_text(errors="replace")[-4000:]) from error


def windows(state: WorkItem.State) -> dict[int, str]:
    """The windows in a state, each with the worker that had it last."""
    return dict(TranscriptionWindow.objects.filter(state=state).values_list("pk", "worker"))


def ready() -> bool:
    return Transcript.objects.filter(state=Transcript.State.READY).exists()


def leases_ran_out() -> bool:
    return not TranscriptionWindow.objects.filter(lease_until__gte=Now()).exists()


def are_stopped_at_work(*sites: Site) -> bool:
    """Whether some windows are done and each worker has another in hand, which it keeps: then they stay stopped."""

    def at_work() -> bool:
        workers = windows(WorkItem.State.RUNNING).values()
        return len(windows(WorkItem.State.DONE)) >= 3 and len(set(workers)) == len(sites)

    if not at_work():
        return False
    processes = [site.running["speech"] for site in sites]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    if at_work():
        return True
    for process in processes:
        process.send_signal(signal.SIGCONT)
    return False


@pytest.fixture
def witness(transactional_db: None) -> object:
    with owner() as connected:
        connected.execute(WITNESS)
    yield None
    with owner() as connected:
        connected.execute(FORGET)


def test_two_workers_never_share_a_window_and_what_they_were_killed_in_is_taken_up(
    recording: Recording, site: Site, witness: object
) -> None:
    """SIGKILL to both in the middle of a window: what was done stays, those two windows are begun again, once."""
    other = Site(site.logs.parent / "other")
    try:
        site.start("speech", **LIGHT)
        other.start("speech", **LIGHT)
        wait_for(lambda: b" ready." in other.log("speech").read_bytes(), other)
        actions.request_transcript(recording)
        wait_for(TrackPlan.objects.filter(state=WorkItem.State.RUNNING).exists, site)
        work.delay()  # the first message is in work: this one is for the other worker
        wait_for(lambda: are_stopped_at_work(site, other), site)
        site.kill("speech")
        other.kill("speech")
    finally:
        other.stop()
    interrupted, done = windows(WorkItem.State.RUNNING), windows(WorkItem.State.DONE)
    cues = set(Cue.objects.values_list("pk", flat=True))
    shared = claims()
    assert len(shared) == len({window for window, _worker in shared}) == len(interrupted | done)
    assert {worker for _window, worker in shared} == set(interrupted.values()) and len(interrupted) == 2
    assert cues and not ready()
    site.start("speech", "work", **LIGHT)
    wait_for(leases_ran_out, site)
    requeue.delay()
    wait_for(ready, site)
    assert len(windows(WorkItem.State.DONE)) == TranscriptionWindow.objects.count() == 8
    assert {window for window, worker in claims() if worker not in interrupted.values()} == (
        windows(WorkItem.State.DONE).keys() - done.keys()
    ), "what was done is not done again"
    assert len(claims()) == 8 + len(interrupted), "only the windows that were in work are begun twice"
    assert cues <= set(Cue.objects.values_list("pk", flat=True))
    assert taken_from_the_living() == 0
    text = " ".join(Cue.objects.order_by("start_ms").values_list("text", flat=True))
    wanted = [word for names in TRACKS for name in names for word in sounds.WORDS[name].split()]
    assert sounds.word_error_rate(wanted, sounds.plain_words(text)) < 0.20
