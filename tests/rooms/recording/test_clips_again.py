"""Clips that are made anew, put back or left: nothing that was ready is lost, and no name is drawn that is gone."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from people.actions.deletion import delete_account
from people.actions.takedowns import take_down_picture, take_down_profile
from people.models import User
from rooms import actions
from rooms.actions import clips as clip_actions
from rooms.models import Clip, ClipVoice, ReplayObjection, Room, Seat
from rooms.recording import marker, store
from rooms.recording.clips import making, render, tidying
from social.models import Message
from tests.support.clips import asked, file_of, fresh, made
from tests.support.races import refused
from tests.support.recordings import talked_room
from tests.support.rooms import open_room, published

pytestmark = pytest.mark.django_db
State = Clip.State


@pytest.fixture
def room() -> Room:
    return talked_room()


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pictures that were drawn, as ASS; the video of one is that script."""
    pictures: list[str] = []

    def draw(picture: str, _length_ms: int, folder: Path) -> Path:
        pictures.append(picture)
        (folder / "video.mp4").write_text(picture)
        return folder / "video.mp4"

    monkeypatch.setattr(render, "draw_video", draw)
    return pictures


@pytest.fixture(autouse=True)
def queued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The clips that were queued."""
    pks: list[int] = []
    monkeypatch.setattr(making, "queue", lambda pk, _seconds=0: pks.append(pk))
    return pks


def user(handle: str) -> User:
    return User.objects.get(handle=handle)


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Have something happen while the next video is drawn."""
    draw = render.draw_video

    def draw_after(*values: Any) -> Path:
        monkeypatch.setattr(render, "draw_video", draw)
        act()
        return draw(*values)

    monkeypatch.setattr(render, "draw_video", draw_after)


def due(clip: Clip) -> None:
    Clip.objects.filter(pk=clip.pk).update(next_at=timezone.now())


def waits(clip: Clip) -> bool:
    row = fresh(clip)
    return (row.state, row.attempts, row.file) == (State.WAITING, 0, "")


# --- made anew --------------------------------------------------------------------------------------------------------


def test_a_title_that_is_not_taken_down_after_all_leaves_every_file(
    room: Room, queued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    clip = made(room, kind="video")
    old = file_of(clip)
    with pytest.raises(RuntimeError), transaction.atomic():
        actions.take_down_title(room, None)
        raise RuntimeError
    assert old.exists() and fresh(clip).state == State.READY
    with django_capture_on_commit_callbacks(execute=True):
        actions.take_down_title(room, None)
        assert old.exists()
    assert not old.exists() and queued == [clip.pk] and waits(clip)


def test_a_restriction_and_a_title_in_one_decision_lose_no_video(room: Room, queued: list[int]) -> None:
    clip = made(room, kind="video")
    restriction = actions.restrict(room, "decision", None)
    actions.take_down_title(room, None)
    due(clip)
    assert not making.make(clip.pk)
    assert waits(clip) and fresh(clip).next_at > timezone.now()
    due(clip)
    making.queue_next()
    assert queued == [], "it would be put back again and again"
    actions.lift_restriction(restriction, None)
    making.queue_next()
    assert queued == [clip.pk] and making.make(clip.pk) and fresh(clip).state == State.READY


@pytest.mark.parametrize("why", ["restricted", "off", "objects", "took another back"])
def test_what_happens_while_a_clip_is_made_anew_does_not_end_it(
    room: Room, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = made(room, kind="video")
    other = made(room, from_ms=10_000, to_ms=12_000)
    actions.take_down_title(room, None)
    meanwhile(
        monkeypatch,
        {
            "restricted": lambda: actions.restrict(room, "decision", None),
            "off": lambda: actions.set_clips_off(room.pk, room.host, True),
            "objects": lambda: ReplayObjection.objects.create(recording=room.recording, user=user("ada")),
            "took another back": lambda: actions.take_back_clip(other.key, user("ada")),
        }[why],
    )
    assert making.make(clip.pk) is (why != "restricted")
    assert waits(clip) if why == "restricted" else fresh(clip).state == State.READY


def test_a_name_that_is_taken_down_is_drawn_out_of_the_videos_with_that_voice(
    room: Room, drawn: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    with_ada, without = made(room, kind="video"), made(room, from_ms=1_000, to_ms=5_000, kind="video")
    sound = made(room, from_ms=10_000, to_ms=12_000)
    assert "Ada" in drawn[0]
    with django_capture_on_commit_callbacks(execute=True):
        take_down_picture(user("ada"), None)
    assert fresh(with_ada).state == State.READY, "no picture is in it"
    with django_capture_on_commit_callbacks(execute=True):
        take_down_profile(user("ada"), None)
    assert waits(with_ada) and {fresh(without).state, fresh(sound).state} == {State.READY}
    assert making.make(with_ada.pk) and "Ada" not in drawn[-1] and "ada" in drawn[-1]


# --- names and accounts that change meanwhile -------------------------------------------------------------------------


def test_a_name_that_changes_while_a_clip_is_made_is_not_drawn(
    room: Room, drawn: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = asked(room, kind="video")
    meanwhile(monkeypatch, lambda: User.objects.filter(handle="ada").update(display_name="Someone New"))
    assert not making.make(clip.pk)
    assert waits(clip) and not ClipVoice.objects.exists() and not Message.objects.exists()
    due(clip)
    assert making.make(clip.pk) and "Someone New" in drawn[-1]


def test_an_account_that_is_deleted_while_it_asks_makes_none(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def deleted_meanwhile(*_range: int, **_more: int) -> None:
        delete_account(room.host, room.host)

    monkeypatch.setattr(clip_actions, "within_limits", deleted_meanwhile)
    assert refused(asked, room) == "account_closed" and not Clip.objects.exists()


def test_a_deletion_locks_clips_before_the_account(room: Room) -> None:
    made(room)
    ada = user("ada")
    with CaptureQueriesContext(connection) as captured:
        delete_account(ada, ada)
    locks = [query["sql"] for query in captured if "FOR NO KEY UPDATE" in query["sql"]]
    tables = [
        next((name for name in ("rooms_clip", User._meta.db_table) if f'FROM "{name}"' in sql), "") for sql in locks
    ]
    assert tables.index("rooms_clip") < tables.index(User._meta.db_table)


# --- one that is stuck, and other disks -------------------------------------------------------------------------------


def test_a_clip_of_a_room_whose_purge_began_stops_no_other(room: Room, queued: list[int]) -> None:
    asked(room)
    Room.objects.filter(pk=room.pk).update(purged_at=timezone.now())
    live = open_room("hans")
    Room.objects.filter(pk=live.pk).update(started_at=timezone.now() - timedelta(minutes=2))
    second = actions.make_live_clip(live.pk, live.host, "sound")
    due(second)
    making.queue_next()
    assert queued == [second.pk]


def test_no_folder_is_made_on_another_disk(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = asked(room)
    monkeypatch.setattr(marker, "trouble", lambda: "another disk")
    assert not making.make(clip.pk) and waits(clip)
    assert not store.clips_folder(room.pk).exists()


def test_a_folder_that_cannot_be_used_puts_the_clip_back(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = asked(room)

    def broken(_room_pk: int, _file: str) -> None:
        raise OSError("Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(making, "remove_file", broken)
        assert not making.make(clip.pk)
    assert waits(clip) and fresh(clip).next_at > timezone.now()
    due(clip)
    assert making.make(clip.pk)


def test_an_ffmpeg_that_did_not_answer_once_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_line: object, **_more: object) -> None:
        raise OSError("Cannot allocate memory")

    render._check_ffmpeg.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "run", broken)
        assert render.missing_ffmpeg_parts() == ("ffmpeg",)
    assert render.missing_ffmpeg_parts() == ()


def test_a_kind_is_looked_at_before_the_room_is_locked(room: Room) -> None:
    assert refused(actions.make_clip, 0, room.host, "gif", 0, 2_000) == "bad_value"
    assert refused(actions.make_live_clip, 0, room.host, "gif") == "bad_value"


def test_files_that_no_row_names_go_once_they_are_older_than_a_lease(room: Room) -> None:
    kept = file_of(made(room))
    folder = kept.parent
    old, young, attempt = folder / "aa.m4a", folder / "bb.m4a", folder / ".cc.mp4"
    for path in (old, young):
        path.write_bytes(b"x")
    attempt.mkdir()
    (attempt / "sound.m4a").write_bytes(b"x")
    long_ago = time.time() - making.LEASE.total_seconds() - 60
    for path in (kept, old, attempt):
        os.utime(path, (long_ago, long_ago))
    tidying.remove_unnamed()
    assert set(folder.iterdir()) == {kept, young}


# --- as what one takes back -------------------------------------------------------------------------------------------


def test_a_co_host_takes_their_own_voice_back_as_a_voice(room: Room) -> None:
    Seat.objects.filter(room=room, user=user("ada")).update(role="cohost", place=11)
    published(room, "anyone")
    theirs, other = made(room, "host", 9_500, 10_800), made(room, "host", 1_000, 5_000)
    assert actions.take_back_clip(theirs.key, user("ada")).taken_back_as == "voice"
    assert actions.take_back_clip(other.key, user("ada")).taken_back_as == "host", "she is not heard in it"
    again = asked(room, "host", 9_500, 10_800)
    assert not making.make(again.pk) and fresh(again).why == "clip_voice"
