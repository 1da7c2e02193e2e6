"""Word times through the whole house: from a microphone over Janus' packets and the finished track to the cues.

The clips follow the wall clock, whatever becomes of the connection: so it is known when each word was said.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.db import connection

from deploy.local.throwaway import Throwaway
from rooms import actions
from rooms.guests import peers
from rooms.guests.talker import Talker
from rooms.models import Recording, RecordingFile, Room
from rooms.recording import store
from rooms.recording.finishing import tracks
from tests.rooms.media.conftest import signed_in
from tests.support.processes import Site, by_hand
from tests.support.rooms import open_room
from tests.support.sounds import CLIPS, RATE, in_turn, laid, plain_words
from tests.support.waiting import say, wait_until
from tests.transcripts.test_whisper import known_times
from transcripts import actions as transcribing
from transcripts.jobs.run import run_items
from transcripts.models import Cue

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]

PLACES, TURN_MS = in_turn(CLIPS, 0, 400)  # said over and over: a turn began with every multiple of this since 1970
TURN = laid(PLACES, TURN_MS)
TALK = 12.0  # seconds before, between and after what goes wrong
BIN_MS = 10  # of an envelope
FAR_MS = 1_500  # the same word may be said again later than this
Envelope = np.ndarray[Any, np.dtype[np.float64]]


def test_words_stand_where_they_were_said_after_gaps_too(lent_site: Site, services: Throwaway, settings: Any) -> None:
    """A speaker's connection dies and comes back, then everybody's with the media server: times go on being right."""
    settings.WHISPER_MODEL = "base"
    room = open_room()
    moments = asyncio.run(say_it_all(services, Talker(signed_in(lent_site, "nora"), room.slug, microphone()), room))
    recording = wait_until(lambda: Recording.objects.filter(room=room, state="ready").first(), 60, "finishing")
    room.refresh_from_db()
    assert room.started_at is not None
    began = room.started_at.timestamp()
    (parts,) = tracks.raw_tracks(store.tracks_folder(room.pk)).values()
    assert len(parts) >= 3, "the connection died twice"
    transcribing.request_transcript(recording)
    run_items("me", lambda: False)
    names = ("before", "after the connection died", "after the media server died")
    ends = [*moments[1:], time.time()]
    for name, first, last in zip(names, moments, ends, strict=True):
        errors = errors_ms(began, first, last)
        mix, track = (lag_ms(file, began, first, last) for file in files_of(recording))
        say(f"{name}: median error {median(errors):.0f} ms of {len(errors)} words; mix {mix} ms, track {track} ms late")
        assert len(errors) >= 10, name
        assert median(errors) < 200, name
        assert abs(track) < 100, name
        assert abs(mix) < 300, name


def microphone() -> peers.Clip:
    return peers.Clip(np.repeat((TURN * 32767).astype(np.int16), peers.RATE // RATE), loop=True, aligned=True)


async def say_it_all(services: Throwaway, talker: Talker, room: Room) -> list[float]:
    """Talk, lose the connection, talk, lose the media server, talk, end; returns when each stretch began."""
    talking = asyncio.create_task(talker.run())
    moments = [time.time()]
    await asyncio.sleep(TALK)
    assert talker._peer is not None
    moments.append(time.time())
    await talker._peer.close()
    await asyncio.sleep(TALK)
    moments.append(time.time())
    await by_hand(services.restart, "janus", 2.0)
    await asyncio.sleep(TALK)
    await by_hand(end, room)
    await talking
    return moments


def end(room: Room) -> None:
    """In another thread, which must not keep its line to the database."""
    actions.end_room(room.pk, room.host)
    connection.close()


def files_of(recording: Recording) -> list[RecordingFile]:
    """The mix, then the only track."""
    return list(recording.files.order_by("kind"))


def errors_ms(began: float, first: float, last: float) -> list[float]:
    """How far each word that was understood between two moments is from where the same word was said nearby."""
    spoken = [
        (word, (turn * TURN_MS + at_ms + start) - began * 1000)
        for turn in range(int(first * 1000 // TURN_MS) - 1, int(last * 1000 // TURN_MS) + 1)
        for at_ms, name in PLACES
        for word, start, _end in known_times(name)
    ]
    errors = []
    for found in (word for cue in Cue.objects.all() for word in cue.words):
        said, at_ms = plain_words(str(found["w"])), int(str(found["s"]))
        if said and first <= began + at_ms / 1000 < last:
            near = [abs(at_ms - when) for word, when in spoken if word == said[0] and abs(at_ms - when) < FAR_MS]
            errors += [min(near)] if near else []
    return errors


def lag_ms(file: RecordingFile, began: float, first: float, last: float) -> int:
    """By how much the sound between two moments comes later in a file than it was said, by its loudness alone."""
    samples = peers.read_clip(Path(settings.RECORDINGS_DIR) / file.path)
    start = round((first - began) * 1000) - file.start_ms + 5_000  # when everybody is connected again
    length = round((last - first) * 1000) - 6_500
    heard = envelope(samples[start * 48 : (start + length) * 48], 48)
    # Said from FAR_MS before to FAR_MS after: each lag is a part of it.
    said = said_at(began, file.start_ms + start - FAR_MS, len(heard) + 2 * FAR_MS // BIN_MS)

    def likeness(lag: int) -> float:
        first_bin = (FAR_MS - lag) // BIN_MS
        return float(np.corrcoef(heard, said[first_bin : first_bin + len(heard)])[0, 1])

    return max(range(-FAR_MS, FAR_MS, BIN_MS), key=likeness)


def envelope(samples: peers.Samples, a_ms: int) -> Envelope:
    whole = len(samples) // (BIN_MS * a_ms) * BIN_MS * a_ms
    loud: Envelope = np.abs(samples[:whole].astype(np.float64)).reshape(-1, BIN_MS * a_ms).mean(axis=1)
    return loud


def said_at(began: float, room_ms: int, bins: int) -> Envelope:
    """The envelope of what was said from a moment of room time on."""
    place = round((began * 1000 + room_ms) % TURN_MS) * RATE // 1000
    places = np.arange(place, place + bins * BIN_MS * RATE // 1000)
    return envelope(np.take(TURN * 32767, places, mode="wrap"), RATE // 1000)
