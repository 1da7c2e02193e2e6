"""After the end: what ffmpeg and Janus left becomes files in room time, gaps included."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import Error
from django.test import Client
from django.utils import timezone

from ledger.models import Entry
from rooms import actions
from rooms.guests import peers
from rooms.models import Recording, RecordingFile, Room
from rooms.recording import store
from rooms.recording.finishing import finish as finish_module
from rooms.recording.finishing import tracks
from rooms.recording.finishing.finish import finish
from rooms.recording.hls import playlists
from rooms.recording.tasks import finish_recording, still_recording, sweep_recordings
from rooms.rules.refusals import RoomRefused
from tests.support.people import person
from tests.support.rooms import ended_room
from tests.support.staff import sign_in_staff

pytestmark = pytest.mark.django_db(transaction=True)


def record(room: Room, run: int, hertz: int, begins: float, seconds: int) -> None:
    """Write the files of one run of the recorder: a tone that begins so many seconds into the room."""
    folder = store.hls_folder(room.pk)
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [
            "ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", f"sine={hertz}:r=48000:d={seconds}", "-c:a", "aac",
            "-b:a", "64k", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0", "-hls_playlist_type", "event",
            "-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", playlists.init_name(run), "-hls_segment_filename",
            str(folder / f"{run}-%d.m4s"), "-hls_flags", "program_date_time+omit_endlist", str(folder / f"{run}.m3u8"),
        ],
        check=True,
    )  # fmt: skip
    assert room.started_at is not None
    path = store.playlist_path(room.pk, run)
    lines, at = [], room.started_at + timedelta(seconds=begins)
    for line in path.read_text().splitlines():
        if line.startswith("#EXTINF:"):
            length = float(line.removeprefix("#EXTINF:").rstrip(","))
        if line.startswith("#EXT-X-PROGRAM-DATE-TIME:"):
            line = at.strftime("#EXT-X-PROGRAM-DATE-TIME:%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}+0000"
            at += timedelta(seconds=length)
        lines.append(line)
    path.write_text("\n".join(lines) + "\n")


def tone_at(samples: peers.Samples, hertz: int) -> tuple[float, float]:
    """When a tone begins and ends, in seconds."""
    size = 960
    blocks = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64)
    power = np.abs(np.fft.rfft(blocks, axis=1))
    place = round(hertz * size / peers.RATE)
    loud = np.flatnonzero(power[:, place] > power[:, place].max() / 4)
    return loud[0] * size / peers.RATE, (loud[-1] + 1) * size / peers.RATE


def test_gaps_stay_gaps() -> None:
    room = ended_room()
    record(room, 0, 500, begins=1.5, seconds=4)
    record(room, 2, 1000, begins=9.25, seconds=3)
    recording = finish(room)
    assert recording.state == Recording.State.READY
    mix = recording.files.get(kind=RecordingFile.Kind.MIX)
    samples = peers.read_clip(Path(settings.RECORDINGS_DIR) / mix.path)
    first, second = tone_at(samples, 500), tone_at(samples, 1000)
    assert first[0] == pytest.approx(1.5, abs=0.045)
    assert first[1] == pytest.approx(5.5, abs=0.1)
    assert second[0] == pytest.approx(9.25, abs=0.045)
    assert mix.duration_ms == pytest.approx(12_250, abs=120)


def test_finishing_twice_changes_nothing() -> None:
    room = ended_room()
    record(room, 0, 500, begins=0, seconds=2)
    before = list(finish(room).files.values_list("pk", "sha256"))
    assert list(finish(room).files.values_list("pk", "sha256")) == before


def test_a_room_without_sound_is_finished_too() -> None:
    recording = finish(ended_room())
    assert recording.state == Recording.State.READY
    assert not recording.files.exists()


def test_a_piece_that_is_missing_fails_with_a_reason_and_can_be_tried_again() -> None:
    room = ended_room()
    record(room, 0, 500, begins=0, seconds=3)
    piece = store.hls_folder(room.pk) / "0-1.m4s"
    kept = piece.read_bytes()
    piece.unlink()
    with pytest.raises(OSError, match=r"0-1\.m4s"):
        finish(room)
    assert Recording.objects.get(room=room).state == Recording.State.FAILED
    piece.write_bytes(kept)
    assert finish(room).state == Recording.State.READY


def test_connections_of_one_seat_become_one_track(tmp_path: Path) -> None:
    parts = []
    for number, hertz in enumerate((500, 1000)):
        path = tmp_path / f"{number}.opus"
        subprocess.run(
            ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", f"sine={hertz}:r=48000:d=2", "-c:a", "libopus", path],
            check=True,
        )
        parts.append((path, number * 5000.0))
    assert tracks.join(parts, tmp_path / "track.opus") == pytest.approx(7000, abs=60)
    samples = peers.read_clip(tmp_path / "track.opus")
    assert tone_at(samples, 500)[0] == pytest.approx(0, abs=0.045)
    assert tone_at(samples, 1000)[0] == pytest.approx(5, abs=0.045)


def test_recordings_left_behind_are_found() -> None:
    room = ended_room()
    assert not still_recording(room.pk)
    assert sweep_recordings() == 0, "its end was a moment ago: the supervisor asks for it itself"
    assert room.started_at is not None and room.ended_at is not None
    begun, ended = room.started_at - timedelta(minutes=5), room.ended_at - timedelta(minutes=1)
    Room.objects.filter(pk=room.pk).update(started_at=begun, ended_at=ended)
    assert sweep_recordings() == 1


def test_what_waits_for_space_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = [ended_room(f"host{number}") for number in range(4)]
    for minutes, room, error in zip((4, 3, 2, 5), rooms, ("5 MB free", "", "", "5 MB free"), strict=True):
        ended = timezone.now() - timedelta(minutes=minutes)
        Room.objects.filter(pk=room.pk).update(started_at=ended - timedelta(minutes=1), ended_at=ended)
        Recording.objects.filter(room=room).update(error=error)
    asked: list[int] = []
    monkeypatch.setattr(finish_recording, "delay", asked.append)
    assert sweep_recordings() == 4
    assert asked == [rooms[1].pk, rooms[2].pk, rooms[3].pk, rooms[0].pk]


def ended_long_ago(host: str = "host") -> Room:
    """A room that the sweep looks at."""
    room = ended_room(host)
    ended = timezone.now() - timedelta(minutes=2)
    Room.objects.filter(pk=room.pk).update(started_at=ended - timedelta(minutes=1), ended_at=ended)
    room.refresh_from_db()
    return room


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rooms that workers were asked to finish."""
    rooms: list[int] = []
    monkeypatch.setattr(finish_recording, "delay", rooms.append)
    return rooms


def breaks(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make the mix raise an unexpected error."""

    def mix(*_args: object) -> object:
        raise error

    monkeypatch.setattr(finish_module, "_mix", mix)


def test_what_fails_is_tried_again_after_longer_and_longer(monkeypatch: pytest.MonkeyPatch, asked: list[int]) -> None:
    """Each error, also one that nobody expected: it copied everything again each 30 s, or never."""
    room, good = ended_long_ago(), ended_long_ago("other")
    breaks(monkeypatch, RuntimeError("a bug"))
    for attempt, wait in enumerate((*finish_module.RETRY_DELAYS, finish_module.RETRY_DELAYS[-1]), start=1):
        with pytest.raises(RuntimeError, match="a bug"):
            finish(room)
        recording = Recording.objects.get(room=room)
        assert (recording.state, recording.error) == (Recording.State.FAILED, "RuntimeError: a bug")
        assert recording.attempts == attempt and recording.next_try_at is not None
        assert abs(recording.next_try_at - timezone.now() - wait) < timedelta(seconds=50)
        asked.clear()
        assert sweep_recordings() == 1 and asked == [good.pk], "it waits, and holds up nobody"
        Recording.objects.filter(room=room).update(next_try_at=timezone.now())
        asked.clear()
        assert sweep_recordings() == 2 and asked == [good.pk, room.pk], "what never failed comes first"
    monkeypatch.undo()
    recording = finish(room)
    assert (recording.state, recording.error, recording.next_try_at) == (Recording.State.READY, "", None)


def test_what_kills_its_worker_waits_too(monkeypatch: pytest.MonkeyPatch, asked: list[int]) -> None:
    """Nothing can be written down by a process that is gone: so the next time is known before it begins."""
    room = ended_long_ago()
    breaks(monkeypatch, SystemExit())
    with pytest.raises(SystemExit):
        finish(room)
    recording = Recording.objects.get(room=room)
    assert (recording.state, recording.attempts) == (Recording.State.FINISHING, 1)
    assert sweep_recordings() == 0


def test_staff_and_operators_try_again_at_once(monkeypatch: pytest.MonkeyPatch, asked: list[int]) -> None:
    room = ended_long_ago()
    breaks(monkeypatch, RuntimeError("a bug"))
    with pytest.raises(RuntimeError):
        finish(room)
    out = StringIO()
    call_command("recordings", stdout=out)
    assert f"not finished: 1\n  {room.slug}  failed  attempts 1, next 20" in out.getvalue()
    assert "RuntimeError: a bug" in out.getvalue()
    call_command("recordings", "retry", stdout=out)
    assert asked == [room.pk]
    helper = person("helper", is_staff=True)
    with pytest.raises(RoomRefused, match="not_allowed"):
        actions.retry_recording(room.pk, helper)
    helper.user_permissions.add(Permission.objects.get(codename="view_recording"))
    browser, path = sign_in_staff(Client(), helper), "/admin/rooms/recording/"
    chosen = {"action": "retry", "_selected_action": [room.recording.pk]}
    assert "RuntimeError: a bug" in browser.get(path).text
    browser.post(path, chosen)
    assert asked == [room.pk], "who may only look has no such button"
    helper.user_permissions.add(Permission.objects.get(codename="retry_recording"))
    assert "1 recording is tried again." in browser.post(path, chosen, follow=True).text
    assert asked == [room.pk, room.pk]
    acts = Entry.objects.filter(kind="recording_retried", subject=f"room:{room.pk}").order_by("seq")
    assert list(acts.values_list("actor", flat=True)) == [None, helper.pk]
    monkeypatch.undo()
    assert finish(room).state == Recording.State.READY
    with pytest.raises(RoomRefused, match="nothing_failed"):
        actions.retry_recording(room.pk, None)


def test_the_database_lets_no_late_writer_undo_what_is_final() -> None:
    room = ended_room()
    for status in ("live", "scheduled", "cancelled"):
        with pytest.raises(Error, match="Cannot update"):
            Room.objects.filter(pk=room.pk).update(status=status, ended_at=None)
    Room.objects.filter(pk=room.pk).update(purged_at=timezone.now())
    with pytest.raises(Error, match="Cannot update"):
        Room.objects.filter(pk=room.pk).update(purged_at=None)
    Recording.objects.filter(room=room).update(state=Recording.State.PURGED)
    for state in set(Recording.State.values) - {"purged"}:
        with pytest.raises(Error, match="Cannot update"):
            Recording.objects.filter(room=room).update(state=state)
    assert finish(room).state == Recording.State.PURGED
    assert finish_recording(room.pk) == "not ended, or purged"
