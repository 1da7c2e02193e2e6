"""Live captions in Chromium of what is really said: voices through Janus, the real process, near listeners and HLS."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.db import connections
from playwright.sync_api import Page, expect

from rooms import actions
from rooms.guests.peers import Clip
from rooms.guests.talker import Talker
from rooms.models import Room
from tests.e2e.browser import PHONE, Chromium, start_sound
from tests.e2e.hearing import PageEar, wait_playing
from tests.e2e.spoken_captions import READ, Playing, Reading, alone_words, kept_words, on_stage, speak
from tests.e2e.test_sound import NO_WAY
from tests.flows.live import beside
from tests.support import sounds
from tests.support.captions import CaptionedPage, Shown, matched, shown
from tests.support.processes import Site, watched
from tests.support.rooms import open_room
from tests.support.waiting import say, wait_until
from transcripts.captions import ladder, state
from transcripts.captions.engine import FastEngine
from transcripts.captions.process import Captioner
from transcripts.models import LiveLine

SOON = 60.0  # seconds for what takes five on a quiet machine
AT_ONCE = 0.3  # seconds between a word's being heard and being read
BACK = 10.0  # seconds after a kill
Heard = list[tuple[str, float | None]]  # words, with the moment of each


@functools.cache
def engine() -> FastEngine:
    return FastEngine("base", settings.WHISPER_MODEL_DIR, 1)


@pytest.fixture
def web(lent_site: Site) -> Generator[Site]:
    """The site that tests share. Nothing in the log of its web process may be a failure of ours."""
    yield from watched(lent_site)


@pytest.fixture
def room() -> Room:
    return open_room("hanna", speak_policy="everyone")


def words_of(*names: str) -> list[str]:
    return [word for name in names for word in sounds.plain_words(sounds.WORDS[name])]


def is_captioned(room: Room) -> bool:
    return state.room_state(room.pk)[0] != "off"


def settle(room: Room, *last: str) -> None:
    """Wait until the last words are certain, and nothing is being written."""
    wait_until(lambda: kept_words(room)[-len(last) :] == list(last), SOON, f"… {' '.join(last)}")
    wait_until(lambda: not LiveLine.objects.filter(room=room, final=False).exists(), SOON, "all lines are over")


@pytest.mark.timed
def test_a_word_is_read_when_it_is_heard_and_lines_come_back(web: Site, chromium: Chromium, room: Room) -> None:
    """By HLS, in the real player. Beside it a second screen, without its network for ten seconds, loaded again, and one
    that comes late: nothing twice, nothing missing."""
    web.start("captions")
    places, end_ms = sounds.in_turn(sounds.CLIPS, start_ms=300, pause_ms=900)
    with (
        ThreadPoolExecutor(1) as thread,
        on_stage(web, room, "nora") as talkers,
        CaptionedListener(room) as listener,
    ):
        finding = thread.submit(words_of_clips)  # while nothing is measured
        far = chromium.context(viewport=PHONE).new_page()
        chromium.listen_to(far)
        far.add_init_script(NO_WAY)
        chromium.go(far, room.get_absolute_url())
        start_sound(far)
        wait_playing(far, SOON)
        assert far.evaluate("() => document.querySelector('[data-sound]').srcObject === null"), "by HLS"
        screen = chromium.page(f"/r/{room.slug}/captions/")
        wait_until(lambda: is_captioned(room), SOON, "a process has the room")
        ear = PageEar(far)
        far.evaluate(READ)
        clips = finding.result()
        began = speak(talkers["nora"], sounds.laid(places, end_ms))
        away(chromium, screen, 10.0)
        last = words_of("0930")[-3:]
        settle(room, *last)
        wait_until(lambda: Reading.of(far).first("nora", last) is not None, SOON, "HLS, some seconds behind")
        far.wait_for_timeout(1_500)  # until the last of it was played
        heard = heard_words(clips, Playing.by(ear), began)
        read_when_heard(Reading.of(far), heard, began, shown(listener.page)["nora"])
        same_lines(room, screen)
        screen.reload()
        same_lines(room, screen)
        same_lines(room, chromium.page(f"/r/{room.slug}/captions/"))


@pytest.mark.alone
def test_what_is_not_to_be_read_is_not(web: Site, chromium: Chromium, room: Room) -> None:
    """Of who wants no captions, and of a room that does not, until they do again."""
    web.start("captions")
    with on_stage(web, room, "nora") as talkers:
        near = chromium.room(room)
        wait_until(lambda: is_captioned(room), SOON, "a process has the room")
        nora = room.seats.get(user__handle="nora").user
        refused(room, near, lambda off: actions.set_own_captions(room.pk, nora, off, by=nora), talkers["nora"])
        refused(room, near, lambda off: actions.set_captions(room.pk, room.host, not off), talkers["nora"])


def away(chromium: Chromium, screen: Page, seconds: float) -> None:
    """Take its network from a page, once it has read something."""
    expect(screen.locator(".alone-text").first).to_contain_text("John", timeout=SOON * 1000)
    screen.context.set_offline(True)
    expect(screen.locator("[data-alone-status]")).not_to_be_empty()
    screen.wait_for_timeout(seconds * 1000)
    screen.context.set_offline(False)
    expect(screen.locator("[data-alone-status]")).to_be_empty(timeout=20_000)
    chromium.complaints[:] = [text for text in chromium.complaints if "ERR_INTERNET_DISCONNECTED" not in text]


def same_lines(room: Room, screen: Page) -> None:
    """Wait until the page shows the last of what is kept: each word once, in order."""

    def same() -> bool:
        read, kept = alone_words(screen), kept_words(room)
        return len(read) > 20 and kept[-len(read) :] == read

    wait_until(same, SOON, "the page has what is kept")


def read_when_heard(reading: Reading, heard: Heard, began: float, told: Shown) -> None:
    """Compare when words stand there with when they are heard. One that is not certain by then counts from when it
    is."""
    words = [word for word, _at in heard]
    places = matched(words, told.words)
    late: list[float] = []
    in_time = 0
    for place, (word, heard_at) in enumerate(heard):
        at = reading.first("nora", words[max(0, place - 2) : place + 1])
        certain = told.first_shown(places[place], draft=False) if place in places else None
        if heard_at is not None and at is not None and certain is not None:
            in_time += certain < heard_at
            late.append(at - max(heard_at, certain))
            if abs(late[-1]) > AT_ONCE:
                since = (certain - heard_at, at - heard_at)
                say(f"{word}, {heard_at - began:.2f} s: certain {since[0]:.2f}, read {since[1]:.2f} s later")
    least, middle, most = np.percentile(late, [5, 50, 95])
    figures = f"p50 {middle:.2f}, from {least:.2f} to {most:.2f} s"
    say(f"{len(late)} words by HLS, {in_time} of them certain before they are heard; read after that: {figures}")
    assert len(late) > 20 and in_time > 5
    assert least > -AT_ONCE and most < AT_ONCE


def words_of_clips() -> dict[str, list[tuple[str, int]]]:
    """Return the words of each clip, with the place at which Whisper finds them, in hundredths of a second."""
    found: dict[str, list[tuple[str, int]]] = {}
    for name in sounds.CLIPS:
        (segment,) = engine().transcribe(sounds.clip(name), "en", lambda: None)
        found[name] = [(word, each.start_ms // 10) for each in segment.words for word in sounds.plain_words(each.text)]
    return found


def heard_words(clips: dict[str, list[tuple[str, int]]], playing: Playing, began: float) -> Heard:
    """Return the words of all clips with the moment at which each is heard; None where a clip was not played whole."""
    heard: Heard = []
    for name, words in clips.items():
        moments = playing.of(name, began)
        heard += [(word, None if moments is None else float(moments[place])) for word, place in words]
    return heard


def refused(room: Room, near: Page, switch: Any, nora: Any) -> None:
    """Speak while captions are off, which nobody reads and nothing keeps, and afterwards, which everybody reads."""
    switch(True)
    near.evaluate(READ)
    speak(nora, sounds.clip("0920"))
    table = near.locator('[data-captions="table"]')
    if are_on(room):  # it stands there while she talks
        expect(table.locator('[data-person="nora"]')).to_contain_text("captions off")
    near.wait_for_timeout(sounds.length_ms("0920") + 1500)
    if not are_on(room):
        expect(table).to_be_hidden()
    switch(False)
    near.wait_for_timeout(500)
    speak(nora, sounds.clip("0930"))
    expect(table).to_contain_text("himself", timeout=SOON * 1000)
    settle(room, *words_of("0930")[-3:])
    assert not {"married", "respectable"} & Reading.of(near).said_by("nora")


def are_on(room: Room) -> bool:
    room.refresh_from_db()
    return room.transcription


@pytest.mark.timed
def test_two_talk_at_once_under_their_names_also_after_a_kill(web: Site, chromium: Chromium, room: Room) -> None:
    """Nora's voice leaks into Mara's microphone; the host's has silence, music and applause, which are no words."""
    web.start("captions")
    own, own_end = sounds.in_turn(("0870", "0880", "0890", "0920"), start_ms=300, pause_ms=700)
    other, other_end = sounds.in_turn(("jfk", "6930-75918-0000"), start_ms=1_800, pause_ms=1_500)
    voice = sounds.laid(own, max(own_end, other_end))
    leaking = 0.7 * sounds.laid(other, len(voice) * 1000 // sounds.RATE) + 0.02 * voice
    nothing = np.zeros(2 * sounds.RATE, np.float32)
    said = {"nora": words_of("0870", "0880", "0890", "0920"), "mara": words_of("jfk", "6930-75918-0000")}
    with on_stage(web, room, "hanna", "nora", "mara") as talkers, CaptionedListener(room) as listener:
        page = chromium.room(room, viewport=PHONE)
        wait_until(lambda: is_captioned(room), SOON, "a process has the room")
        page.evaluate(READ)
        speak(talkers["nora"], voice)
        speak(talkers["mara"], leaking)
        speak(talkers["hanna"], np.concatenate([nothing, sounds.music(8), nothing, sounds.applause(8)]))
        wait_until(lambda: len(LiveLine.objects.filter(speaker__handle="mara")) > 0, SOON, "both were heard")
        away_for = killed(web, page)
        settle_all(room, talkers.values())
        reading = Reading.of(page)
        found = shown(listener.page)
    assert any({"nora", "mara"} <= {who for who, text in now.items() if text} for _at, now in reading.texts)
    assert set(found) == {"nora", "mara"} and not reading.said_by("hanna")
    for handle, one in found.items():
        others = set(said["mara" if handle == "nora" else "nora"]) - set(said[handle])
        wrong = sounds.word_error_rate(said[handle], one.words)
        say(f"{handle}: {wrong:.1%} wrong: {' '.join(one.words)}")
        assert wrong < 0.25, handle
        assert one.rewritten == 0 and len({w for w in others if len(w) > 5} & reading.said_by(handle)) == 0
        assert not twice(one.words, said[handle])
    assert away_for < BACK


class CaptionedListener:
    """A page at a WebSocket, in a thread of its own."""

    def __init__(self, room: Room) -> None:
        self.page = CaptionedPage(room)

    def __enter__(self) -> CaptionedListener:
        async def listen() -> None:
            async with self.page:
                await asyncio.sleep(3600)

        self._beside = beside(listen())
        self._beside.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        self._beside.__exit__(*raised)


def killed(web: Site, page: Page) -> float:
    """Kill the process and start it, as its manager does; returns the seconds until words are read that were not."""
    web.kill("captions")
    at = time.time()
    web.start("captions")
    started = time.time()
    back: float = wait_until(lambda: Reading.of(page).first_new(at), SOON, "new words")
    say(f"the process was at work after {started - at:.1f} s, new words were read after {back - at:.1f} s")
    return back - at


def settle_all(room: Room, talkers: Iterable[Talker]) -> None:
    """Wait until all was said, and all lines have been over for longer than a new one needs to begin."""
    wait_until(lambda: all(is_through(talker.clip) for talker in talkers), SOON, "all was said")
    began = {"lines": -1, "at": 0.0}

    def are_over() -> bool:
        lines = LiveLine.objects.filter(room=room)
        if lines.filter(final=False).exists() or lines.count() != began["lines"]:
            began["lines"], began["at"] = lines.count(), time.monotonic()
        return time.monotonic() - began["at"] > 3

    wait_until(are_over, 2 * SOON, "everything was heard")


def is_through(clip: Clip) -> bool:
    return clip.position >= len(clip.samples)


def twice(found: list[str], said: list[str]) -> list[str]:
    """Return phrases of four words that stand there more often than they were said."""
    once = [" ".join(said[at : at + 4]) for at in range(len(said) - 3)]
    there = [" ".join(found[at : at + 4]) for at in range(len(found) - 3)]
    return [phrase for phrase in once if there.count(phrase) > once.count(phrase)]


def test_the_ladder_is_walked_down_and_back(
    web: Site, chromium: Chromium, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thresholds are set here, so that each step is taken whatever this machine can do; what hears is real."""
    for name in ("LATE_FOR", "LATE_OUT_FOR", "EARLY_FOR"):
        monkeypatch.setattr(ladder, name, 2.0)

    def is_late(late: bool) -> None:
        for name, seconds in (("LATE", -1.0), ("LATE_OUT", -1.0), ("EARLY", -2.0)):
            monkeypatch.setattr(ladder, name, seconds if late else 99.0)

    is_late(False)
    stopped = threading.Event()

    def write() -> None:
        Captioner(stopped.is_set, engine).run()
        connections.close_all()

    voice = sounds.laid(*sounds.in_turn(sounds.CLIPS * 2, start_ms=200, pause_ms=300))
    with on_stage(web, room, "nora", "mara") as talkers:
        writing = threading.Thread(target=write)
        writing.start()
        try:
            host = chromium.room(room, room.host)
            level = host.locator("[data-captions-word]")
            expect(level).to_contain_text("on time", timeout=SOON * 1000)
            host.evaluate(READ)
            for talker in talkers.values():
                speak(talker, voice)
            is_late(True)
            expect(level).to_contain_text("come late")
            expect(level).to_contain_text("at pauses only")
            table = host.locator('[data-captions="table"]')
            expect(table).to_contain_text("no captions now", timeout=SOON * 1000)
            expect(level).to_contain_text("no captions at the moment")
            is_late(False)
            expect(level).to_contain_text("at pauses only")
            expect(level).to_contain_text("come late")
            expect(level).to_contain_text("on time", timeout=SOON * 1000)
            back = time.time()
            speak(talkers["nora"], sounds.clip("0930"))
            wait_until(lambda: Reading.of(host).first("nora", ["amiable", "himself"], back), SOON, "words again")
        finally:
            stopped.set()
            writing.join(SOON)
