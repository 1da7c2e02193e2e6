"""The disk fills up under a live room, slowly and at once: people hear on, all are told, recording goes on after."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings

from core import bus
from rooms import actions
from rooms.guests import peers
from rooms.guests.hls_listener import HlsListener
from rooms.guests.near_listener import NearListener
from rooms.guests.talker import Talker
from rooms.guests.visitor import Browser, Visitor
from rooms.media.supervisor import disk as eye
from rooms.media.supervisor.disk_gate import CALM, LASTING, MOST_CALM, SOON, Gate, Telling
from rooms.models import Recording, RecordingFile, Room
from rooms.recording import store
from rooms.recording.finishing.space import MB, Space, measure
from tests.support.people import PASSWORD, person
from tests.support.processes import LogTail, Site, by_hand
from tests.support.smalldisk import SmallDisk, small_disk
from tests.support.waiting import say, wait_until

RESERVE_MB = 8
SITE = {"STATIC_FILES": "source", "RECORDINGS_RESERVE_MB": str(RESERVE_MB)}
WITHIN = 10.0  # seconds until listeners by HLS hear again, on a busy machine
HOLE = 2.5  # seconds; near sound has shorter holes on such a machine, and a full disk lasts longer
EDGE = 2.0  # seconds by which a recording may stop before its pause is told, and begin after the end of it is
INSIDE = 1.0  # seconds from either end of a pause to where nothing is recorded for sure
WINDOWS = 20  # a second, in which sound is looked for


def test_the_gate_shuts_at_once_and_opens_with_care() -> None:
    gate = Gate(100)
    assert not gate.take(Space(100), 0)
    assert gate.take(Space(99), 0), "before the disk is full"
    assert not any(gate.take(Space(free), 0) for free in (100, 110, 124)), "it would be shut again in no time"
    looks = [gate.take(Space(free), 0) for free in (125, 125, 90, *[125] * CALM)]
    assert looks == [False] * (len(looks) - 1) + [True]
    assert gate.take(Space(1000, "Read-only file system"), 0)
    assert not gate.take(Space(1000, "Read-only file system"), 0) and gate.shut


def closed_for(gate: Gate, at: float) -> int:
    """Looks that it takes to go on after the disk was full for a moment."""
    assert gate.take(Space(0), at)
    return next(look for look in range(1, 1000) if gate.take(Space(1000), at + look))


def test_each_time_it_does_not_last_it_takes_longer() -> None:
    gate, at, took = Gate(100), 0.0, []
    for _time in range(9):
        took.append(closed_for(gate, at))
        at += took[-1] + SOON - 1
    assert took == [3, 6, 12, 24, 48, 96, 192, MOST_CALM, MOST_CALM]
    assert closed_for(gate, at + 1) == CALM, "it lasted"


def test_a_disk_that_comes_and_goes_is_no_flood_of_mails() -> None:
    telling, sent = Telling(told=False), []
    for second in range(7290):
        shut = second % 60 >= 30  # full for half a minute, free for half a minute, for two hours
        if telling.due(shut, float(second)):
            sent.append((second, shut))
    assert sent == [(30, True), (60, False), (3630, True), (3660, False), (7230, True), (7260, False)]
    assert not telling.due(True, 7400) and not telling.due(True, 7399 + LASTING)
    assert telling.due(True, 7400 + LASTING), "what lasts is told within the hour, too"


def test_what_an_earlier_supervisor_told_is_not_told_again() -> None:
    telling = Telling(told=True)
    assert not telling.due(True, 1.0)
    assert telling.due(False, 2.0)
    assert not telling.due(False, 3.0) and not Telling(told=False).due(False, 1.0)


def test_a_look_finds_what_can_be_written(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 2) as disk:
        assert measure(disk.folder).free == disk.free > MB and not list(disk.folder.iterdir())
        disk.leave(0)
        assert measure(disk.folder).trouble == "No space left on device"
    assert "No such file" in measure(tmp_path / "nowhere").trouble


async def test_a_disk_that_does_not_answer_is_as_good_as_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """It hangs one thread, not the supervisor; and when it answers again, that is noticed."""
    answers, asked, answered = threading.Event(), [], []

    def hang(folder: Path) -> Space:
        asked.append(folder)
        answered.append(answers.wait(60))
        return Space(1000 * MB)

    monkeypatch.setattr(eye, "measure", hang)
    monkeypatch.setattr(eye, "PATIENCE", 0.05)
    disk = eye.Disk(bus.connect(), asyncio.Event())
    for _look in range(3):
        await disk.look()
    assert len(asked) == 1 and not answered, "nobody waited for it, and it is asked once"
    assert disk.shut and "does not answer" in disk.why
    answers.set()
    async with asyncio.timeout(10):
        while disk.gate.shut:
            await asyncio.sleep(0.01)
            await disk.look()
    assert len(asked) == 1 + CALM


@pytest.fixture
def disk(transactional_db: None) -> Generator[SmallDisk]:
    with small_disk(Path(settings.RECORDINGS_DIR), 48) as small:
        yield small


@pytest.fixture
def site_on_it(disk: SmallDisk, site: Site) -> Generator[Site]:
    site.start("web", "media", "work", **SITE)
    yield site
    site.stop()  # what it has open on the disk
    print_log(site)


def print_log(site: Site) -> None:
    say(site.log("media").read_text(errors="replace")[-5000:])


@dataclass
class Page:
    """Messages that a page in the room receives."""

    seen: list[dict[str, Any]] = field(default_factory=list)

    def count(self, kind: str) -> int:
        return sum(message.get("type") == kind for message in self.seen)

    async def told(self, kind: str, times: int, within: float) -> float:
        """Seconds until it was told so often."""
        began = time.monotonic()
        while self.count(kind) < times:
            assert time.monotonic() - began < within, f"{kind} was not told within {within} s"
            await asyncio.sleep(0.05)
        return time.monotonic() - began


class Listeners:
    """One who talks, one who listens near, one by HLS, one who looks at the page."""

    def __init__(self, site: Site, room: Room) -> None:
        speaker = Browser(site.url)
        speaker.sign_in("nora", PASSWORD)
        tone = 0.25 * 32767 * np.sin(2 * np.pi * 440 * np.arange(peers.RATE * 10) / peers.RATE)
        self.talker = Talker(speaker, room.slug, peers.Clip(tone.astype(np.int16), loop=True))
        self.near = NearListener(Browser(site.url), room.slug)
        self.far = HlsListener(Browser(site.url), room.slug)
        self.page = Page()
        self.visitor = Visitor(Browser(site.url), room.slug, self.page.seen.append)
        self.far_at: list[float] = []

    async def poll(self) -> None:
        while True:
            before = len(self.far.pieces)
            try:
                await asyncio.to_thread(self.far.poll)
            except OSError:
                self.far.failures += 1
            if len(self.far.pieces) > before:
                self.far_at.append(time.time())
            await asyncio.sleep(0.3)

    def gaps(self, since: float) -> tuple[float, float]:
        """Seconds without sound for the near and without a new piece for the far listener."""
        now = time.time()
        times = [since, *(at for at in self.far_at if at > since), now]
        return self.near.ears.longest_gap(since, now - 0.3), max(b - a for a, b in itertools.pairwise(times))


def readiness(site: Site) -> dict[str, Any]:
    """Get the parts of /readyz. (The test runs without beat and speech, so its status is 503 in any case.)"""
    try:
        asked = urllib.request.Request(f"{site.url}/readyz", headers={"X-Readyz-Key": settings.READYZ_KEY})
        with urllib.request.urlopen(asked, timeout=5) as answer:
            return dict(json.load(answer)["parts"])
    except urllib.error.HTTPError as error:
        return dict(json.load(error)["parts"])


async def fill(people: Listeners, site: Site, room: Room, work: Callable[[], None], name: str, times: int) -> None:
    """Fill the disk, let some seconds pass, and look at what everybody noticed."""
    began = time.time()
    await by_hand(work)
    told = await people.page.told("recording_paused", times, 30)
    await asyncio.sleep(3.5)  # so that a part of the pause lies INSIDE for sure
    parts = await asyncio.to_thread(readiness, site)
    assert parts["disk"]["state"] == "degraded" and "recording is paused" in parts["disk"]["detail"]
    assert parts["janus"]["state"] == parts["supervisor"]["state"] == "ok", "the site can do its work"
    written = max(path.stat().st_mtime for path in store.hls_folder(room.pk).glob("*.m4s") if path.stat().st_size)
    near, far = people.gaps(began)
    say(f"{name}: told after {told:.1f} s, near silent {near:.1f} s, HLS waits {far:.1f} s")
    assert near < HOLE, "the near listener"
    assert far < WITHIN, "the listener by HLS"
    assert written < time.time() - 2, "nothing is written while recording is paused"


def taken_over(site: Site) -> None:
    """The supervisor is killed and started again while recording is paused: it neither records nor tells again."""
    site.kill("media")
    site.start("media", **SITE)


async def free(people: Listeners, disk: SmallDisk, name: str, times: int) -> None:
    """Give the space back, and let it record for some seconds."""
    began = time.time()
    await by_hand(disk.empty)
    told = await people.page.told("recording_resumed", times, 60)  # the second time it waits twice as long
    await asyncio.sleep(5.5)
    near, far = people.gaps(began)
    say(f"{name} is over: told after {told:.1f} s, near silent {near:.1f} s, HLS waits {far:.1f} s")
    assert near < HOLE and far < WITHIN


async def story(people: Listeners, site: Site, disk: SmallDisk, room: Room) -> None:
    tasks = [asyncio.create_task(work) for work in (people.talker.run(), people.near.run(), people.poll())]
    async with people.visitor:
        try:
            await asyncio.wait_for(people.near.ears.first.wait(), 60)
            async with asyncio.timeout(60):
                while len(people.far.pieces) < 4:  # noqa: ASYNC110  # seconds that are recorded before anything happens
                    await asyncio.sleep(0.1)
            assert readiness(site)["disk"]["state"] == "ok"
            await fill(people, site, room, lambda: disk.leave((RESERVE_MB - 2) * MB), "slowly full", 1)
            await by_hand(taken_over, site)
            await asyncio.sleep(1)
            await free(people, disk, "slowly full", 1)
            await fill(people, site, room, lambda: disk.leave(0), "full at once", 2)
            await free(people, disk, "full at once", 2)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def pauses(people: Listeners) -> list[tuple[float, float]]:
    """In seconds of room time, as everybody was told."""
    at = [message["at"] / 1000 for message in people.page.seen if str(message.get("type")).startswith("recording_")]
    return list(zip(at[::2], at[1::2], strict=True))


def check_sound(path: Path, start: float, away: list[tuple[float, float]], ends: float) -> list[float]:
    """Silence where recording was paused, the tone everywhere else. How long each silence is, in seconds."""
    size = peers.RATE // WINDOWS
    samples = np.concatenate([np.zeros(round(start * peers.RATE), np.int16), peers.read_clip(path)])
    loud = np.abs(samples[: len(samples) // size * size].reshape(-1, size)).max(axis=1) > 300

    def part(since: float, until: float) -> np.ndarray[Any, Any]:
        found: np.ndarray[Any, Any] = loud[round(since * WINDOWS) : round(until * WINDOWS)]
        return found

    since = float(np.flatnonzero(loud)[0]) / WINDOWS + 1
    silences = []
    for begin, end in away:
        assert goes_on(part(since, begin - EDGE)), f"{path.name}: a hole before {begin}"
        assert not part(begin + INSIDE, end - INSIDE).any(), f"{path.name}: sound in a pause from {begin} to {end}"
        assert part(end, end + EDGE).any(), f"{path.name}: it is not back soon after {end}"
        silences.append(float(np.sum(~part(begin - 1, end + 1))) / WINDOWS)
        since = end + EDGE
    assert goes_on(part(since, ends - 2.5)), f"{path.name}: a hole at the end"
    return silences


def mails() -> list[str]:
    """All that was sent."""
    return [path.read_text() for path in Path(settings.MAIL_FOLDER).glob("*")]


def goes_on(loud: np.ndarray[Any, Any]) -> bool:
    """Whether there is sound, but for the short holes that a busy machine makes: mostly, and never gone for long."""
    edges = np.diff(np.concatenate([[0], ~loud, [0]]).astype(int))
    holes = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
    return bool(np.mean(loud) > 0.5 and max(holes, default=0) < WINDOWS)


@pytest.mark.alone
@pytest.mark.django_db(transaction=True)
def test_a_full_disk_stops_the_recording_and_nothing_else(site_on_it: Site, disk: SmallDisk, room: Room) -> None:
    person("nora")
    person("operator", is_superuser=True, is_staff=True)
    people = Listeners(site_on_it, room)
    log = LogTail(site_on_it.log("media"))
    asyncio.run(story(people, site_on_it, disk, room))
    actions.end_room(room.pk, room.host)
    recording = wait_until(lambda: Recording.objects.filter(room=room, state="ready").first(), 90, "finishing")
    room.refresh_from_db()
    lasted, away = room.room_time(room.ended_at) / 1000, pauses(people)
    assert len(away) == 2
    mix = recording.files.get(kind=RecordingFile.Kind.MIX)
    assert mix.duration_ms == pytest.approx(lasted * 1000, abs=60), "the mix is as long as the room"
    for file in (mix, *recording.files.filter(kind=RecordingFile.Kind.TRACK, seat__user__handle="nora")):
        silences = check_sound(Path(settings.RECORDINGS_DIR) / file.path, file.start_ms / 1000, away, lasted)
        say(f"{file.kind}: told {[round(end - begin, 1) for begin, end in away]} s, silent {silences} s")
    assert sum(end - begin for begin, end in away) - 1 < recording.missing_ms / 1000 < lasted and recording.has_gap
    wait_until(lambda: sum("operator@example.org" in text for text in mails()) >= 3, 60, "three mails")
    assert all(text.count("operator@example.org") == 1 for text in mails())
    assert len(mails()) == 3, "paused, going on, paused; that it goes on again already waits until it lasts"
    told = log.text()
    assert told.count("ERROR rooms.media.supervisor.disk recording is paused") == 3, "and by who took over"
    assert not store.window_folder(room.pk).exists(), "nothing is left in memory"
