"""Files of a recorder that was killed or whose disk was full: what was written is kept, at its right time."""

from __future__ import annotations

import os
import random
import signal
import struct
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.utils import timezone

from rooms import actions
from rooms.guests import peers
from rooms.media import srtp
from rooms.media.ffmpeg import commands
from rooms.models import Recording, RecordingFile, Room
from rooms.recording import store
from rooms.recording.finishing import pieces, space, tracks
from rooms.recording.finishing.finish import finish
from rooms.recording.hls import playlists
from rooms.recording.tasks import finish_recording
from tests.rooms.recording.test_finish import record, tone_at
from tests.support.rooms import consented, ended_room, open_room

MS = timedelta(milliseconds=1)

pytestmark = pytest.mark.django_db(transaction=True)
TONE = ("-re", "-f", "lavfi", "-i", "sine=500:r=48000")


def lasting_room(seconds: float) -> Room:
    room = ended_room()
    assert room.started_at is not None
    Room.objects.filter(pk=room.pk).update(ended_at=room.started_at + timedelta(seconds=seconds))
    room.refresh_from_db()
    return room


def mix_of(room: Room) -> tuple[Recording, peers.Samples]:
    recording = finish(room)
    mix = recording.files.get(kind=RecordingFile.Kind.MIX)
    return recording, peers.read_clip(Path(settings.RECORDINGS_DIR) / mix.path)


def loud(samples: peers.Samples) -> np.ndarray[Any, Any]:
    """For each tenth of a second whether there is sound."""
    size = peers.RATE // 10
    found: np.ndarray[Any, Any] = np.abs(samples[: len(samples) // size * size].reshape(-1, size)).max(axis=1) > 500
    return found


def test_groups_end_with_what_is_broken_or_missing() -> None:
    def piece(number: int, whole: bool = True) -> pieces.SegmentFile:
        return pieces.SegmentFile(number, Path(str(number)), number, whole)

    found = pieces.contiguous([piece(0), piece(1, False), piece(2), piece(3), piece(5)])
    assert [[one.number for one in group] for group in found] == [[0, 1], [2, 3], [5]]
    assert pieces.contiguous([]) == []


def test_a_killed_recorder_s_last_pieces_are_taken_up() -> None:
    """A real one, killed outright, between writing a piece and listing it, and in the middle of the next."""
    room = lasting_room(10)
    folder = store.hls_folder(room.pk)
    folder.mkdir(parents=True)
    command = commands.recorder_command(4000, srtp.new_key(), folder, 0)
    end = command.index("-af")
    recorder = subprocess.Popen(
        [*map(str, command[:3]), "ffmpeg", "-loglevel", "error", *TONE, *map(str, command[end:])]
    )
    while not (folder / "0-3.m4s").exists():
        time.sleep(0.05)
        assert recorder.poll() is None
    recorder.send_signal(signal.SIGKILL)
    recorder.wait()
    for later in folder.glob("0-[4-9].m4s*"):  # on a busy machine it was further on
        later.unlink()
    playlist = store.playlist_path(room.pk)
    text = playlist.read_text()
    listed = playlists.parse([text])
    kept = text[: text.index("#EXTINF", text.index(listed[1].name))]  # two pieces are listed
    playlist.write_text(kept)
    (folder / "0-3.m4s").rename(folder / "0-3.m4s.tmp")
    half = (folder / "0-3.m4s.tmp").read_bytes()
    (folder / "0-3.m4s.tmp").write_bytes(half[: len(half) * 6 // 10])
    started = listed[0].at - timedelta(seconds=2)
    Room.objects.filter(pk=room.pk).update(started_at=started, ended_at=started + timedelta(seconds=10))
    room.refresh_from_db()
    recording, samples = mix_of(room)
    begins, ends = tone_at(samples, 500)
    assert begins == pytest.approx(2, abs=0.06)
    assert 5.3 < ends < 5.8, "three pieces and the half of the fourth that can be heard"
    assert recording.duration_ms == pytest.approx(10_000, abs=30), "silence up to the room's end"
    assert recording.missing_ms == pytest.approx(8_000 - (ends - begins) * 1000, abs=150), "from the first sound on"


def test_what_was_said_before_recording_began_is_missing_too() -> None:
    room = open_room()
    actions.set_recording_paused(room.pk, True)
    actions.end_room(room.pk, room.host)
    assert room.started_at is not None
    Room.objects.filter(pk=room.pk).update(ended_at=room.started_at + timedelta(seconds=20))
    room.refresh_from_db()
    recording = finish(room)
    assert not recording.files.exists()
    assert recording.missing_ms == pytest.approx(20_000, abs=500)


@pytest.mark.parametrize("spoke", [True, False])
def test_where_nothing_was_recorded_all_is_missing_since_somebody_could_speak(spoke: bool) -> None:
    room = open_room()
    started = timezone.now() - timedelta(seconds=5)
    ended = started + timedelta(seconds=20)
    Room.objects.filter(pk=room.pk).update(started_at=started)
    earliest = timezone.now()
    if spoke:
        actions.set_muted(room.pk, consented(room.host, room), False, room.host)
    latest = timezone.now()
    actions.end_room(room.pk, room.host)
    Room.objects.filter(pk=room.pk).update(ended_at=ended)
    room.refresh_from_db()
    missing = timedelta(milliseconds=finish(room).missing_ms)
    if spoke:
        assert ended - latest - MS <= missing <= ended - earliest + MS
    else:
        assert not missing


def test_what_was_recorded_stays_in_its_place_after_empty_and_cut_pieces() -> None:
    room = lasting_room(12)
    record(room, 0, 500, begins=1, seconds=10)
    folder = store.hls_folder(room.pk)
    (folder / "0-3.m4s").write_bytes(b"")
    (folder / "0-6.m4s").write_bytes((folder / "0-6.m4s").read_bytes()[:4096])
    _recording, samples = mix_of(room)
    heard = loud(samples)
    assert heard[11:40].all() and not heard[42:49].any() and heard[52:70].all(), "piece 3 is silence"
    assert heard[71:74].all() and not heard[76:79].any() and heard[82:108].all(), "and half of piece 6"


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def test_a_piece_without_a_place_or_with_one_that_cannot_be_is_left_out(tmp_path: Path) -> None:
    """After a power cut a file may have its length, and anything in it."""

    def piece(number: int, index: bytes) -> None:
        (tmp_path / f"0-{number}.m4s").write_bytes(box(b"moof", index) + box(b"mdat", b"sound"))

    def place(seconds: float) -> bytes:
        return b"tfdt" + struct.pack(">IQ", 1 << 24, round(seconds * pieces.RATE))

    piece(0, place(0))
    piece(1, b"nothing of it")
    piece(2, b"tfdt")
    piece(3, place(3 * pieces._SECONDS + 59))
    piece(4, place(4 * pieces._SECONDS + 61))
    piece(5, b"tfdt" + b"\xff" * 12)
    piece(7200, place(7200 * 1.0026))
    assert [found.number for found in pieces.segment_files(tmp_path, 0)] == [0, 3, 7200]
    (tmp_path / "0-0.m4s").write_bytes(b"\0\0\0\x0bmoof\0\0\0" + box(b"mdat", b""))
    assert [found.number for found in pieces.segment_files(tmp_path, 0)] == [3, 7200]


def test_files_that_make_no_sense_are_told_and_do_not_stop_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object) -> None:
        raise struct.error("unpack requires a buffer of 4 bytes")

    room = lasting_room(5)
    record(room, 0, 500, begins=0, seconds=1)
    monkeypatch.setattr(tracks, "raw_tracks", broken)
    with pytest.raises(struct.error):
        finish(room)
    recording = Recording.objects.get(room=room)
    assert recording.state == Recording.State.FAILED and "buffer" in recording.error


def test_a_playlist_that_a_full_disk_emptied_has_another_name() -> None:
    room = lasting_room(8)
    record(room, 0, 500, begins=2, seconds=5)
    playlist = store.playlist_path(room.pk)
    store.kept_path(playlist).hardlink_to(playlist)
    playlist.unlink()
    playlist.write_text("")
    assert playlists.tail([store.list_text(playlist)])[0].name == "0-0.m4s"
    assert tone_at(mix_of(room)[1], 500)[0] == pytest.approx(2, abs=0.045)


def test_without_any_list_the_files_themselves_tell_when() -> None:
    room = lasting_room(8)
    record(room, 0, 500, begins=2, seconds=5)
    store.playlist_path(room.pk).unlink()
    assert room.started_at is not None
    for piece in pieces.segment_files(store.hls_folder(room.pk), 0):
        written = room.started_at.timestamp() + 3 + piece.ticks / pieces.RATE
        os.utime(piece.path, (written, written))
    assert tone_at(mix_of(room)[1], 500)[0] == pytest.approx(2, abs=0.1)


def frames(number: int) -> bytes:
    """Build frames of Opus silence as Janus writes them; 50 are a second."""
    return b"".join(
        b"MEET" + struct.pack(">IH", n * 20, 15) + struct.pack(">BBHII", 0x80, 111, n, n * 960, 1) + b"\xf8\xff\xfe"
        for n in range(number)
    )


@pytest.mark.parametrize("seed", range(3))
def test_a_track_with_holes_is_mended(tmp_path: Path, seed: int) -> None:
    """A full disk takes whole buffers of 4,096 bytes out of the file, without regard to where packets begin."""
    dice = random.Random(seed)
    header = b'{"t":"a","c":"opus","s":1,"u":2}'
    path, target = tmp_path / "raw.mjr", tmp_path / "mended.mjr"
    data = b"MJR00002" + struct.pack(">H", len(header)) + header + frames(2000)
    path.write_bytes(data)
    assert tracks.drop_broken_frames(path, target) == path and not target.exists()
    for cut in sorted(dice.sample(range(4096, len(data) - 8192, 8192), 3), reverse=True):
        data = data[:cut] + data[cut + 4096 + dice.randrange(100) :]
    data += b"MEET\0\0"
    path.write_bytes(data)
    assert tracks.drop_broken_frames(path, target) == target
    mended = target.read_bytes()
    assert len(data) - 4 * 26 < len(mended) < len(data)
    assert tracks.drop_broken_frames(target, path) == target, "nothing is left to mend"
    done = subprocess.run(["janus-pp-rec", target, tmp_path / "track.opus"], capture_output=True, check=False)
    assert done.returncode == 0
    assert len(peers.read_clip(tmp_path / "track.opus")) / peers.RATE == pytest.approx(40, abs=0.1)


def test_a_recording_waits_for_room_and_nothing_is_half_written(monkeypatch: pytest.MonkeyPatch) -> None:
    room = lasting_room(5)
    record(room, 0, 500, begins=0, seconds=3)
    before = sorted(path.name for path in store.hls_folder(room.pk).iterdir())
    (store.folder(room.pk) / ".finish-killed").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(settings, "RECORDINGS_RESERVE_MB", 10_000_000)
        assert "no room" in finish_recording(room.pk)
        with pytest.raises(space.NoSpace):
            finish(room)
    recording = Recording.objects.get(room=room)
    assert recording.state == Recording.State.FINISHING and "MB" in recording.error, "the sweep asks again"
    assert sorted(path.name for path in store.folder(room.pk).iterdir()) == [".finish", "hls", "tracks"]
    assert sorted(path.name for path in store.hls_folder(room.pk).iterdir()) == before
    assert finish(room).state == Recording.State.READY
    assert Recording.objects.get(room=room).error == ""
