"""The right to a replay follows the voice: a place on the stage buys nothing, sound in a track does, or a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from core.refusals import Refused
from people.actions import standing
from people.models import User
from rooms import actions
from rooms.models import Recording, RecordingFile, Room, Seat
from rooms.queries.recording_state import recording_state
from rooms.recording import peaks, store, tasks
from rooms.recording.delivery import links
from rooms.rules import voice
from rooms.rules.roles import role_in
from tests.support.people import person
from tests.support.recordings import TOTAL_MS, talked_room
from tests.support.rooms import open_room, seated
from tests.support.sounds import RATE, clip, laid, save_opus
from transcripts.actions import correct_cue, retry_transcript
from transcripts.models import Cue
from transcripts.permissions import may_read_own
from transcripts.queries import readable_transcript
from transcripts.speech.audio import Sound

pytestmark = pytest.mark.django_db(transaction=True)


def silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE), np.float32)


def noise(decibels: float, seconds: float) -> Sound:
    """Hiss of this RMS, of full scale."""
    made = np.random.default_rng(7).normal(0, 10 ** (decibels / 20), round(seconds * RATE))
    return made.astype(np.float32)


def clicks() -> Sound:
    """Generate the clicks of a microphone that is opened and closed: 30 ms each, a second apart."""
    sound = silence(6)
    for second in range(6):
        sound[second * RATE : second * RATE + RATE * 30 // 1000] = noise(-10, 0.03)
    return sound


SPEECH = [(1_000, "0880")]
HEARD = {
    "a voice": (laid(SPEECH, 6_000), True),
    "a soft voice": (laid(SPEECH, 6_000) * 10 ** (-26 / 20), True),
    "one short word after minutes": (np.concatenate([silence(180), clip("0880")[: RATE * 6 // 10]]), True),
    "a microphone open in digital silence": (silence(6), False),
    "hiss": (noise(-65, 6), False),
    "clicks": (clicks(), False),
}


@pytest.mark.parametrize("kind", HEARD)
def test_sound_is_measured_from_the_audio(kind: str, tmp_path: Path) -> None:
    sound, heard = HEARD[kind]
    save_opus(sound, tmp_path / "track.opus")
    assert peaks.is_sounding(tmp_path / "track.opus") is heard


def test_what_cannot_be_read_is_no_voice_and_what_is_away_is_not_judged(tmp_path: Path) -> None:
    (tmp_path / "track.opus").write_bytes(b"OggS is how it begins, and no more")
    assert peaks.is_sounding(tmp_path / "track.opus") is False
    with pytest.raises(FileNotFoundError):
        peaks.is_sounding(tmp_path / "other.opus")


# --- what a place on the stage opens ----------------------------------------------------------------------------------


@pytest.fixture
def room() -> Room:
    return talked_room()


def sat(room: Room, handle: str, sound: Sound | None = None, **values: Any) -> User:
    """Somebody who had a place in this room, with a track of this sound where there is one."""
    user = person(handle)
    values = {"place": 5, "left_at": room.ended_at, "left_reason": Seat.LeftReason.LEFT} | values
    seat = Seat.objects.create(room=room, user=user, **values)
    if sound is not None:
        path = store.track_path(room.pk, seat.pk)
        save_opus(sound, path)
        about = {"start_ms": 0, "duration_ms": TOTAL_MS, "size": path.stat().st_size, "sha256": "0" * 64}
        recording = Recording.objects.get(room=room)
        RecordingFile.objects.create(recording=recording, kind="track", seat=seat, path=store.relative(path), **about)
        peaks.measure(recording)
    return user


def client(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def doors(room: Room, user: User) -> dict[str, tuple[int, str]]:
    """Request the copy by every way there is, and return status and refusal code of each."""
    browser, api, page = client(user), f"/api/v1/rooms/{room.slug}/", f"/r/{room.slug}/replay/"
    answers = {
        "page": browser.get(page),
        "own lines": browser.get(f"{page}my-lines.txt"),
        "replay": browser.get(f"{api}replay/"),
        "transcript": browser.get(f"{api}transcript/"),
        "cues": browser.get(f"{api}transcript/cues/"),
        "file": browser.get(f"{api}transcript/files/json/"),
        "own file": browser.get(f"{api}transcript/files/json/?mine=true"),
        "retention": browser.get(f"{api}retention/"),
        "mix": Client().head(links.address(room.pk, "mix", user, "mix.m4a")),
        "peaks": Client().head(links.address(room.pk, "peaks", user, "peaks.json")),
    }
    found = {}
    for door, answer in answers.items():
        refused = answer.status_code >= 400 and answer["Content-Type"] == "application/json"
        found[door] = answer.status_code, answer.json()["error"]["code"] if refused else ""
    return found


def all_open(found: dict[str, tuple[int, str]]) -> bool:
    return {status for status, _code in found.values()} == {200}


def all_shut(found: dict[str, tuple[int, str]]) -> bool:
    codes = {code for _status, code in found.values()}
    return {status for status, _code in found.values()} == {404} and codes <= {"", "not_found", "unknown_room"}


def leads_there(room: Room, user: User) -> bool:
    return f"/r/{room.slug}/replay/" in client(user).get(f"/r/{room.slug}/").content.decode()


def test_44_ms_on_a_seat_open_nothing(room: Room) -> None:
    passed = sat(room, "passed", taken_at=room.ended_at)
    assert all_shut(doors(room, passed)), doors(room, passed)
    assert not leads_there(room, passed)


def test_a_microphone_that_brought_no_sound_opens_nothing(room: Room) -> None:
    """Muted for an hour it has a track of silence, or none; open in digital silence too."""
    silent = sat(room, "silent", silence(3))
    assert all_shut(doors(room, silent)), doors(room, silent)
    assert not leads_there(room, silent)


def test_a_voice_opens_it_also_after_being_taken_off_the_stage(room: Room) -> None:
    heard = sat(room, "heard", laid(SPEECH, 4_000), left_reason=Seat.LeftReason.UNSEATED)
    assert all_open(doors(room, heard)), doors(room, heard)
    assert leads_there(room, heard)
    assert all_open(doors(room, room.seats.get(user__handle="ada").user))


def test_sound_alone_opens_it_and_so_do_words_alone(room: Room) -> None:
    ada = room.seats.get(user__handle="ada")
    Cue.objects.filter(seat=ada).delete()
    assert all_open(doors(room, ada.user))
    bob = room.seats.get(user__handle="bob")
    RecordingFile.objects.filter(seat=bob).update(has_sound=False)
    assert all_open(doors(room, bob.user)), "softer than what is measured, and understood"
    Cue.objects.filter(seat=bob).delete()
    assert all_shut(doors(room, bob.user))


def test_one_s_own_lines_stay_readable_without_the_rest() -> None:
    assert may_read_own("listener", has_lines=True) is None
    assert may_read_own("listener", has_lines=False) == "not_found"
    assert may_read_own("speaker", has_lines=False) is None


def test_lines_are_corrected_by_who_is_co_host_at_the_end(room: Room) -> None:
    """Once is not enough: not for somebody who sat down, nor for a speaker."""
    helper = sat(room, "helper", place=11, role="cohost", left_reason=Seat.LeftReason.ROOM_ENDED)
    former = sat(room, "former", place=12, role="cohost")
    speaker = sat(room, "both", laid(SPEECH, 4_000), place=12, role="cohost", left_reason=Seat.LeftReason.UNSEATED)
    Seat.objects.create(room=room, user=speaker, place=3, left_at=room.ended_at, left_reason="room_ended")
    cue = Cue.objects.filter(transcript__room=room).first()
    assert cue is not None

    def correct(user: User) -> tuple[int, str]:
        url = f"/api/v1/rooms/{room.slug}/transcript/cues/{cue.pk}/"
        answer = client(user).patch(url, json.dumps({"text": "x"}), content_type="application/json")
        return answer.status_code, answer.json().get("error", {}).get("code", "")

    assert correct(room.host) == correct(helper) == (200, "")
    assert correct(former) == (404, "not_found") and all_shut(doors(room, former))
    assert correct(speaker) == (403, "not_host") and all_open(doors(room, speaker))
    assert doors(room, helper)["page"][0] == 200


@pytest.mark.parametrize("way", ["closed", "suspended"])
def test_an_account_that_may_not_come_in_is_nobody_in_what_was_kept(room: Room, way: str) -> None:
    """Asked of the actions themselves: a caller that forgets to ask at the door must not open anything."""
    ada, cue = room.seats.get(user__handle="ada").user, Cue.objects.filter(transcript__room=room).first()
    assert cue is not None
    for user in (room.host, ada):
        if way == "closed":
            standing.close_account(user, None, "asked for it")
        else:
            standing.impose_sanction(user, "suspended", None, "shouting at people")
    assert role_in(room.host, room) == role_in(ada, room) == "listener"
    for act in (
        lambda: actions.set_published(room.pk, room.host, True),
        lambda: actions.download_everything(room.pk, room.host),
        lambda: recording_state(room, room.host, {}),
        lambda: correct_cue(room, cue.pk, room.host, "x"),
        lambda: retry_transcript(room, room.host),
        lambda: readable_transcript(room.slug, ada),
        lambda: readable_transcript(room.slug, ada, mine=True),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.code in ("not_host", "not_found")


# --- before it is known -----------------------------------------------------------------------------------------------


def test_until_it_is_finished_who_opened_a_microphone_may_wait_and_nobody_hears() -> None:
    room = open_room()
    muted, opened = seated("muted", room), seated("opened", room)
    actions.set_muted(room.pk, opened, False, opened)
    actions.end_room(room.pk, room.host)
    Recording.objects.filter(room=room).update(state=Recording.State.FINISHING)
    page = f"/r/{room.slug}/replay/"
    assert all_shut(doors(room, muted)) and not leads_there(room, muted)
    assert "is being put together" in client(opened).get(page).content.decode() and leads_there(room, opened)
    found = doors(room, opened)
    assert found.pop("page")[0] == 200 and found.pop("replay") == (409, "no_recording") and all_shut(found)
    Recording.objects.filter(room=room).update(state=Recording.State.READY, finished_at=timezone.now())
    assert all_shut(doors(room, opened)), "it brought no sound"


def test_tracks_of_before_count_until_they_are_measured(room: Room) -> None:
    """Nobody who spoke is shut out by the new column; what a disk that is away holds is measured later."""
    silent, ada = sat(room, "silent", silence(3)), room.seats.get(user__handle="ada").user
    RecordingFile.objects.filter(recording__room=room).update(has_sound=None)
    Cue.objects.filter(transcript__room=room).delete()
    assert voice.has_voice(room.pk, ada.pk) and voice.has_voice(room.pk, silent.pk)
    path = store.track_path(room.pk, room.seats.get(user__handle="ada").pk)
    path.rename(path.with_suffix(".away"))
    assert tasks.measure_left() == 0 and voice.has_voice(room.pk, ada.pk)
    path.with_suffix(".away").rename(path)
    assert tasks.measure_left() == 1
    assert voice.has_voice(room.pk, ada.pk) and not voice.has_voice(room.pk, silent.pk)
    assert tasks.measure_left() == 0
    mix = RecordingFile.objects.get(recording__room=room, kind="mix")
    assert mix.has_sound is None


def test_a_recording_is_measured_when_it_is_finished(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every track has an answer from the moment at which it can be heard: by `finish` itself, not by a later task."""
    from rooms.recording.finishing import finish

    recording = Recording.objects.get(room=room)
    files = list(recording.files.order_by("pk"))
    made = [
        finish.FinishedFile(file.kind, store.file_path(file), file.start_ms, file.duration_ms, file.seat_id)
        for file in files
    ]
    save_opus(silence(2), store.track_path(room.pk, room.seats.get(user__handle="bob").pk))
    monkeypatch.setattr(finish, "_mix", lambda *_: ([one for one in made if one.kind == "mix"], 0))
    monkeypatch.setattr(finish, "_tracks", lambda *_: [one for one in made if one.kind == "track"])
    Cue.objects.filter(transcript__room=room).delete()
    Recording.objects.filter(pk=recording.pk).update(state=Recording.State.FINISHING)
    assert room.transcript.delete() and finish.finish(room).state == Recording.State.READY
    rows = RecordingFile.objects.filter(recording=recording)
    heard = {file.seat.user.handle if file.seat else "mix": file.has_sound for file in rows}
    assert heard == {"mix": None, "host": True, "ada": True, "bob": False}
