"""Kills of processes in the middle of a room, and their cost: one story for the tests (`test_kills`) and the bench.

Everything runs under the real process manager, which alone starts again what dies.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import redis
from django.conf import settings

from rooms.guests import peers
from rooms.models import Room
from rooms.recording import store
from rooms.recording.finishing import mixes, pieces
from rooms.recording.hls import playlists
from tests.rooms.media.company import HEARD, Company, longest, loudness
from tests.support.managed import Managed

WITHIN = 10.0  # seconds until people hear again
AT_LEAST = 3.0  # seconds to watch: an outage may begin late
LONGEST = 45.0  # seconds to watch an outage that does not end in time
UNFINISHED = 1.5  # seconds; a recorder that dies takes its piece, of one second, with it
PIECE = 1.1  # seconds; one that is ended while it finishes may leave a piece that its list does not name
EDGE = 0.15  # seconds; the mix is looked at in tenths
NEARLY = 1.0  # seconds; tenths are counted, and on a busy machine packets come too late
IN_ALL = 3.0  # the same for the whole story
HOLE = 0.3  # seconds; what is silent for less is such a machine's own, and nothing that was killed
MUTED_WITHIN = 2.0  # seconds from the host's mute, taken, to silence
IN_HAND = 0.32  # seconds; a listener whose sound stopped has up to 16 packets still, and plays them when it goes on
_VERBS_EVERY = 0.4
_BLOCK = 5  # frames: a tenth of a second
Hole = tuple[float, float]  # seconds since 1970


@dataclass
class Seen:
    """One kill: seconds without sound near, without a new piece far, until verbs worked, missing in the recording."""

    name: str
    opened: float  # from here on Mona may be heard, until `muted_at`
    at: float = 0.0
    muted_at: float = 0.0
    near: float = 0.0
    far: float = 0.0
    verbs: float = 0.0
    mute: float = 0.0  # seconds that the muted speaker is heard near, from the host's mute on
    late: float = 0.0  # of them, those that came when she should long have been silent
    missing: float = 0.0
    holes: list[Hole] = field(default_factory=list)  # in the finished mix, where the recorder was away
    unheard: float = 0.0  # seconds without the speaker's tone in the finished mix, outside of these
    unsaid: float = 0.0  # seconds without it near, in the same time
    leaked: float = 0.0  # seconds of the muted speaker's tone in it, from the host's mute on

    @property
    def lost(self) -> float:
        """Seconds that the finished recording does not have."""
        return sum(end - begin for begin, end in self.holes)

    @property
    def by_ear(self) -> float:
        """Seconds in which the speaker is not heard in it, for whatever reason."""
        return self.lost + self.unheard

    def line(self) -> str:
        """As the figures are shown."""
        return (
            f"{self.name:24}near silent {self.near:4.1f} s   far waits {self.far:4.1f} s   verbs after"
            f" {self.verbs:4.1f} s   mute takes {self.mute:4.1f} s   recording misses {self.missing:4.1f} s"
        )


def kills(managed: Managed) -> dict[str, Callable[[], object]]:
    """Each part that may die, by name."""

    def signal_ffmpeg(word: str, number: signal.Signals) -> None:
        for pid in managed.ffmpegs(word):
            os.kill(pid, number)

    return {
        "recorder": lambda: signal_ffmpeg("-f hls", signal.SIGKILL),
        "recorder hangs": lambda: signal_ffmpeg("-f hls", signal.SIGSTOP),
        "leveller": lambda: signal_ffmpeg("libopus", signal.SIGKILL),
        "supervisor": lambda: os.kill(active_supervisor(), signal.SIGKILL),
        "supervisor and standby": lambda: managed.kill("media", "standby"),
        "Janus": lambda: managed.kill("janus"),
        "web": lambda: managed.kill("web"),
        "workers and beat": lambda: managed.kill("clock", "work", "speech", "beat"),
        "Redis": lambda: managed.kill("redis"),
        "PostgreSQL": lambda: managed.kill("postgres"),
    }


def active_supervisor() -> int:
    """Of the two, the one that works now."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        sign = client.get(settings.REDIS_PREFIX + "media:heartbeat")
    assert isinstance(sign, bytes)
    return int(json.loads(sign)["pid"])


async def suffer(company: Company, managed: Managed, name: str, kill: Callable[[], object]) -> Seen:
    """Kill something while three speak, mute one of them meanwhile, and watch until all is well again."""
    seen = Seen(name, opened=time.time())
    await company.open_mona()
    missed = recorded_gap(company.room.pk)
    seen.at = time.time()
    await asyncio.to_thread(kill)
    await company.say("mute", user="mona")
    seen.muted_at = time.time()
    seen.verbs = seen.muted_at - seen.at
    ends = seen.at + LONGEST
    while time.time() < ends and (time.time() < seen.at + AT_LEAST or not company.all_is_well()):
        await company.host.ask("mute" if int(time.time() * 2) % 2 else "unmute")
        await asyncio.sleep(_VERBS_EVERY)
    now = time.time()
    seen.near = company.ears.longest_gap("nora", seen.at, now)
    before = max((at for at in company.far_at if at <= seen.at), default=seen.at)
    seen.far = longest([before, *(at for at in company.far_at if at > seen.at), now])
    seen.verbs = max(seen.verbs, company.host.back - seen.at)
    seen.mute = company.ears.seconds("mona", seen.muted_at, now)
    seen.late = company.ears.seconds("mona", seen.muted_at + MUTED_WITHIN, now)
    seen.missing = recorded_gap(company.room.pk) - missed
    await _tidy(managed, name)
    return seen


async def _tidy(managed: Managed, name: str) -> None:
    """One recorder, one leveller, and nobody whose parent is gone; who was told so by a closed pipe gets a moment."""
    ends = time.monotonic() + 20
    while True:
        recorders, levellers = managed.ffmpegs("-f hls"), managed.ffmpegs("libopus")
        orphans = managed.orphans()
        if len(recorders) == len(levellers) == 1 and not orphans:
            return
        assert len(recorders) <= 1, f"{name}: two recorders"
        assert time.monotonic() < ends, f"{name}: recorders {recorders}, levellers {levellers}, orphans {orphans}"
        await asyncio.sleep(0.2)


def is_soon_over(seen: Seen) -> bool:
    """Whether all that takes time was done in it; a machine that is busy at that moment may be late once."""
    return max(seen.near, seen.far, seen.verbs, seen.missing) < WITHIN


def check(seen: Seen) -> None:
    """Goal 5, for one kill."""
    assert is_soon_over(seen), f"{seen.name}: people, verbs or the recording were away for too long"
    check_mute(seen)


def check_mute(seen: Seen) -> None:
    """Check the conditions that hold however long the recovery takes."""
    assert seen.mute < MUTED_WITHIN, f"{seen.name}: a mute made meanwhile"
    assert seen.late <= IN_HAND, f"{seen.name}: who was muted is heard again"
    assert seen.missing >= 0, f"{seen.name}: the recording"


# --- what remains ---------------------------------------------------------------------------------------------------


def recorded_gap(room_pk: int) -> float:
    """Seconds that the recording misses between its runs, by the lists."""
    neighbours = itertools.pairwise(playlists.parse(store.playlist_texts(room_pk)))
    return sum((after.at - before.end).total_seconds() for before, after in neighbours if after.run != before.run)


def recorded_times(room_pk: int) -> list[Hole]:
    """When there is sound of the recorder on the disk, whether a list names it or not: beginnings and ends, in seconds
    since 1970, as they are laid into the mix."""
    folder = store.hls_folder(room_pk)
    listed: dict[int, list[playlists.Segment]] = {}
    for segment in playlists.parse(store.playlist_texts(room_pk)):
        listed.setdefault(segment.run, []).append(segment)
    times = []
    for run in sorted({*listed, *pieces.runs_on_disk(folder)}):
        for stretch in pieces.stretches(folder, run, listed.get(run, [])):
            init = folder / playlists.init_name(run)
            sound = b"".join(path.read_bytes() for path in (init, *stretch.paths))
            with av.open(io.BytesIO(sound), "r") as container:
                packets = sum(packet.size > 0 and not packet.is_corrupt for packet in container.demux(audio=0))
            times.append((stretch.at.timestamp(), stretch.at.timestamp() + packets * mixes.FRAME / mixes.RATE))
    return times


class Mix:
    """The finished recording as one hears it: who speaks in which tenth of a second of room time."""

    def __init__(self, room: Room, path: Path) -> None:
        assert room.started_at is not None
        self.started = room.started_at.timestamp()
        samples = read_sound(path)
        self.seconds = len(samples) / peers.RATE
        self.heard = {name: self._blocks(loudness(samples, name)) for name in ("nora", "mona", "lena")}

    @staticmethod
    def _blocks(frames: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Heard in a tenth of a second: in more than a frame or two of it."""
        blocks = frames[: len(frames) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
        heard: np.ndarray[Any, Any] = np.median(blocks, axis=1) > HEARD
        return heard

    def silence(self, name: str, since: float, until: float, but_for: Sequence[Hole] = ()) -> float:
        """Seconds without somebody's tone between two moments, in holes long enough to be heard as such, and outside of
        those that are known."""
        silent = ~self._between(name, since, until)
        for begin, end in but_for:
            first, last = (max(0, round((moment - since) * 10)) for moment in (begin - EDGE, end + EDGE))
            silent[first:last] = False
        edges = np.diff(np.concatenate([[0], silent, [0]]).astype(int))
        lengths = (np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)) / 10
        return float(lengths[lengths >= HOLE].sum())

    def said(self, name: str, since: float, until: float) -> float:
        """Seconds with it."""
        return float(np.sum(self._between(name, since, until)) / 10)

    def _between(self, name: str, since: float, until: float) -> np.ndarray[Any, Any]:
        first, last = (max(0, round((moment - self.started) * 10)) for moment in (since, until))
        return self.heard[name][first:last]


def read_sound(path: Path) -> peers.Samples:
    """A finished file, decoded."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=peers.RATE)
    with av.open(str(path)) as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]).astype(np.int16)


def listen(company: Company, kills_seen: list[Seen], mix: Mix) -> None:
    """Note by ear what each kill cost the recording; what a recorder had not finished was said before the kill."""
    ended = mix.started + mix.seconds
    holes = [(end, begin) for (_begin, end), (begin, _end) in itertools.pairwise(recorded_times(company.room.pk))]
    moments = [*(seen.at - UNFINISHED for seen in kills_seen), ended - 1]
    until_next = [*(seen.at for seen in kills_seen[1:]), ended]
    for seen, next_at, (since, until) in zip(kills_seen, until_next, itertools.pairwise(moments), strict=True):
        seen.holes = [hole for hole in holes if seen.at < hole[1] <= next_at]  # a run that begins anew does so then
        seen.unheard = mix.silence("nora", since, until, holes)
        # What the near listener did not hear either did not reach Janus: it was away, or the speaker was.
        seen.unsaid = company.ears.silence("nora", since, until)
        seen.leaked = mix.said("mona", seen.muted_at, seen.muted_at + MUTED_WITHIN)
    assert sum(len(seen.holes) for seen in kills_seen) == len(holes), "a recorder began anew without a kill"


def judge(company: Company, kills_seen: list[Seen], mix: Mix) -> None:
    """The recording has everything but the gaps that were printed, and nobody in it who was muted."""
    for seen in kills_seen:
        assert seen.missing - PIECE <= seen.lost <= seen.missing + EDGE, (
            f"{seen.name}: {seen.lost:.1f} s are missing, and {seen.missing:.1f} s by the lists"
        )
        heard = [mix.said("nora", begin + EDGE, end - EDGE) for begin, end in seen.holes]
        assert sum(heard) == 0, f"{seen.name}: {sum(heard):.1f} s are heard of what is said to be missing"
        assert seen.unheard <= seen.unsaid + NEARLY, (
            f"{seen.name}: {seen.unheard:.1f} s are not heard beside the {seen.lost:.1f} s that are said to be missing"
        )
    ended = mix.started + mix.seconds
    before = company.began, kills_seen[0].at - UNFINISHED
    assert mix.silence("nora", *before) <= company.ears.silence("nora", *before) + NEARLY, "silence before any kill"
    holes = [hole for seen in kills_seen for hole in seen.holes]
    unheard = mix.silence("nora", company.began, ended - 1, holes)
    unsaid = company.ears.silence("nora", company.began, ended - 1)
    assert unheard <= unsaid + IN_ALL, f"{unheard:.1f} s are not heard in all beside what is said to be missing"
    assert mix.said("lena", company.began + 2, ended) == 0, "who was muted all the time is in the recording"
    opened = [*(seen.opened for seen in kills_seen[1:]), ended]
    for seen, until in zip(kills_seen, opened, strict=True):
        assert mix.said("mona", seen.muted_at + MUTED_WITHIN, until) == 0, f"{seen.name}: a mute is in the recording"


def lena_was_silent(company: Company) -> None:
    """Neither near nor far heard who was muted by the host before anything was killed."""
    assert company.ears.last("lena") < company.lena_silent_from, "a mute must outlive whatever is killed"
    first = company.far.pieces[min(company.far.pieces)]
    heard = loudness(company.far.samples(), "lena") > HEARD
    since = max(0, round((company.lena_silent_from - first.at.timestamp()) * peers.RATE / peers.FRAME))
    assert not np.any((heard[1:] & heard[:-1])[since:]), "heard by HLS"
