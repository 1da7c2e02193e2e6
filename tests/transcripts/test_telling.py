"""The host is told that the transcript is finished: once, in the host's language, and not of what is gone."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from mail.models import Mail
from people import notify
from people.models import User
from retention import purge
from rooms.models import Recording, Room
from tests.support import recordings, sounds
from tests.support.people import person
from tests.support.rooms import due_at
from transcripts import actions, tasks
from transcripts.jobs import claims, results
from transcripts.jobs import notify as host_mail
from transcripts.models import TrackPlan, Transcript, TranscriptionWindow, WorkItem
from transcripts.speech.windows import Span

pytestmark = pytest.mark.django_db(transaction=True)
BY = results.EngineVersion("m", "1")


@pytest.fixture
def windows() -> list[TranscriptionWindow]:
    """Four windows of one track, each in the hands of a worker."""
    host = person("hanna")
    recording = recordings.ended_recording(host)
    recordings.lay_track(recording, recordings.sat_until_the_end(recording, host, 0), sounds.clip("0880"))
    actions.request_transcript(recording)
    plan = claims.claim(TrackPlan, "planner")
    assert plan is not None
    results.save_plan(plan, [(Span(at, at + 1_000),) for at in range(0, 4_000, 1_000)])
    return [window for number in range(4) if (window := claims.claim(TranscriptionWindow, f"worker{number}"))]


def finish(windows: list[TranscriptionWindow]) -> Transcript:
    for window in windows:
        results.save_window(window, [], BY, 5)
    return Transcript.objects.get()


def in_threads(number: int, what: Any) -> None:
    start = threading.Barrier(number)

    def go(at: int) -> None:
        try:
            start.wait()
            what(at)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(at,)) for at in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_once_however_many_finish_and_tell_at_the_same_moment(
    windows: list[TranscriptionWindow], settings: Any
) -> None:
    """Four workers write the last windows at once, eight processes tell: one mail, in production's outbox."""
    settings.EMAIL_BACKEND = "mail.outbox.Backend"
    in_threads(4, lambda at: results.save_window(windows[at], [], BY, 5))
    assert Transcript.objects.get().state == "ready" and not Mail.objects.exists(), "a mail does not hold up a worker"
    in_threads(8, lambda at: host_mail.notify_hosts())
    tasks.tell()
    tasks.requeue()
    (row,) = Mail.objects.all()
    assert (row.to, row.subject) == ("hanna@example.org", "The transcript of “Regulars” is ready")
    assert Transcript.objects.get().told_at is not None


def test_in_the_hosts_language_with_a_link(windows: list[TranscriptionWindow], settings: Any) -> None:
    User.objects.update(language="nl")
    transcript = finish(windows)
    assert host_mail.notify_hosts() == 1
    (sent,) = mail.outbox
    assert sent.to == ["hanna@example.org"]
    assert sent.subject == "Het verslag van “Regulars” is klaar"
    assert f"{settings.SITE_URL}/r/{transcript.room.slug}/replay/" in sent.body and "Dag Hanna," in sent.body


def test_gaps_and_failure_are_said(windows: list[TranscriptionWindow]) -> None:
    TranscriptionWindow.objects.update(attempts=claims.MAX_ATTEMPTS)
    for window in TranscriptionWindow.objects.order_by("pk")[:2]:
        results.record_failure(window, "bad")
    finish(windows[2:])
    host_mail.notify_hosts()
    assert mail.outbox[0].subject == "The transcript of “Regulars” is ready, with gaps"
    assert "2 places could not be transcribed." in mail.outbox[0].body
    room = Room.objects.get()
    # Tried afresh, it is told afresh: once.
    actions.retry_transcript(room, room.host)
    assert host_mail.notify_hosts() == 0, "it is being written"
    TranscriptionWindow.objects.update(state=WorkItem.State.RUNNING, attempts=claims.MAX_ATTEMPTS, lease_until=Now())
    for window in TranscriptionWindow.objects.order_by("pk"):
        results.record_failure(window, "bad")
    assert (host_mail.notify_hosts(), host_mail.notify_hosts()) == (1, 0)
    assert mail.outbox[1].subject == "“Regulars” could not be transcribed"
    assert len(mail.outbox) == 2


def test_nothing_is_told_of_what_is_gone_or_empty(windows: list[TranscriptionWindow]) -> None:
    transcript = finish(windows)
    room = transcript.room
    Recording.objects.filter(room=room).update(state=Recording.State.PURGED)
    Room.objects.filter(pk=room.pk).update(purged_at=timezone.now())
    assert host_mail.notify_hosts() == 0
    silent = recordings.ended_recording(person("silent"))
    actions.request_transcript(silent)
    assert Transcript.objects.get(room=silent.room).state == "ready"
    assert host_mail.notify_hosts() == 0
    assert not mail.outbox and not Transcript.objects.filter(told_at=None).exists()


def test_a_purge_that_has_begun_is_not_overtaken(windows: list[TranscriptionWindow]) -> None:
    """While the purge holds the room nobody tells; when it is through there is nothing to tell."""
    transcript = finish(windows)
    told: list[int] = []
    with transaction.atomic():
        Room.objects.select_for_update().get(pk=transcript.room_id)
        in_threads(1, lambda at: told.append(host_mail.notify_hosts()))
        assert told == [0] and Transcript.objects.get().told_at is None
    purge.purge([transcript.room_id], due_at(transcript.room))
    assert host_mail.notify_hosts() == 0 and not mail.outbox and not Transcript.objects.exists()


def test_a_mail_that_cannot_be_written_is_tried_again(
    windows: list[TranscriptionWindow], monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(windows)

    def full(*args: object, **kwargs: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(notify, "send", full)
        assert host_mail.notify_hosts() == 0
    assert Transcript.objects.get().told_at is None
    assert host_mail.notify_hosts() == 1
