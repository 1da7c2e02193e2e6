"""Real speech workers: Celery processes with Whisper in them, killed without warning while they work."""

import time
from collections.abc import Callable

import pytest
from django.db import connection

from rooms.models import Recording
from tests.support import recordings, sounds
from tests.support.people import person
from tests.support.privileges import owner
from tests.support.processes import Site
from tests.support.waiting import wait_until
from transcripts import actions
from transcripts.models import Cue, Transcript, TranscriptionWindow, WorkItem
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


@pytest.fixture
def recording(transactional_db: None) -> Recording:
    """Six windows of speech: enough to be killed in the middle."""
    host = person("hanna")
    made = recordings.ended_recording(host)
    places, end_ms = sounds.in_turn(sounds.CLIPS * 6, pause_ms=600)
    recordings.lay_track(made, recordings.sat_until_the_end(made, host, 0), sounds.laid(places, end_ms))
    return made


def claims() -> list[tuple[int, int, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT window_id, token, worker FROM claims ORDER BY at")
        return [(int(window), int(token), str(worker)) for window, token, worker in cursor.fetchall()]


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


def done() -> int:
    return TranscriptionWindow.objects.filter(state=WorkItem.State.DONE).count()


def ready() -> bool:
    return Transcript.objects.filter(state=Transcript.State.READY).exists()


@pytest.fixture
def witness(transactional_db: None) -> object:
    with owner() as connected:
        connected.execute(WITNESS)
    yield None
    with owner() as connected:
        connected.execute(FORGET)


def test_a_killed_worker_s_windows_are_taken_up_where_they_were(
    recording: Recording, site: Site, witness: object
) -> None:
    """SIGKILL in the middle of a window: what was done stays, that one window is begun again, once."""
    light = {"WHISPER_MODEL": "tiny.en", "SPEECH_LEASE_SECONDS": "3", "WHISPER_THREADS": "1"}
    site.start("speech", **light)
    actions.request_transcript(recording)
    wait_for(lambda: done() >= 2 and TranscriptionWindow.objects.filter(state=WorkItem.State.RUNNING).exists(), site)
    site.kill("speech")
    before = dict(TranscriptionWindow.objects.filter(state=WorkItem.State.DONE).values_list("pk", "token"))
    cues = set(Cue.objects.values_list("pk", flat=True))
    assert not ready()
    site.start("speech", "work", **light)
    time.sleep(3)
    requeue.delay()
    wait_for(ready, site)
    after = dict(TranscriptionWindow.objects.values_list("pk", "token"))
    assert all(after[pk] == token for pk, token in before.items()), "what was done is not done again"
    assert cues <= set(Cue.objects.values_list("pk", flat=True))
    assert sum(after.values()) <= len(after) + 1, "only the window that was in work is begun twice"
    assert taken_from_the_living() == 0
    text = " ".join(Cue.objects.order_by("start_ms").values_list("text", flat=True))
    wanted = [word for name in sounds.CLIPS * 6 for word in sounds.WORDS[name].split()]
    assert sounds.word_error_rate(wanted, sounds.plain_words(text)) < 0.20


def test_two_workers_share_the_windows_and_never_one(recording: Recording, site: Site, witness: object) -> None:
    other = Site(site.logs.parent / "other")
    light = {"WHISPER_MODEL": "tiny.en", "WHISPER_THREADS": "1"}
    try:
        site.start("speech", **light)
        other.start("speech", **light)
        wait_for(lambda: b" ready." in other.log("speech").read_bytes(), other)
        actions.request_transcript(recording)
        wait_for(TranscriptionWindow.objects.exists, site)
        work.delay()
        wait_for(ready, site)
    finally:
        other.stop()
    found = claims()
    assert len(found) == len({window for window, _token, _worker in found}) == TranscriptionWindow.objects.count()
    assert len({worker for _window, _token, worker in found}) == 2
