"""A real voice the whole way: WebRTC in, mix, WebRTC and HLS out, files in room time after the end."""

from __future__ import annotations

import asyncio
import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import whisper
from django.conf import settings

from rooms import actions
from rooms.media import peers
from rooms.media.hls_listener import HlsListener
from rooms.media.talker import Talker
from rooms.media.visitor import Browser, Visitor, listen
from rooms.models import Recording, RecordingFile, Room, Seat
from tests.processes import Site
from tests.rooms.media.conftest import wait_until
from tests.speech import clip, share_of_words
from tests.weights import whisper_folder

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]


@functools.cache
def engine() -> Any:
    return whisper.load_model("base", download_root=str(whisper_folder()))


def heard(path: Path) -> str:
    """What Whisper understands."""
    found = engine().transcribe(str(path), language="en", temperature=0.0, condition_on_previous_text=False)
    return str(found["text"])


async def _talk_and_listen(site: Site, speaker: Browser, slug: str, path: Path) -> tuple[peers.Ears, HlsListener]:
    ears = peers.Ears()
    far = HlsListener(Browser(site.url), slug)
    talker = Talker(speaker, slug, peers.Clip(peers.read_clip(path)))
    async with Visitor(Browser(site.url), slug) as visitor:
        peer = await listen(visitor, ears)
        assert peer is not None, "the near listener was sent to HLS"
        talking = asyncio.create_task(talker.run(once=True))
        await far.run(len(talker.clip.samples) / peers.RATE + 6)
        await talking
        await peer.close()
    return ears, far


def test_words_arrive_on_both_ways_and_in_the_files(
    sounding: Site, room: Room, guest: Callable[[str], Browser], tmp_path: Path
) -> None:
    path, words = clip(0)
    ears, far = asyncio.run(_talk_and_listen(sounding, guest("nora"), room.slug, path))
    for name, samples in (("near", ears.samples()), ("far", far.samples())):
        peers.write_wave(tmp_path / f"{name}.wav", samples)
        assert share_of_words(words, heard(tmp_path / f"{name}.wav")) >= 0.8, name

    actions.end_room(room.pk, room.host)
    recording = wait_until(lambda: Recording.objects.filter(room=room, state="ready").first(), 30, "finishing")
    room.refresh_from_db()
    seat = Seat.objects.get(room=room, user__handle="nora")
    mix = recording.files.get(kind=RecordingFile.Kind.MIX)
    track = recording.files.get(kind=RecordingFile.Kind.TRACK, seat=seat)
    for file in (mix, track):
        whole = Path(settings.RECORDINGS_DIR) / file.path
        assert file.sha256 == hashlib.sha256(whole.read_bytes()).hexdigest()
        assert file.size == whole.stat().st_size
        assert share_of_words(words, heard(whole)) >= 0.8, file.path
    assert mix.start_ms == 0
    assert abs(mix.duration_ms - room.room_time(room.ended_at)) < 2500
    assert abs(offset_ms(mix, track) - track.start_ms) < 120, "mix and track do not agree on room time"


def offset_ms(mix: RecordingFile, track: RecordingFile) -> float:
    """Where in the mix the track's sound lies, by correlation, in milliseconds."""
    folder = Path(settings.RECORDINGS_DIR)
    whole, part = (peers.read_clip(folder / file.path).astype(np.float64)[::6] for file in (mix, track))
    size = 1 << int(np.ceil(np.log2(len(whole) + len(part))))
    match = np.fft.irfft(np.fft.rfft(whole, size) * np.conj(np.fft.rfft(part, size)), size)
    best = int(np.argmax(match))
    return (best if best < len(whole) else best - size) * 6 * 1000 / peers.RATE
