"""A real voice the whole way: WebRTC in, mix, WebRTC and HLS out, files in room time after the end."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from pathlib import Path
from urllib.error import HTTPError

import numpy as np
import pytest
from django.conf import settings

from rooms import actions
from rooms.guests import peers
from rooms.guests.hls_listener import HlsListener
from rooms.guests.talker import Talker
from rooms.guests.visitor import Browser, Visitor, speak
from rooms.models import Recording, RecordingFile, Room, Seat
from tests.rooms.media.conftest import listen_near, signed_in
from tests.support.processes import Site
from tests.support.speech import clip, share_of_words, understood
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]
BEHIND = 30.0  # seconds by which HLS may be behind; it is three


async def _talk_and_listen(
    site: Site, speaker: Browser, others: list[Browser], slug: str, path: Path
) -> tuple[peers.Ears, HlsListener]:
    """One person talks; of three others one sits down for a moment, one talks muted, one is silent with an open mic."""
    ears = peers.Ears()
    far = HlsListener(Browser(site.url), slug)
    clip = peers.read_clip(path)
    talker = Talker(speaker, slug, peers.Clip(clip))
    silent = Talker(others[2], slug, peers.Clip(np.zeros_like(clip)))
    async with Visitor(Browser(site.url), slug) as visitor:
        peer = await listen_near(visitor, ears)
        quiet = [_sit_muted(others[0], slug, None), _sit_muted(others[1], slug, peers.Clip(clip))]
        listening = asyncio.create_task(far.run(300))
        await asyncio.gather(talker.run(once=True), silent.run(once=True), *quiet)
        ended = time.time()
        async with asyncio.timeout(BEHIND):
            while not any(piece.at.timestamp() > ended for piece in far.pieces.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await peer.close()
    return ears, far


async def _sit_muted(browser: Browser, slug: str, clip: peers.Clip | None) -> None:
    """At the table for a moment; with a clip for as long as it plays, into a microphone that is never opened."""
    async with Visitor(browser, slug) as visitor:
        await visitor.ask("consent", version=settings.CONSENT_VERSION)
        await visitor.ask("take_seat")
        if clip is not None:
            peer = await speak(visitor, clip, peers.Ears())
            await clip.finished.wait()
            await peer.close()
        await visitor.ask("leave_seat")


def _may_hear(browser: Browser, slug: str) -> bool:
    """Return whether the site gives the replay's sound to this browser."""
    try:
        return bool(json.loads(browser.fetch(f"/api/v1/rooms/{slug}/replay/"))["mix"])
    except HTTPError as error:
        assert error.code == 404
        return False


def test_words_arrive_on_both_ways_and_in_the_files(lent_site: Site, room: Room, tmp_path: Path) -> None:
    path, words = clip(0)
    nora, *others = [signed_in(lent_site, handle) for handle in ("nora", "passing", "muted", "silent")]
    ears, far = asyncio.run(_talk_and_listen(lent_site, nora, others, room.slug, path))
    for name, samples in (("near", ears.samples()), ("far", far.samples())):
        peers.write_wave(tmp_path / f"{name}.wav", samples)
        assert share_of_words(words, understood(tmp_path / f"{name}.wav", "base")) >= 0.8, name

    actions.end_room(room.pk, room.host)
    recording = wait_until(lambda: Recording.objects.filter(room=room, state="ready").first(), 90, "finishing")
    room.refresh_from_db()
    seat = Seat.objects.get(room=room, user__handle="nora")
    mix = recording.files.get(kind=RecordingFile.Kind.MIX)
    track = recording.files.get(kind=RecordingFile.Kind.TRACK, seat=seat)
    for file in (mix, track):
        whole = Path(settings.RECORDINGS_DIR) / file.path
        assert file.sha256 == hashlib.sha256(whole.read_bytes()).hexdigest()
        assert file.size == whole.stat().st_size
        assert share_of_words(words, understood(whole, "base")) >= 0.8, file.path
    assert mix.start_ms == 0
    assert abs(mix.duration_ms - room.room_time(room.ended_at)) < 2500
    assert abs(offset_ms(mix, track) - track.start_ms) < 400, "mix and track do not agree on room time"
    assert {file.seat.user.handle for file in recording.files.filter(has_sound=True) if file.seat} == {"nora"}
    assert Seat.objects.filter(room=room).exclude(user=room.host).count() == 4
    assert [_may_hear(browser, room.slug) for browser in (nora, *others)] == [True, False, False, False]


def offset_ms(mix: RecordingFile, track: RecordingFile) -> float:
    """Where in the mix the track's sound lies, by correlation, in milliseconds."""
    folder = Path(settings.RECORDINGS_DIR)
    whole, part = (peers.read_clip(folder / file.path).astype(np.float64)[::6] for file in (mix, track))
    size = 1 << int(np.ceil(np.log2(len(whole) + len(part))))
    match = np.fft.irfft(np.fft.rfft(whole, size) * np.conj(np.fft.rfft(part, size)), size)
    best = int(np.argmax(match))
    return (best if best < len(whole) else best - size) * 6 * 1000 / peers.RATE
