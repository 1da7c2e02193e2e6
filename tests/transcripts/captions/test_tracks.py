"""Tracks that grow: every packet once, in order, whatever the network and the disk did; sound at its time."""

from __future__ import annotations

import os
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from rooms.recording.track_memory import _append_new
from tests.support import sounds
from tests.support.janus_tracks import opus_packets, raw_track
from transcripts.captions import track_tail
from transcripts.captions.stream import Stream
from transcripts.captions.stretch import Stretch
from transcripts.captions.track_sound import TrackSound
from transcripts.captions.track_tail import Order, Packet, TrackTail, unwrapped

FIRST_US = 1_700_000_000_000_000


@given(some.integers(0, 1 << 40), some.integers(-30_000, 30_000))
def test_numbers_are_counted_on_over_their_wrap(last: int, step: int) -> None:
    assert unwrapped((last + step) % 65536, last, 65536) == last + step


@given(some.permutations(range(8)), some.sets(some.integers(0, 7), max_size=3))
def test_packets_come_in_order_and_once(places: list[int], lost: set[int]) -> None:
    """Eight packets that overtook each other; of some the network lost all, of others it made two."""
    order = Order()
    given_out: list[Packet] = []
    for start in range(0, 800, 8):
        for at, place in enumerate(places):
            number = start + place
            if place in lost and start % 16:
                continue
            for _twice in range(2 if number % 5 == 0 else 1):
                given_out += order.add(Packet(number, number * 960, (start + at) * 20, b"x"))
    numbers = [packet.number for packet in given_out]
    assert numbers == sorted(set(numbers))
    there = [start + place for start in range(0, 800, 8) for place in range(8) if not (place in lost and start % 16)]
    missing = [number for number in there if number < numbers[-1] and number not in numbers]
    assert not [number for number in missing if number >= 8], "but for those before the first that came"


def test_a_track_is_read_as_it_grows_in_any_pieces(tmp_path: Path) -> None:
    whole = raw_track([bytes([number % 250]) * 40 for number in range(300)], FIRST_US)
    path, chance, place = tmp_path / "a.mjr", random.Random(4), 0
    path.touch()
    tail, found = TrackTail(path, tmp_path / "none.mjr"), []
    while place < len(whole):
        step = chance.randint(1, 400)
        with path.open("ab") as file:
            file.write(whole[place : place + step])
        place += step
        found += tail.read()
    assert tail.first_us == FIRST_US
    assert [packet.payload[0] for packet in found] == [number % 250 for number in range(300)]
    assert tail.read() == []


def test_what_was_freed_in_memory_is_read_from_the_disk(tmp_path: Path) -> None:
    """A process that starts later than the track: its beginning is on the disk alone, its end in memory alone."""
    whole = raw_track([struct.pack(">I", number) * 30 for number in range(1000)], FIRST_US)
    memory, disk = Path("/dev/shm") / f"{tmp_path.parent.name}-{tmp_path.name}.mjr", tmp_path / "b.mjr"
    try:
        memory.write_bytes(whole[:90_000])
        _append_new(memory, disk)
        with memory.open("ab") as file:
            file.write(whole[90_000:])
        tail = TrackTail(memory, disk)
        found = [*tail.read(), *tail.read()]
        assert [struct.unpack_from(">I", packet.payload)[0] for packet in found] == list(range(1000))
        late = TrackTail(memory, disk, since_us=FIRST_US + 15_000_000)
        later = [*late.read(), *late.read()]
        assert struct.unpack_from(">I", later[0].payload)[0] == 750
    finally:
        memory.unlink(missing_ok=True)


def test_of_a_long_track_only_the_end_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A room that has lasted for hours, after a kill; and a tail that fell behind reads so much at once."""
    path, read = tmp_path / "long.mjr", [0]
    path.write_bytes(raw_track([struct.pack(">I", number) * 250 for number in range(6000)], FIRST_US))
    pread = os.pread

    def counted(fd: int, most: int, place: int) -> bytes:
        data = pread(fd, most, place)
        read[0] += len(data)
        return data

    monkeypatch.setattr(os, "pread", counted)
    tail = TrackTail(path, tmp_path / "none.mjr", since_us=FIRST_US + 110_000_000)
    numbers = [struct.unpack_from(">I", packet.payload)[0] for packet in tail.read()]
    assert numbers == list(range(5500, 6000)) and read[0] < track_tail.LAST + (1 << 17)
    monkeypatch.setattr(track_tail, "MOST", 1 << 16)
    more = raw_track([b"x" * 1000] * 500, FIRST_US)
    with path.open("ab") as file:
        file.write(more[more.index(b"MEET") :])
    read[0] = 0
    tail.read()
    assert 0 < read[0] <= 1 << 16


def test_broken_frames_are_passed_over(tmp_path: Path) -> None:
    whole = raw_track([bytes([number]) * 50 for number in range(20)], FIRST_US)
    middle = whole.index(b"MEET", len(whole) // 2)
    path = tmp_path / "c.mjr"
    path.write_bytes(whole[: middle - 20] + whole[middle:])
    found = TrackTail(path, path).read()
    assert 17 <= len(found) <= 19 and all(len(set(packet.payload)) == 1 for packet in found[:8])


def test_sound_is_at_its_time_also_after_a_mute(tmp_path: Path) -> None:
    said = sounds.clip("0880")
    packets = opus_packets(said)
    track = TrackSound()
    first = [Packet(number, number * 960, number * 20, data) for number, data in enumerate(packets)]
    muted = 7_000
    second = [
        Packet(len(first) + number, (len(first) + number) * 960 + muted * 48, (len(first) + number) * 20 + muted, data)
        for number, data in enumerate(packets)
    ]
    heard = np.zeros(16 * (2 * len(packets) * 20 + muted + 100), np.float32)
    for at_ms, sound in track.decode([*first, *second]):
        at = round(at_ms * 16)
        heard[at : at + len(sound)] = sound

    def shift(begin: int) -> int:
        """How many samples later than said, by the best match."""
        part = heard[begin : begin + len(said)]
        size = 1 << (2 * len(said)).bit_length()
        match = np.fft.irfft(np.fft.rfft(part, size) * np.conj(np.fft.rfft(said, size)))
        best = int(np.argmax(match))
        return best - size if best > size // 2 else best

    assert abs(shift(0)) < 30 * 16
    assert abs(shift(16 * (len(packets) * 20 + muted))) < 30 * 16


def test_speech_begins_and_pauses_and_noise_is_no_speech() -> None:
    stream = Stream()
    places, end_ms = sounds.in_turn(("0880", "0930"), start_ms=1000, pause_ms=1200)
    feed(stream, sounds.laid(places, end_ms), 5_000)
    stream.pause()
    assert len(stream.closed) == 2
    for (at_ms, name), stretch in zip(places, stream.closed, strict=True):
        assert abs(stretch.start_ms - 5_000 - at_ms) < 600
        assert abs(stretch.speech_end_ms - 5_000 - at_ms - sounds.length_ms(name)) < 600
    quiet = Stream()
    noise = np.random.default_rng(3).normal(0, 0.02, 16_000 * 6).astype(np.float32)
    time = np.arange(16_000 * 6) / 16_000
    chord = np.asarray(sum(0.05 * np.sin(2 * np.pi * pitch * time) for pitch in (220, 277, 330)), np.float32)
    clicks = np.zeros(16_000 * 6, np.float32)
    clicks[:: 16_000 // 2] = 0.8
    for at, sound in enumerate((noise, chord, clicks, np.zeros(16_000 * 6, np.float32))):
        feed(quiet, sound, 10_000 * at)
        quiet.pause()
    assert quiet.next is None


def test_sound_that_was_heard_before_is_left_out_and_late_packets_are_not_heard_twice() -> None:
    stream = Stream(from_ms=2_000)
    sound = sounds.laid([(500, "0880")], 4_000)
    feed(stream, sound, 1_000)
    assert stream.end_ms // 10 == 500 and stream.closed[0].start_ms >= 2_000
    before = stream.end_ms
    stream.feed(3_000, sound[:16_000], 0.0)
    assert stream.end_ms == before


def test_what_was_somebody_elses_to_its_end_is_not_heard_again() -> None:
    stretch = Stretch(1_000)
    stretch.add(np.ones(16_000, np.float32), speech=True)
    stretch.forget(stretch.end_ms)
    stretch.closed = True
    assert stretch.heard_out and len(stretch.sound) == 0 and stretch.finish() == ()


def feed(stream: Stream, sound: np.ndarray, at_ms: int) -> None:
    for at in range(0, len(sound), 320):
        stream.feed(at_ms + at / 16, sound[at : at + 320], 0.0)
