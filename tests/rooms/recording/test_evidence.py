"""Sound as evidence: of a live room from its segments, of a finished one from its mix, and kept by no cache."""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.test import RequestFactory
from django.utils import timezone

from core import bus
from rooms import actions
from rooms.guests import peers
from rooms.models import Recording, RecordingFile, Room, RoomEvent, Seat
from rooms.recording import live_peaks, marker, store
from rooms.recording.delivery.evidence import (
    evidence_manifest,
    evidence_playlist,
    peaks_for,
    serve_evidence,
    track_lanes,
)
from rooms.recording.finishing.finish import finish
from rooms.rules.refusals import RoomRefused
from tests.rooms.recording.test_finish import record, tone_at
from tests.support.recordings import TALK, talked_room
from tests.support.rooms import consented, open_room
from tests.support.sounds import length_ms

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _streams_are_read_at_once() -> Generator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume asynchronous iterators")
        yield


@pytest.fixture
def live() -> Room:
    """A room that has been live for half a minute: a tone from 2 to 6 s, another from 10 to 13 s in a second run. It
    is for invited people only."""
    room = open_room(entry_policy=Room.EntryPolicy.INVITED)
    Room.objects.filter(pk=room.pk).update(started_at=timezone.now() - timedelta(seconds=30))
    room.refresh_from_db()
    record(room, 0, 500, begins=2, seconds=4)
    record(room, 1, 1000, begins=10, seconds=3)
    return room


def get(room: Room, path: str, still: Any = None, **headers: str) -> Any:
    request = RequestFactory().get("/", headers=headers)
    request.user = AnonymousUser()
    return serve_evidence(request, room, path, still)


def test_a_live_room_is_played_from_its_segments_up_to_now(live: Room, tmp_path: Path) -> None:
    manifest = evidence_manifest(live)
    assert (manifest.kind, manifest.is_live) == ("segments", True)
    assert manifest.duration_ms == pytest.approx(30_000, abs=10_000)
    starts = [segment.start_ms for segment in manifest.segments]
    assert starts == sorted(starts) and starts[0] == pytest.approx(2_000, abs=2)
    assert min(abs(start - 10_000) for start in starts) <= 2
    assert sum(segment.duration_ms for segment in manifest.segments) == pytest.approx(7_000, abs=100)
    for segment in manifest.segments:
        for path in (segment.init, segment.path):
            answer = get(live, path)
            assert answer.status_code == 200 and answer["Content-Type"] == "audio/mp4"
            assert answer["Cache-Control"] == "no-store, private"
            (tmp_path / path.rpartition("/")[2]).write_bytes(b"".join(answer))
    (tmp_path / "live.m3u8").write_text(evidence_playlist(live, lambda path: path.rpartition("/")[2], to_ms=60_000))
    heard = tmp_path / "heard.wav"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-allowed_extensions", "ALL", "-i", tmp_path / "live.m3u8", heard], check=True
    )
    samples = peers.read_clip(heard)
    assert tone_at(samples, 500)[1] < tone_at(samples, 1000)[0] + 0.1


def test_the_playlist_of_a_live_room_goes_on_and_that_of_a_range_ends(live: Room) -> None:
    def address(path: str) -> str:
        return f"/case/7/{path}"

    text = evidence_playlist(live, address)
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in text and "ENDLIST" not in text
    assert text.count("#EXTINF") == len(evidence_manifest(live).segments) and "/case/7/hls/0-init.mp4" in text
    part = evidence_playlist(live, address, 10_500, 12_000)
    assert part.count("#EXTINF") == 2 and "/case/7/hls/0-" not in part
    assert part.endswith("#EXT-X-ENDLIST\n")
    with pytest.raises(RoomRefused, match="no_recording"):
        evidence_playlist(live, address, 20_000, 30_000)


def test_a_finished_room_is_its_mix_in_ranges_of_bytes(live: Room) -> None:
    actions.end_room(live.pk, live.host)
    live.refresh_from_db()
    assert (evidence_manifest(live).kind, evidence_manifest(live).is_live) == ("segments", False), "not finished yet"
    assert evidence_playlist(live, str).endswith("#EXT-X-ENDLIST\n")
    finish(live)
    manifest = evidence_manifest(live)
    assert (manifest.kind, manifest.path, manifest.segments) == ("mix", "mix.m4a", ())
    content = store.mix_path(live.pk).read_bytes()
    whole, part = get(live, "mix.m4a"), get(live, "mix.m4a", range="bytes=100-199")
    assert (whole.status_code, b"".join(whole)) == (200, content)
    assert (part.status_code, b"".join(part)) == (206, content[100:200])
    assert part["Cache-Control"] == "no-store, private"


def test_production_lets_nginx_send_it_and_still_nobody_keeps_it(live: Room, settings: Any) -> None:
    settings.X_ACCEL_REDIRECT = True
    answer = get(live, "hls/0-0.m4s")
    assert answer["X-Accel-Redirect"] == f"/_recordings/{live.pk}/hls/0-0.m4s"
    assert answer["Cache-Control"] == "no-store, private"


@pytest.mark.parametrize(
    "path",
    ["", "mix.m4a", "peaks.json", "hls/../mix.m4a", "hls/0.m3u8", "hls/9-0.m4s", "/etc/passwd", "tracks/seat-1.opus"],
)
def test_no_other_file_is_served(live: Room, path: str) -> None:
    with pytest.raises(Http404):
        get(live, path)


def test_a_purged_copy_is_no_evidence(live: Room) -> None:
    actions.end_room(live.pk, live.host)
    Room.objects.filter(pk=live.pk).update(purged_at=timezone.now())
    live.refresh_from_db()
    assert evidence_manifest(live).kind == "nothing"
    assert peaks_for(live)["low"] == []
    with pytest.raises(Http404):
        get(live, "hls/0-0.m4s")


def test_another_disk_is_said_and_nothing_is_taken_from_it(live: Room, settings: Any, tmp_path: Path) -> None:
    marker.check()
    settings.RECORDINGS_DIR = tmp_path
    (tmp_path / str(live.pk) / "hls").mkdir(parents=True)
    (tmp_path / str(live.pk) / "hls" / "0-0.m4s").write_bytes(b"another's")
    assert get(live, "hls/0-0.m4s").status_code == 503
    with pytest.raises(RoomRefused, match="unavailable"):
        evidence_manifest(live)


def test_what_is_being_sent_stops_when_the_right_ends(live: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rooms.recording.delivery.downloads.CHECK_SECONDS", 0.0)
    assert b"".join(get(live, "hls/0-0.m4s", lambda: True)) == (store.hls_folder(live.pk) / "0-0.m4s").read_bytes()
    assert b"".join(get(live, "hls/0-0.m4s", lambda: False)) == b""


# --- the picture -----------------------------------------------------------------------------------------------------


def loud(picture: dict[str, Any], start_s: float, end_s: float) -> np.ndarray[Any, Any]:
    """Whether each bin between two times is loud."""
    bins = slice(int(start_s * 1000 / picture["bin_ms"]), int(end_s * 1000 / picture["bin_ms"]))
    found: np.ndarray[Any, Any] = np.array(picture["high"][bins]) > 8
    return found


def test_the_waveform_of_a_live_room_is_where_the_sound_is(live: Room) -> None:
    picture = peaks_for(live)
    assert loud(picture, 2.5, 5.5).all() and loud(picture, 10.5, 12.5).all()
    assert not loud(picture, 0, 1.5).any() and not loud(picture, 6.5, 9.5).any()
    assert picture["complete_ms"] == picture["duration_ms"] and len(picture["low"]) == len(picture["high"])
    assert {lane["seat"] for lane in picture["lanes"]} == set(Seat.objects.values_list("pk", flat=True))


def test_only_new_segments_are_decoded_and_long_rooms_in_parts(live: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = peaks_for(live)
    bus.client().flushall()
    monkeypatch.setattr(live_peaks, "MOST_AT_ONCE", 3)
    decoded: list[int] = []
    real = live_peaks._decoded
    monkeypatch.setattr(
        live_peaks,
        "_decoded",
        lambda room, fresh: decoded.append(len(fresh)) or real(room, fresh),  # type: ignore[func-returns-value]
    )
    first = peaks_for(live)
    assert 4_500 < first["complete_ms"] < 5_500
    pictures = [peaks_for(live) for _call in range(3)]
    assert decoded == [3, 3, len(evidence_manifest(live).segments) - 6, 0]
    assert np.abs(np.array(pictures[-1]["high"]) - np.array(whole["high"])).max() <= 12, "as in one go, but for edges"
    assert 0 < bus.client().ttl(bus.key(f"evidence:peaks:{live.pk}")) < 60


def test_lanes_of_a_live_room_are_open_microphones(live: Room) -> None:
    actions.set_muted(live.pk, consented(live.host, live), False, live.host)
    opened = RoomEvent.objects.get(type="seat_muted").at_ms
    lanes = track_lanes(live)
    assert [(lane.user_pk, lane.name, lane.source) for lane in lanes] == [(live.host_id, "Host", "microphone")]
    ((start, end),) = lanes[0].intervals
    assert start == opened and end >= start


def test_waveform_and_lanes_of_a_finished_room_are_those_of_the_replay() -> None:
    room = talked_room(transcription=False)
    assert peaks_for(room) == peaks_for(room) and peaks_for(room)["bin_ms"] == 50
    lanes = {lane.name: lane for lane in track_lanes(room)}
    assert set(lanes) == {"Host", "Ada", "Bob"} and {lane.source for lane in lanes.values()} == {"sound"}
    ((start, end),) = lanes["Bob"].intervals
    at_ms, clip = TALK["bob"][0]
    assert at_ms - 100 < start < end < at_ms + length_ms(clip) + 500
    Recording.objects.update(prepared_at=None)
    assert {lane.source for lane in track_lanes(room)} == {"microphone"}
    assert RecordingFile.objects.filter(kind="mix").exists() and evidence_manifest(room).kind == "mix"
