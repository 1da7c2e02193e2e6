"""The order of files, and the stages of a run with several workers.

Tests that use the shared site come before those for which it has to end: it starts once in each process that runs
tests. So a file that has both is two: its tests that use the site, and later the others. With several workers the
longest of either kind come first, so that none is alone at the end; `tests.support.workers` gives them out.

xdist's own order is by the number of tests, and the files that take minutes have few. Estimates need not be right, only
in the right order; a file that is not named is estimated by the real parts that its tests ask for.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable
from enum import IntEnum
from itertools import groupby

import pytest

# Seconds on a quiet machine that a test takes with what starts for it.
SECONDS = {"sounding": 20.0, "live_sound": 10.0, "chromium": 6.0, "site": 4.0, "web": 4.0, "transactional_db": 0.5}
SECONDS_PLAIN = 0.1
# What takes its time by itself: seconds for all tests of a unit.
LONG = {
    "whisper": 150.0,
    "whisper in time": 130.0,
    "tests/attacks/managed": 130.0,
    "tests/attacks/test_bad_input.py": 85.0,
    "tests/e2e/test_pages.py": 90.0,
    "tests/e2e/test_spoken.py": 80.0,
    "tests/retention/test_killed.py": 80.0,
    "tests/e2e/test_dashboard.py": 50.0,
    "tests/rooms/media/test_listen.py": 45.0,
    "tests/test_imports.py": 15.0,
    "tests/bench/test_benches.py": 30.0,
    "tests/flows/test_killed.py": 40.0,
    "tests/flows/test_appeals.py": 60.0,
    "tests/flows/test_unusual_appeals.py": 45.0,
    "tests/rooms/test_matrix_edges.py": 30.0,
    "tests/moderation/test_filing.py": 15.0,
    "tests/moderation/test_queue.py": 12.0,
    "tests/moderation/test_case_page.py": 10.0,
    "tests/rooms/test_api.py": 10.0,
    # Of those that are alone:
    "tests/e2e/test_story.py": 140.0,
    "tests/e2e/test_sound.py": 110.0,
    "tests/rooms/media/test_kills.py": 70.0,
    "tests/transcripts/test_word_times.py": 75.0,
    "tests/rooms/media/test_disk.py": 45.0,
    "tests/rooms/media/test_stage.py": 52.0,
    "tests/rooms/media/test_loudness.py": 37.0,
    "tests/e2e/test_stage_sound.py": 100.0,
    "tests/config/test_patience.py": 20.0,
    "tests/rooms/media/test_away.py": 29.0,
    "tests/rooms/media/test_taps.py": 24.0,
    "tests/rooms/media/test_voice.py": 26.0,
    "tests/attacks/test_foreign_packets.py": 15.0,
    "tests/e2e/test_restarts.py": 28.0,
    "tests/flows/test_live_report.py": 30.0,
    "tests/flows/test_suspended_hosts.py": 40.0,
    "tests/attacks/test_closed_account.py": 21.0,
}
# What goes to one worker as a whole: the beginning of a test's path, and the name of its unit.
TOGETHER = {
    # These share what is started once.
    "tests/attacks/managed/": "tests/attacks/managed",
    # These run Whisper, which reads all its weights for each word: several at once wait for the machine's memory.
    "tests/config/test_whisper_weights.py": "whisper",
    "tests/transcripts/captions/test_engine.py": "whisper",
    "tests/transcripts/test_ranges.py": "whisper",
    "tests/transcripts/test_whisper.py": "whisper",
    # And these in processes that have to be in time.
    "tests/transcripts/captions/test_process.py": "whisper in time",
    "tests/transcripts/test_heartbeat.py": "whisper in time",
    "tests/transcripts/test_workers.py": "whisper in time",
}
# What starts or measures processes, though no fixture says so.
STARTS = {
    "tests/attacks/managed",
    "tests/bench/test_benches.py",
    "tests/flows/test_killed.py",
    "tests/retention/test_killed.py",
    "tests/test_stages.py",
    "tests/transcripts/captions/test_priority.py",
    "whisper in time",
}
# What a test asks of the shared site, most first: what the next one needs as well goes on from one to the other.
SHARED = ("lent_site", "telling_site", "live_sound", "web")
ENDS = len(SHARED)
# What starts more than the test's own process, its database and Redis.
REAL_PARTS = {"chromium", "driver", "playwright", "services", "site", "sounding", "static_files", *SHARED}


class Stage(IntEnum):
    """The stages of a run. Those of the last go on beside all others, as far as these leave something of the cores."""

    TIMED = 0  # one at a time, beside plain tests only
    PARTS = 1  # start browsers, the site, or what has to be in time
    ALONE = 2
    PLAIN = 3


Place = tuple[Stage, int, str]  # a stage, how its tests use the site (`use_of_site`), and a file or what TOGETHER names


def name_of(nodeid: str) -> str:
    """The name of the unit that goes to one worker as a whole: a file, or what TOGETHER names."""
    return next((unit for path, unit in TOGETHER.items() if nodeid.startswith(path)), nodeid.partition("::")[0])


def runs_of(nodeids: Iterable[str], stages: Iterable[Stage]) -> dict[str, str]:
    """The unit of each test in the order of the collection: what comes in one run. The second of a name has its number,
    because it goes to whichever worker is free."""
    units: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for (_stage, name), run in groupby(zip(nodeids, stages, strict=True), lambda test: (test[1], name_of(test[0]))):
        seen[name] += 1
        units |= dict.fromkeys((nodeid for nodeid, _ in run), name if seen[name] == 1 else f"{name} ({seen[name]})")
    return units


def estimate(item: pytest.Item) -> float:
    names = getattr(item, "fixturenames", ())
    marker = item.get_closest_marker("django_db")
    commits = SECONDS["transactional_db"] if marker and marker.kwargs.get("transaction") else SECONDS_PLAIN
    return max([commits, *(seconds for name, seconds in SECONDS.items() if name in names)])


def use_of_site(item: pytest.Item) -> int:
    """0 where a test is lent all of the shared site, then those with a worker or live sound beside web, then web alone;
    ENDS where the shared site has to end for it."""
    names = set(getattr(item, "fixturenames", ()))
    if "site" in names or not names & {"lent_site", "web"}:
        return ENDS
    return next(place for place, name in enumerate(SHARED) if name in names)


def stage_of(item: pytest.Item) -> Stage:
    """The stage of a test."""
    for mark, stage in (("timed", Stage.TIMED), ("alone", Stage.ALONE)):
        if item.get_closest_marker(mark):
            return stage
    name = name_of(item.nodeid)
    starts = name in STARTS or not REAL_PARTS.isdisjoint(getattr(item, "fixturenames", ()))
    return Stage.PARTS if starts else Stage.PLAIN


def place_of(item: pytest.Item) -> Place:
    """The place of a test. What goes together stays so."""
    name = name_of(item.nodeid)
    return stage_of(item), ENDS if name in TOGETHER.values() else use_of_site(item), name


@pytest.hookimpl(trylast=True)  # after those that are not to run were taken out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort units by their use of the site and, where there are workers, by stage and length; the order within each
    stays."""
    places = {item: place_of(item) for item in items}
    lengths: defaultdict[Place, float] = defaultdict(float)
    for item, place in places.items():
        lengths[place] += estimate(item)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        items.sort(key=lambda item: places[item][1])
        return
    known = {place: LONG.get(place[2], length) for place, length in lengths.items()}
    items.sort(key=lambda item: (places[item][:2], -known[places[item]], places[item][2]))
