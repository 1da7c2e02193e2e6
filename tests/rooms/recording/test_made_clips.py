"""Clips as a worker makes them: the right sound, captions, whose voices; what keeps one from being made, and kills."""

from __future__ import annotations

import shutil
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from ledger.models import Entry
from people.actions.deletion import delete_account
from people.models import User
from rooms import actions
from rooms.hooks import ClipLine
from rooms.models import Clip, Recording, ReplayObjection, Room
from rooms.recording import peaks, store
from rooms.recording.clips import making, render
from rooms.recording.clips.picture import MOST_LETTERS, Picture, Speaker, ass, in_parts
from rooms.recording.clips.voices import voices_between
from rooms.recording.delivery.clips import cut_clip
from rooms.recording.finishing import space
from rooms.rules.refusals import RoomRefused
from social.models import Message
from social.threads import inbox
from tests.rooms.recording.test_finish import record
from tests.support.clips import asked, begins_at, everything_said, file_of, fresh, made, picture_at, probed
from tests.support.messages import deliver
from tests.support.people import person
from tests.support.recordings import TALK, TOTAL_MS, talked_room
from tests.support.rooms import open_room, seated

pytestmark = pytest.mark.django_db
State = Clip.State


@pytest.fixture
def room() -> Room:
    return talked_room()


def user(handle: str) -> User:
    return User.objects.get(handle=handle)


def voices(clip: Clip) -> set[str]:
    return set(clip.voices.values_list("user__handle", flat=True))


def test_a_video_has_the_range_s_sound_a_picture_and_captions(room: Room) -> None:
    clip = made(room, from_ms=9_000, to_ms=16_000, kind="video")
    path = file_of(clip)
    found = probed(path)
    assert (found["video"]["codec_name"], found["audio"]["codec_name"]) == ("h264", "aac")
    assert (found["video"]["width"], found["video"]["height"], found["video"]["pix_fmt"]) == (1280, 720, "yuv420p")
    assert abs(float(found["format"]["duration"]) - 7.0) < 0.2
    assert clip.size == path.stat().st_size < 3_000_000
    assert abs(begins_at(path, everything_said(TALK), TOTAL_MS) - 9.0) < 0.05
    # Nobody speaks in the first second; then there are captions, and the picture above them stays.
    before, during = picture_at(path, 0.5), picture_at(path, 3.0)
    assert [int((picture[330:660, 60:1220] < 128).sum() > 2_000) for picture in (before, during)] == [0, 1]
    assert abs(before[:300].astype(int) - during[:300]).max() < 20 and (before[110:220] < 90).sum() > 1_000


def test_sound_is_cut_and_not_encoded_again(room: Room) -> None:
    clip = made(room, from_ms=29_000, to_ms=36_500)
    found = probed(file_of(clip))
    assert "video" not in found and found["audio"]["codec_name"] == "aac"
    assert abs(float(found["format"]["duration"]) - 7.5) < 0.1
    assert abs(begins_at(file_of(clip), everything_said(TALK), TOTAL_MS) - 29.0) < 0.05
    assert voices(clip) == {"host"}


def test_voices_are_measured_and_each_is_told_but_the_maker(room: Room) -> None:
    clip = made(room, "host", 10_000, 13_000)
    assert voices(clip) == {"ada", "bob"}, "by their tracks, whoever asked"
    deliver()
    for handle in ("ada", "bob"):
        text = inbox(user(handle)).threads[0].last.drawn.text
        assert "Your voice is in it" in text and room.title in text and "0:10" in text
    assert not Message.objects.filter(receiver=user("host")).exists()
    entry = Entry.objects.get(kind="clip_made")
    assert (entry.subject, entry.actor) == (f"room:{room.pk}", room.host_id)
    assert entry.data["voices"] == 2 and entry.data["sha256"] == clip.sha256
    own = made(room, "host", 1_000, 5_000)
    assert voices(own) == {"host"} and Message.objects.count() == 2, "nobody is told of their own clip"


def test_voices_are_found_where_nothing_was_transcribed() -> None:
    quiet = talked_room(transcription=False)
    assert voices(made(quiet, from_ms=39_500, to_ms=45_000)) == {"ada"}


@pytest.mark.parametrize(
    ("why", "code"),
    [
        ("objects", "clip_voice"),
        ("took another back", "clip_voice"),
        ("restricted", "recording_unavailable"),
        ("off", "clips_off"),
        ("silence", "clip_no_sound"),
        ("no filter", "clip_no_video"),
    ],
)
def test_what_keeps_a_clip_from_being_made(room: Room, why: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = user("ada")
    if why == "took another back":
        actions.take_back_clip(made(room, "host", 9_500, 10_800).key, ada)
    clip = asked(room, kind="video" if why == "no filter" else "sound")
    if why == "objects":
        ReplayObjection.objects.create(recording=room.recording, user=ada)
    elif why == "restricted":
        actions.restrict(room, "decision", None)
    elif why == "off":
        actions.set_clips_off(room.pk, room.host, True)
    elif why == "silence":
        monkeypatch.setattr(render, "cut_clip", lambda *_range: None)
    elif why == "no filter":
        monkeypatch.setattr(render, "missing_ffmpeg_parts", lambda: ("ass",))

    def there() -> set[str]:
        return {path.name for path in store.clips_folder(room.pk).glob("*")}

    before, files = set(Message.objects.values_list("pk", flat=True)), there()
    assert not making.make(clip.pk)
    assert (fresh(clip).state, fresh(clip).why, fresh(clip).file) == (State.REFUSED, code, "")
    assert there() == files
    assert set(Message.objects.values_list("pk", flat=True)) == before, "nobody is told of what is not there"


def test_a_refusal_names_what_the_server_lacks(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "missing_ffmpeg_parts", lambda: ("ass", "libx264"))
    with pytest.raises(RoomRefused) as caught:
        asked(room, kind="video")
    assert (caught.value.code, caught.value.fields) == ("clip_no_video", {"kind": "ffmpeg: ass, libx264"})
    assert made(room, kind="sound").state == State.READY


def test_this_machine_makes_videos() -> None:
    assert render.missing_ffmpeg_parts() == ()


def test_a_killed_worker_leaves_a_lease_and_the_next_one_makes_it(room: Room) -> None:
    clip = making._claim(asked(room).pk)
    assert clip is not None
    making.scratch_of(clip).mkdir()
    assert not making.make(clip.pk), "its lease runs"
    Clip.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert making.make(clip.pk)
    assert fresh(clip).attempts == 0 and fresh(clip).file != clip.file
    assert [path.name for path in store.clips_folder(room.pk).iterdir()] == [fresh(clip).file]


def test_a_slow_worker_whose_clip_was_taken_back_stops(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    clip, cut = asked(room), cut_clip

    def taken_back_meanwhile(*asked: object) -> bytes | None:
        actions.take_back_clip(clip.key, room.host)
        return cut(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(render, "cut_clip", taken_back_meanwhile)
    assert not making.make(clip.pk)
    assert fresh(clip).state == State.TAKEN_BACK and list(store.clips_folder(room.pk).iterdir()) == []
    assert not Message.objects.exists() and not Entry.objects.filter(kind="clip_made").exists()


def test_a_purge_that_begins_meanwhile_ends_it_and_no_folder_comes_back(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, cut = asked(room), cut_clip

    def purged_meanwhile(*asked: object) -> bytes | None:
        content = cut(*asked)  # type: ignore[arg-type]
        Room.objects.filter(pk=room.pk).update(purged_at=timezone.now())
        shutil.rmtree(store.folder(room.pk))
        return content

    monkeypatch.setattr(render, "cut_clip", purged_meanwhile)
    assert not making.make(clip.pk)
    assert not store.folder(room.pk).exists()


def test_what_fails_is_tried_three_times_and_a_full_disk_costs_none(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = asked(room, kind="video")

    def full(_needed: int) -> None:
        raise space.NoSpace("full")

    with monkeypatch.context() as patch:
        patch.setattr(space, "check_reserve", full)
        assert not making.make(clip.pk)
    assert (fresh(clip).state, fresh(clip).attempts) == (State.WAITING, 0)

    def broken(*_values: object) -> None:
        raise render.RenderFailed("no such codec")

    monkeypatch.setattr(render, "draw_video", broken)
    for tries in range(1, making.TRIES + 1):
        Clip.objects.update(next_at=timezone.now())
        assert not making.make(clip.pk)
        assert fresh(clip).attempts == tries
    assert (fresh(clip).state, fresh(clip).why) == (State.REFUSED, "clip_failed")


def test_one_is_made_at_a_time(room: Room) -> None:
    first, second = asked(room), asked(room, from_ms=1_000, to_ms=5_000)
    assert making._claim(first.pk) is not None and making._claim(second.pk) is None


def test_a_title_that_is_taken_down_is_drawn_anew(
    room: Room, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr(making, "queue", lambda *_values: None)
    clip, sound = made(room, kind="video"), made(room, from_ms=1_000, to_ms=4_000)
    old = file_of(clip)
    with django_capture_on_commit_callbacks(execute=True):
        actions.take_down_title(room, None)
    assert fresh(clip).state == State.WAITING and not old.exists() and fresh(sound).state == State.READY
    assert making.make(clip.pk)
    assert fresh(clip).sha256 != clip.sha256 and Entry.objects.filter(kind="clip_made").count() == 2


def test_a_deleted_account_s_voice_goes_with_it(room: Room) -> None:
    with_ada, without = made(room, "host", 10_000, 13_000), made(room, "host", 1_000, 5_000)
    delete_account(user("ada"), user("ada"))
    assert fresh(with_ada).state == State.TAKEN_BACK and fresh(without).state == State.READY
    assert Entry.objects.get(kind="clip_taken_back").data["as"] == "voice"


def test_a_live_room_s_last_minute_counts_whose_microphone_was_open(monkeypatch: pytest.MonkeyPatch) -> None:

    live = open_room()
    actions.record_consent(live.host, live, "2026-12")
    ada, bob = seated("ada", live), seated("bob", live)
    Room.objects.filter(pk=live.pk).update(started_at=timezone.now() - timedelta(minutes=3))
    live.refresh_from_db()
    actions.set_muted(live.pk, ada, False, by=ada)
    assert {person.pk for person in voices_between(live, live.room_time() - 60_000, live.room_time() + 10, None)} == {
        ada.pk
    }, f"{bob} kept the microphone closed"
    clip = actions.make_live_clip(live.pk, live.host, "sound")
    assert clip.to_ms - clip.from_ms == 60_000 and clip.next_at > timezone.now()
    Recording.objects.get_or_create(room=live)


def test_a_live_clip_is_cut_from_what_the_recorder_wrote() -> None:
    live = open_room()
    Room.objects.filter(pk=live.pk).update(started_at=timezone.now() - timedelta(seconds=30))
    live.refresh_from_db()
    record(live, 0, 500, begins=2, seconds=20)
    clip = actions.make_live_clip(live.pk, live.host, "video", 15_000)
    Clip.objects.update(next_at=timezone.now())
    assert making.make(clip.pk)
    found = probed(file_of(clip))
    assert found["video"]["codec_name"] == "h264"
    assert 5.0 < float(found["audio"]["duration"]) < 8.0, "15 to 22 s of the room"
    actions.end_room(live.pk, live.host)
    assert file_of(clip).is_file() and fresh(clip).state == State.READY, "it goes with the copy, not with the end"


# --- the picture, pure ------------------------------------------------------------------------------------------------


def picture(**values: object) -> str:
    given = {
        "site": "Stamtafel",
        "title": "Voices",
        "speakers": [Speaker(1, "Ada", "#2e6f8e")],
        "others": "",
        "lines": [ClipLine(0, 2_000, 1, "Ada", "Hello there")],
        "length_ms": 5_000,
    }
    return ass(Picture(**{**given, **values}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "evil", [r"{\p1}m 0 0 l 9 9", r"\N\N\N", "a\nDialogue: 9,0:00:00.00", "{\\fad(1,1)}x", "a\r\n[Fonts]"]
)
def test_names_titles_and_words_hold_no_commands(evil: str) -> None:
    texts = picture(title=evil, speakers=[Speaker(1, evil, "#2e6f8e")], lines=[ClipLine(0, 900, 1, evil, evil)])
    calm = picture(title="x", speakers=[Speaker(1, "x", "#2e6f8e")], lines=[ClipLine(0, 900, 1, "x", "x")])
    assert len(texts.splitlines()) == len(calm.splitlines())
    assert texts.count("{") == calm.count("{") and texts.count("\\") == calm.count("\\")


def test_long_lines_are_shown_in_parts_that_cover_their_time() -> None:
    line = ClipLine(1_000, 21_000, 1, "Ada", " ".join(["letters"] * 80))
    parts = in_parts(line)
    assert len(parts) > 3 and all(len(text) <= MOST_LETTERS for _start, _end, text in parts)
    assert parts[0][0] == 1_000 and parts[-1][1] == 21_000
    assert all(one[1] == other[0] for one, other in pairwise(parts))
    assert in_parts(ClipLine(0, 10, 1, "Ada", "")) == [(0, 0, "")]


def test_a_part_of_a_file_is_read_as_samples(room: Room) -> None:
    track = store.file_path(Recording.objects.get(room=room).files.get(seat__user__handle="ada"))
    assert peaks.has_sound(peaks.samples(track, 10_000, 2_000)) and not peaks.has_sound(
        peaks.samples(track, 2_000, 5_000)
    )


def test_a_stranger_makes_none(room: Room) -> None:
    person("eva")
    with pytest.raises(RoomRefused) as caught:
        asked(room, "eva")
    assert caught.value.code == "not_found"
