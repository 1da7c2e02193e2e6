"""A clip is one range of a room and no more: what its bytes decode to, and what is in them."""

from __future__ import annotations

import io
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from django.utils import timezone

from rooms.guests import peers
from rooms.models import Room
from rooms.recording.delivery.clips import LONGEST_MS, cut_clip
from tests.rooms.recording.test_finish import record, tone_at
from tests.support.recordings import TOTAL_MS, mix, talked_room
from tests.support.rooms import open_room

pytestmark = pytest.mark.django_db
Sound = np.ndarray[Any, np.dtype[np.float64]]


def heard(content: bytes | None, folder: Path) -> peers.Samples:
    """Decode a clip, whatever its header says of where it begins."""
    assert content is not None
    source, target = folder / "clip.m4a", folder / "clip.wav"
    source.write_bytes(content)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-ignore_editlist", "1", "-i", source, "-ar", "48000", "-ac", "1", target],
        check=True,
    )
    return peers.read_clip(target)


def whole(folder: Path) -> peers.Samples:
    return heard(mix().content, folder)


def best_fit(whole: Sound, part: Sound) -> int:
    """The sample of the whole at which the part correlates most with it. By Fourier: one by one these would be seventy
    thousand million products."""
    size = 1 << (len(whole) - 1).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(whole, size) * np.conj(np.fft.rfft(part, size)), size)
    return int(likeness[: len(whole) - len(part) + 1].argmax())


@pytest.mark.parametrize(("start", "end"), [(0, 6_000), (8_000, 18_000), (45_000, TOTAL_MS), (20_000, 21_000)])
def test_a_clip_of_a_finished_room_decodes_to_its_range_and_no_more(tmp_path: Path, start: int, end: int) -> None:
    room = talked_room()
    content = cut_clip(room, start, end)
    samples = heard(content, tmp_path)
    assert (end - start) - 150 <= len(samples) / 48 <= end - start
    # It is the sound of these moments: the same as the mix has there, where it is aligned to a packet.
    all_of_it = whole(tmp_path).astype(np.float64)
    middle = samples[len(samples) // 4 : len(samples) // 4 + 24_000].astype(np.float64)
    if np.abs(middle).max() > 500:
        at_ms = (best_fit(all_of_it, middle) - len(samples) // 4) / 48
        assert start - 30 <= at_ms <= start + 60
    assert content == cut_clip(room, start, end), "players ask for parts of the same bytes"


def test_no_packet_of_another_moment_is_in_the_bytes() -> None:
    room = talked_room()

    def packets(content: bytes) -> list[bytes]:
        with av.open(io.BytesIO(content), "r") as source:
            return [bytes(packet) for packet in source.demux(audio=0) if packet.size]

    content = cut_clip(room, 10_000, 14_000)
    assert content is not None
    ours, of_mix = packets(content), packets(mix().content)
    first = of_mix.index(ours[0])
    assert of_mix[first : first + len(ours)] == ours
    assert first * 1024 / 48 >= 10_000 - 1024 / 48 and (first + len(ours) - 1) * 1024 / 48 <= 14_000
    media = sum(map(len, ours))
    assert len(content) < media + 8 * len(ours) + 2_000, "nothing else lies in the file"


def test_a_clip_of_a_live_room_is_cut_from_its_segments(tmp_path: Path) -> None:
    room = open_room(entry_policy=Room.EntryPolicy.INVITED)
    Room.objects.filter(pk=room.pk).update(started_at=timezone.now() - timedelta(seconds=30))
    room.refresh_from_db()
    record(room, 0, 500, begins=2, seconds=4)
    record(room, 1, 1000, begins=10, seconds=3)
    samples = heard(cut_clip(room, 4_500, 11_250), tmp_path)
    assert 2_500 <= len(samples) / 48 <= 1_500 + 1_250
    low, high = tone_at(samples, 500), tone_at(samples, 1000)
    assert low[0] < 0.1 and low[1] == pytest.approx(1.5, abs=0.15)
    assert high[0] == pytest.approx(1.5, abs=0.15)
    assert cut_clip(room, 7_000, 9_000) is None, "nothing was recorded between the runs"


def test_what_would_not_fit_into_memory_is_not_cut() -> None:
    with pytest.raises(AssertionError):
        cut_clip(talked_room(), 0, LONGEST_MS + 1)
