"""The process without Janus: tracks lie in memory as it writes them, and what becomes of them is in the database."""

from __future__ import annotations

import functools
import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import wait
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from core import bus
from people.models import User
from rooms import actions as room_actions
from rooms.models import CaptionsOff, Recording, Room, Seat
from tests.support import sounds
from tests.support.janus_tracks import lay_raw_track
from tests.support.rooms import seated
from tests.transcripts.captions.pieces import EverySecond, captioned, hear_all, hear_next, room_of, status
from tests.transcripts.pieces import Told, never
from transcripts import actions as transcript_actions
from transcripts.captions import actions, process, state
from transcripts.captions.engine import FastEngine, Heard
from transcripts.captions.ladder import NO_DRAFTS, Ladder
from transcripts.captions.process import Captioner
from transcripts.captions.room import RoomCaptions, Speaker, is_plausible
from transcripts.jobs.run import YIELDS, run_items
from transcripts.models import CaptionedRoom, LiveLine, Transcript
from transcripts.speech.audio import Sound
from transcripts.speech.engine import EngineUnavailable
from transcripts.speech.stitch import Word

pytestmark = pytest.mark.django_db
QUIETER = 0.03  # -30 dB


@functools.cache
def engine() -> FastEngine:
    return FastEngine("base", settings.WHISPER_MODEL_DIR, 1)


def lay(room: Room, user: User, sound: Sound, start_ms: int = 500, connection: int = 1) -> None:
    seat = Seat.objects.get(room=room, user=user, left_at=None)
    lay_raw_track(room, seat, sound, start_ms, connection, in_memory=True)


def work_through(captioner: Captioner, idle: float = 2.5) -> None:
    """Let it work until it has had nothing to do for a while."""
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < idle:
        if captioner.turn():
            quiet_since = time.monotonic()
        else:
            time.sleep(0.02)


def said_by(user: User) -> list[str]:
    rows = LiveLine.objects.filter(speaker=user).order_by("line")
    return sounds.plain_words(" ".join(word for row in rows for word, _start, _end in row.words))


def test_anothers_voice_in_a_microphone_is_not_written_under_the_wrong_name() -> None:
    room = room_of()
    nora, mara = seated("nora", room), seated("mara", room)
    voice, end_ms = sounds.in_turn(("0870", "0880"), start_ms=300, pause_ms=700)
    loud = sounds.laid(voice, end_ms + 300)
    own = sounds.laid([(end_ms - 200, "7902-96591-0000")], end_ms + 2600)
    own[: len(loud)] += QUIETER * loud
    lay(room, nora, loud)
    lay(room, mara, own)
    work_through(Captioner(never, engine))
    assert sounds.word_error_rate(words_of("0870", "0880"), said_by(nora)) < 0.15, said_by(nora)
    assert sounds.word_error_rate(words_of("7902-96591-0000"), said_by(mara)) < 0.4, said_by(mara)
    assert not {"dashwood", "prudently", "leisure"} & set(said_by(mara))


def words_of(*names: str) -> list[str]:
    return [word for name in names for word in sounds.plain_words(sounds.WORDS[name])]


def test_a_process_that_died_is_followed_by_one_that_goes_on_where_it_was() -> None:
    room = room_of(seconds=18)
    nora = seated("nora", room)
    voice, end_ms = sounds.in_turn(("0870", "0890"), start_ms=300, pause_ms=700)
    lay(room, nora, sounds.laid(voice, end_ms + 500))
    first = Captioner(never, engine)
    first.worker = "elsewhere:1"
    while not LiveLine.objects.exists():
        first.turn()
    begun = said_by(nora)
    second = Captioner(never, engine)
    second.turn()
    assert not second.rooms, "the lease of the first one has not run out"
    CaptionedRoom.objects.update(lease_until=Now() - actions.LEASE)
    work_through(second)
    heard = said_by(nora)
    assert heard[: len(begun)] == begun
    assert sounds.word_error_rate(words_of("0870", "0890"), heard) < 0.15, heard
    assert LiveLine.objects.filter(final=False).count() == 0
    assert not first.turn() or not first.rooms, "the first one wakes up and finds that it has lost the room"


def test_the_hosts_side_is_told_of_another_language(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    room = room_of("en", seconds=19)
    nora = seated("nora", room)
    lay(room, nora, sounds.with_pauses(list(sounds.DUTCH_SENTENCES)[:5], 600))
    told: list[str] = []
    monkeypatch.setattr(actions, "tell_language", lambda _room, heard: told.append(heard))
    work_through(Captioner(never, engine))
    assert told == ["nl"]


def test_it_says_what_is_missing_and_what_it_does() -> None:
    room_of()

    def missing() -> FastEngine:
        raise EngineUnavailable("base.pt is missing")

    captioner = Captioner(never, missing)
    captioner.turn()
    assert status()["trouble"] == "base.pt is missing" and not captioner.rooms
    work_through(Captioner(never, engine), idle=0.5)
    assert (status()["trouble"], status()["rooms"], status()["behind"]) == ("", 1, 0.0)
    assert state.room_state(Room.objects.get().pk) == ("on", [])


def test_under_load_who_spoke_least_recently_is_left_out_and_pages_are_told(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    room = room_of(seconds=9)
    nora, mara = seated("nora", room), seated("mara", room)
    lay(room, nora, sounds.laid([(200, "0880"), (4_800, "0930")], 8_500), 200)
    lay(room, mara, sounds.laid([(300, "0890")], 6_000), 200)
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(bus, "publish", lambda _channel, text: sent.append(json.loads(text)))
    monkeypatch.setattr(process, "TALKING_MS", 120_000)  # on a machine that is busy as well
    captioner = Captioner(never, EverySecond)
    captioner.ladder = Ladder(step=NO_DRAFTS + 1)
    with django_capture_on_commit_callbacks(execute=True):
        work_through(captioner, idle=1.5)
    assert said_by(nora) and not said_by(mara)
    assert {"type": "captions_state", "state": "off", "person": "mara"} in sent
    assert state.room_state(room.pk) == ("drafts_off", ["mara"])
    assert not [message for message in sent if message.get("draft")], "drafts are off"


def test_a_draft_that_comes_to_nothing_is_taken_back(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """The words turn out to be nobody's, or the machine does not believe them: no page keeps them."""
    room = room_of(seconds=5)
    nora = seated("nora", room)
    lay(room, nora, sounds.laid([(200, "0890")], 5_600), 100)
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(bus, "publish", lambda _channel, text: sent.append(json.loads(text)))

    class Doubtful(EverySecond):
        hearings = 0

        def hear(self, sound: Sound, language: str, said: Sequence[Word], *, ask_language: bool = False) -> Heard:
            heard = super().hear(sound, language, said)
            Doubtful.hearings += bool(heard.words)
            return heard if Doubtful.hearings == 1 else Heard((), 0.9, -2.0)

    captioner, captions = captioned(Doubtful)
    speaker, sound = captions.speaker(nora), sounds.clip("0890")
    with django_capture_on_commit_callbacks(execute=True):
        for at in range(0, 16_000 * 3, 1600):
            speaker.stream.feed(100 + at / 16, sound[at : at + 1600], time.monotonic())
            hear_next(captioner)
        speaker.stream.pause()
        hear_all(captioner)
    captions_sent = [message for message in sent if message["type"] == "caption"]
    assert captions_sent[0]["draft"] and not captions_sent[-1]["draft"] and captions_sent[-1]["final"]
    assert not LiveLine.objects.exists()
    assert actions.next_number(captions.claim) == 2, "pages know that line 1 is over"


def spoken(captions: RoomCaptions, user: User, at_ms: int = 100) -> Speaker:
    """Three seconds of a person's sound, as if they had come by a track."""
    speaker, sound = captions.speaker(user), sounds.clip("0890")
    for at in range(0, 16_000 * 3, 1600):
        speaker.stream.feed(at_ms + at / 16, sound[at : at + 1600], time.monotonic())
    return speaker


def test_two_people_are_heard_at_once_and_of_each_one_stretch_after_another() -> None:
    """A stretch that comes to its end while it is heard is heard once more."""
    room = room_of(seconds=9)
    speakers = [seated("nora", room), seated("mara", room)]
    both = threading.Barrier(2)

    class Together(EverySecond):
        at_once = 2

        def hear(self, sound: Sound, language: str, said: Sequence[Word], *, ask_language: bool = False) -> Heard:
            both.wait(20)
            return super().hear(sound, language, said)

    captioner, captions = captioned(Together)
    streams = [spoken(captions, user).stream for user in speakers]
    assert captioner.turn() and len(captioner._hearings) == 2
    assert captioner._next_work(time.monotonic()) is None
    for stream in streams:
        stream.pause()
    wait([hearing.result for hearing in captioner._hearings], 30)
    captioner._take_heard()
    assert all(len(stream.closed) == 1 for stream in streams) and not LiveLine.objects.exists(), "drafts so far"
    while captioner.turn():
        captioner._rest()
    assert all(not stream.closed for stream in streams)
    assert set(LiveLine.objects.values_list("speaker", "final")) == {(user.pk, True) for user in speakers}


def test_what_was_said_while_captions_were_off_is_not_heard_afterwards() -> None:
    """By a process that comes later and hears half a minute back: neither one's own words nor those of the room."""
    room = room_of(seconds=12)
    nora, mara = seated("nora", room), seated("mara", room)
    for user in (nora, mara):
        lay(room, user, sounds.laid([(200, "0890"), (6_000, "0880")], 10_500), 200)
    assert room.started_at is not None
    own, until = room.started_at + timedelta(seconds=5), room.started_at + timedelta(seconds=2)
    CaptionsOff.objects.create(room=room, user=nora, since=room.started_at, until=own)
    CaptionsOff.objects.create(room=room, user=None, since=room.started_at, until=until)
    work_through(Captioner(never, EverySecond), idle=1.0)
    rows = LiveLine.objects.filter(room=room).select_related("speaker")
    begun = [(row.speaker, word[1]) for row in rows for word in row.words]
    first = {user: min(at for speaker, at in begun if speaker == user) for user in (nora, mara)}
    assert first[nora] >= 5_000 and 2_000 <= first[mara] < 5_000


def test_sound_from_before_a_refusal_that_was_taken_back_is_given_up() -> None:
    """Also where both came within a second, between two looks; or while it was heard."""
    room = room_of(seconds=5)
    nora = seated("nora", room)

    def no_and_yes() -> None:
        room_actions.set_own_captions(room.pk, nora, True, by=nora)
        room_actions.set_own_captions(room.pk, nora, False, by=nora)

    captioner, captions = captioned(EverySecond)
    speaker = spoken(captions, nora)
    there = speaker.stream.next
    no_and_yes()
    assert captions.refresh() and (there is not None, speaker.stream.next) == (True, None)
    CaptionsOff.objects.all().delete()
    captions = captioner.rooms[room.pk] = RoomCaptions.take(captions.claim)
    speaker = spoken(captions, nora)
    speaker.stream.pause()
    assert hear_next(captioner, meanwhile=no_and_yes) and speaker.stream.next is None
    assert not LiveLine.objects.exists() and speaker.number is None


def test_a_breath_becomes_words_only_where_they_are_likely() -> None:
    word = Word(" you're", 0, 300, 0.3)
    assert not is_plausible(Heard((word,), 0.1, -0.9), 500) and is_plausible(Heard((word,), 0.1, -0.9), 2_000)
    assert is_plausible(Heard((replace(word, p=0.9),), 0.1, -0.2), 300)
    assert not is_plausible(Heard((word,), 0.9, -1.5), 2_000) and not is_plausible(Heard((), 0.0, 0.0), 2_000)


def test_recordings_wait_for_live_captions_six_hours_at_most(recording: Recording) -> None:
    transcript_actions.request_transcript(recording)
    state.set_busy()
    assert run_items("me", never, Told) == 0
    Transcript.objects.update(created_at=timezone.now() - YIELDS - timedelta(minutes=1))
    assert run_items("me", never, Told) == 3
    assert Transcript.objects.get().state == Transcript.State.READY
