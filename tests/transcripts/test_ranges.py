"""A range of a room, transcribed for a case: whose lines at which time, for whom, and how often."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from ledger.models import Entry
from people.models import User
from retention import artefacts
from rooms import actions
from rooms.models import Recording, Room, Seat
from rooms.recording import marker, store
from tests.support import recordings, sounds
from tests.support.janus_tracks import lay_raw_track
from tests.support.people import person
from tests.support.rooms import open_room, seated
from tests.transcripts.pieces import Told, never
from transcripts.actions import request_transcript
from transcripts.jobs import claims, results
from transcripts.jobs.run import run_items
from transcripts.models import Cue, RangeCue, RangeState, RangeTranscript, Transcript, TranscriptionWindow
from transcripts.queries import SpokenLine, cues_between
from transcripts.ranges import ask_for_range
from transcripts.refusals import TranscriptRefused
from transcripts.tasks import anything_free

pytestmark = pytest.mark.django_db
MINUTE = 60_000


@pytest.fixture
def staff() -> User:
    return person("mira")


@pytest.fixture
def silent(staff: User) -> Recording:
    """An ended room of an hour with transcription off: Hanna speaks from 2 s on, Bob's track begins in the middle of
    the range and he says another thing."""
    made = recordings.ended_recording(person("hanna"), transcription=False)
    marker.check()
    hanna, bob = made.room.host, person("bob")
    places, end_ms = sounds.in_turn(("0870", "0880"), 0)
    recordings.lay_track(made, recordings.sat_until_the_end(made, hanna, 0), sounds.laid(places, end_ms), 2_000)
    late = sounds.laid([(1_000, "0930")], 1_000 + sounds.length_ms("0930") + 500)
    recordings.lay_track(made, recordings.sat_until_the_end(made, bob, 1), late, 20_000)
    request_transcript(made)
    return made


@pytest.fixture
def live() -> Room:
    """A live room that began a minute ago."""
    room = open_room("lea", transcription=False)
    Room.objects.filter(pk=room.pk).update(started_at=timezone.now() - timedelta(minutes=1))
    room.refresh_from_db()
    marker.check()
    return room


def work(engine: Any = Told) -> int:
    """Work until nothing is free, as if waits were over."""
    done = 0
    while tried := run_items("me", never, engine):
        done += tried
        RangeTranscript.objects.update(next_at=None)
    return done


def said_by(lines: list[SpokenLine], user: User) -> str:
    return " ".join(line.text for line in lines if line.speaker_pk == user.pk)


# --- real speech -----------------------------------------------------------------------------------------------------


@pytest.fixture
def whisper(settings: Any) -> Iterator[None]:
    settings.WHISPER_MODEL = "tiny.en"
    yield


def assert_said(lines: list[SpokenLine], user: User, clip: str) -> None:
    found = sounds.plain_words(said_by(lines, user))
    assert sounds.word_error_rate(sounds.WORDS[clip].split(), found) < 0.3, found


def test_a_range_of_an_ended_room_without_transcription(silent: Recording, staff: User, whisper: None) -> None:
    """Only what was said in it, by whom it was said, also where a track begins in the middle of it."""
    bob = User.objects.get(handle="bob")
    begins = 2_000 + sounds.length_ms("0870") + 400  # of Hanna's second sentence
    asked = ask_for_range(silent.room, begins, 20_000 + 1_000 + sounds.length_ms("0930") + 500, staff)
    run_items("me", never)
    asked.refresh_from_db()
    assert (asked.state, asked.error) == (RangeState.READY, "") and asked.ready_at is not None
    lines = cues_between(silent.room, 0, MINUTE)
    assert_said(lines, silent.room.host, "0880")
    assert_said(lines, bob, "0930")
    assert {line.name for line in lines} == {"Hanna", "Bob"}
    first = next(line for line in lines if line.speaker_pk == bob.pk)
    assert first.start_ms == pytest.approx(21_000, abs=400)
    assert lines == sorted(lines, key=lambda line: line.start_ms)
    assert Transcript.objects.get().state == Transcript.State.OFF and not Cue.objects.exists(), "nothing for the host"


def test_a_range_of_a_live_room(live: Room, staff: User, whisper: None) -> None:
    """From what Janus has written so far; each connection is a file of its own, and the last packet is half there."""
    bob = seated("bob", live)
    seats = {seat.user_id: seat for seat in Seat.objects.filter(room=live)}
    lay_raw_track(live, seats[live.host_id], sounds.laid([(15_000, "0880")], 25_000), 5_000)
    lay_raw_track(live, seats[bob.pk], sounds.laid([(500, "0870")], 9_000), 1_000)
    again = lay_raw_track(live, seats[bob.pk], sounds.laid([(1_000, "0930")], 8_000), 30_000, connection=2)
    again.write_bytes(again.read_bytes()[:-7])
    asked = ask_for_range(live, 19_000, 36_000, staff)
    run_items("me", never)
    asked.refresh_from_db()
    assert (asked.state, asked.error) == (RangeState.READY, "")
    lines = cues_between(live, 19_000, 36_000)
    assert_said(lines, live.host, "0880")
    assert_said(lines, bob, "0930")
    assert next(line for line in lines if line.speaker_pk == live.host_id).start_ms == pytest.approx(20_000, abs=400)
    assert next(line for line in lines if line.speaker_pk == bob.pk).start_ms == pytest.approx(31_000, abs=400)
    assert sorted(path.name for path in store.folder(live.pk).iterdir()) == ["tracks"], "no cut sound is left behind"


# --- asking ----------------------------------------------------------------------------------------------------------


def test_asking_again_gives_the_same_range(silent: Recording, staff: User) -> None:
    asked = ask_for_range(silent.room, 0, MINUTE, staff)
    assert anything_free()
    assert ask_for_range(silent.room, 0, MINUTE, person("mo")) == asked
    assert ask_for_range(silent.room, 10_000, 20_000, staff) == asked, "it is in the other one"
    assert ask_for_range(silent.room, 10_000, MINUTE + 1, staff) != asked
    entries = Entry.objects.filter(kind="range_transcribed").order_by("seq")
    assert [(entry.subject, entry.actor) for entry in entries] == [(f"room:{silent.room_id}", staff.pk)] * 2
    assert entries[0].data == {"range": asked.pk, "from_ms": 0, "to_ms": MINUTE}


@pytest.mark.parametrize(("from_ms", "to_ms"), [(-1, 5), (5, 5), (9, 5), (0, 600_001)])
def test_no_range(silent: Recording, staff: User, from_ms: int, to_ms: int) -> None:
    with pytest.raises(TranscriptRefused, match="bad_range"):
        ask_for_range(silent.room, from_ms, to_ms, staff)
    with pytest.raises(IntegrityError), transaction.atomic():
        RangeTranscript.objects.create(room=silent.room, from_ms=from_ms, to_ms=to_ms)


def test_what_is_not_there_cannot_be_asked_for(silent: Recording, live: Room, staff: User) -> None:
    with pytest.raises(TranscriptRefused, match="not_heard_yet"):
        ask_for_range(live, 3_600_000, 3_700_000, staff)
    with pytest.raises(TranscriptRefused, match="not_heard_yet"):
        ask_for_range(silent.room, 61 * MINUTE, 62 * MINUTE, staff)
    assert ask_for_range(silent.room, 59 * MINUTE, 65 * MINUTE, staff).to_ms == 60 * MINUTE, "up to the end"
    Transcript.objects.update(state=Transcript.State.READY, finished_at=timezone.now())
    with pytest.raises(TranscriptRefused, match="has_transcript"):
        ask_for_range(silent.room, 0, 5_000, staff)
    Room.objects.filter(pk=silent.room_id).update(purged_at=timezone.now())
    with pytest.raises(TranscriptRefused, match="copy_gone"):
        ask_for_range(silent.room, 0, 5_000, staff)


def test_the_newest_seconds_wait_until_they_are_on_the_disk(live: Room, staff: User) -> None:
    asked = ask_for_range(live, 50_000, 600_000, staff)
    assert asked.to_ms == pytest.approx(60_000, abs=5_000)
    assert not claims.claimable(RangeTranscript).exists()
    RangeTranscript.objects.update(next_at=Now() - timedelta(seconds=1))
    assert claims.claimable(RangeTranscript).exists()


# --- working ---------------------------------------------------------------------------------------------------------


def test_ranges_go_before_tracks_and_windows(windows: list[TranscriptionWindow], staff: User) -> None:
    """A transcript is in work, and a moderator waits."""
    assert len(windows) == 2
    room = Room.objects.get()
    asked = ask_for_range(room, 2_000, 12_000, staff)
    stops = iter([False, True])
    assert run_items("me", lambda: next(stops), Told) == 1
    asked.refresh_from_db()
    assert asked.state == RangeState.READY
    assert set(TranscriptionWindow.objects.values_list("state", flat=True)) == {"waiting"}
    assert cues_between(room, 0, MINUTE)[0].reference.startswith("range:")
    work()
    assert {line.reference.partition(":")[0] for line in cues_between(room, 0, MINUTE)} == {"cue"}, "ready now"


def test_a_killed_worker_s_range_is_taken_up_once(silent: Recording, staff: User) -> None:
    asked = ask_for_range(silent.room, 0, MINUTE, staff)
    dead = claims.claim(RangeTranscript, "dead")
    assert dead is not None and run_items("me", never, Told) == 0, "its lease runs"
    (store.folder(silent.room_id) / f".range-{asked.pk}-1").mkdir()
    RangeTranscript.objects.update(lease_until=Now() - timedelta(seconds=1))
    assert run_items("me", never, Told) == 1
    asked.refresh_from_db()
    lines = RangeCue.objects.count()
    assert (asked.state, asked.token) == (RangeState.READY, 2) and lines > 0
    assert not list(store.folder(silent.room_id).glob(".range-*"))
    with pytest.raises(claims.LeaseLost):
        results.record_failure(dead, "late")
    asked.refresh_from_db()
    assert asked.state == RangeState.READY and RangeCue.objects.count() == lines


def test_a_range_that_fails_says_why_and_can_be_asked_for_again(silent: Recording, staff: User) -> None:
    asked = ask_for_range(silent.room, 0, MINUTE, staff)
    broken = Told(*[RuntimeError("bad")] * 3)
    assert run_items("me", never, lambda: broken) == 1
    asked.refresh_from_db()
    assert asked.state == RangeState.WAITING and asked.next_at is not None, "it waits for a while"
    RangeTranscript.objects.update(next_at=None)
    assert work(lambda: broken) == 2
    asked.refresh_from_db()
    assert (asked.state, asked.error) == (RangeState.FAILED, "RuntimeError: bad")
    assert cues_between(silent.room, 0, MINUTE) == []
    again = ask_for_range(silent.room, 0, MINUTE, staff)
    assert (again.pk, again.state, again.error) == (asked.pk, RangeState.WAITING, "")
    assert work() == 1
    assert cues_between(silent.room, 0, MINUTE)


def test_a_worker_that_died_each_time_is_a_failure(silent: Recording, staff: User) -> None:
    ask_for_range(silent.room, 0, MINUTE, staff)
    for _attempt in range(claims.MAX_ATTEMPTS):
        assert claims.claim(RangeTranscript, "dead") is not None
        RangeTranscript.objects.update(lease_until=Now() - timedelta(seconds=1))
    assert results.give_up_expired() == 1
    assert RangeTranscript.objects.get().state == RangeState.FAILED


def test_a_lost_track_takes_no_other_along(silent: Recording, staff: User) -> None:
    lost = silent.files.get(seat__user__handle="bob")
    recordings.path_of(lost).unlink()
    asked = ask_for_range(silent.room, 0, MINUTE, staff)
    assert work() == claims.MAX_ATTEMPTS
    asked.refresh_from_db()
    assert asked.state == RangeState.READY and "missing" in asked.error
    assert {line.name for line in cues_between(silent.room, 0, MINUTE)} == {"Hanna"}


def test_where_ranges_overlap_no_line_is_there_twice(silent: Recording, staff: User) -> None:
    first = ask_for_range(silent.room, 0, 8_000, staff)
    second = ask_for_range(silent.room, 4_000, 30_000, staff)
    work()
    lines = cues_between(silent.room, 0, MINUTE)
    owners = dict(RangeCue.objects.values_list("pk", "range"))
    ranges = [owners[int(line.reference.removeprefix("range:"))] for line in lines]
    assert set(ranges) == {first.pk, second.pk}
    for line, owner in zip(lines, ranges, strict=True):
        assert owner == (first.pk if (line.start_ms + line.end_ms) / 2 < 8_000 else second.pk)


# --- its end ---------------------------------------------------------------------------------------------------------


def test_a_purge_takes_ranges_along_and_a_late_worker_writes_nothing(silent: Recording, staff: User) -> None:
    ask_for_range(silent.room, 0, MINUTE, staff)
    work()
    late = ask_for_range(silent.room, 0, 2 * MINUTE, staff)

    def purging() -> None:
        Room.objects.filter(pk=silent.room_id).update(purged_at=timezone.now())

    engine = Told(purging)
    run_items("me", never, lambda: engine)
    assert engine.calls > 0 and not late.cues.exists()
    gone = artefacts.erase_rows([silent.room_id])[silent.room_id]
    assert gone["ranges"] == 2 and gone["range cues"] > 0
    assert not RangeTranscript.objects.exists() and not RangeCue.objects.exists()


def test_a_live_room_ends_and_its_range_stays_what_it_was(live: Room, staff: User) -> None:
    seat = Seat.objects.get(room=live)
    lay_raw_track(live, seat, sounds.laid([(1_000, "0880")], 6_000), 2_000)
    ask_for_range(live, 0, 10_000, staff)
    work()
    lines = cues_between(live, 0, 10_000)
    actions.end_room(live.pk, live.host)
    assert lines and cues_between(live, 0, 10_000) == lines
