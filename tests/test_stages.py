"""The order in which workers get tests (`tests.support.workers`)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.support import workers
from tests.support.order import Stage
from tests.support.workers import InStages


class Worker:
    """A worker that runs what it is given when the test says so."""

    shutting_down = False

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.given: list[int] = []
        self.ran = 0

    def send_runtest_some(self, indices: list[int]) -> None:
        self.given += indices

    def shutdown(self) -> None:
        self.shutting_down = True

    @property
    def may_run(self) -> bool:
        """Whether it has a test to run: the last one waits for another, or for the end."""
        return len(self.given) - self.ran > (0 if self.shutting_down else 1)


def units(**numbers: int) -> list[tuple[str, Stage]]:
    """Tests in files of two, so many files of each stage."""
    return [
        (f"tests/{stage}_{file}.py::test_{test}", Stage[stage.upper()])
        for stage, number in numbers.items()
        for file in range(number)
        for test in (1, 2)
    ]


def scheduled(
    tests: list[tuple[str, Stage]], names: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[InStages, list[Worker]]:
    kinds = folder / "stages"
    kinds.write_text(json.dumps([stage for _test, stage in tests]))
    monkeypatch.setenv(workers.STAGES, str(kinds))
    monkeypatch.setattr(workers, "OF_SOUND", ("gw0", "gw1"))
    config = SimpleNamespace(
        getvalue=lambda _name: names, option=SimpleNamespace(loadscopereorder=False), hook=SimpleNamespace()
    )
    scheduler = InStages(cast(Any, config))
    scheduler.numnodes = len(names)
    at_work = [Worker(name) for name in names]
    for worker in at_work:
        scheduler.add_node(cast(Any, worker))
        scheduler.add_node_collection(cast(Any, worker), [test for test, _stage in tests])
    scheduler.schedule()
    return scheduler, at_work


def run(scheduler: InStages, at_work: list[Worker], tests: list[tuple[str, Stage]]) -> list[tuple[str, Stage]]:
    """Let every worker run one test after another, in turns; returns who ran what."""
    ran = []
    while able := [worker for worker in at_work if worker.may_run]:
        for worker in able:
            index = worker.given[worker.ran]
            ran.append((worker.gateway.id, tests[index][1]))
            worker.ran += 1
            scheduler.mark_test_complete(cast(Any, worker), index)
            beside = {other.gateway.id for other in at_work if other.may_run}
            assert beside or not scheduler.has_pending, "everybody waits"
    return ran


@pytest.mark.parametrize(
    "names",
    [
        ["gw0", "gw1", "gw2"],
        ["gw2", "gw1", "gw0"],
        ["gw0", "gw1"],
        ["gw0"],
        ["gw3", "gw4"],
        ["gw3", "gw0", "gw2", "gw1"],
    ],
)
@pytest.mark.parametrize(
    "numbers",
    [
        {"parts": 5, "alone": 4, "plain": 9},
        {"parts": 5, "alone": 9, "plain": 1},
        {"parts": 1, "alone": 1, "plain": 20},
        {"alone": 3, "plain": 3},
        {"parts": 3, "plain": 3},
        {"plain": 7},
        {"alone": 1},
        {"timed": 2, "parts": 5, "alone": 4, "plain": 9},
        {"timed": 1, "plain": 5},
        {"timed": 3},
    ],
)
def test_every_test_is_run_and_sound_by_two_workers_after_all_parts(
    names: list[str], numbers: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = units(**numbers)
    scheduler, at_work = scheduled(tests, names, tmp_path, monkeypatch)
    ran = run(scheduler, at_work, tests)
    assert sorted(index for worker in at_work for index in worker.given) == list(range(len(tests)))
    assert len(ran) == len(tests)
    of_sound = {name for name, stage in ran if stage is Stage.ALONE}
    enough = len(tests) // 2 >= len(names)  # else xdist ends workers at once, whichever they are
    assert of_sound <= {"gw0", "gw1"} or not {"gw0", "gw1"} & set(names) or not enough
    timed = [name for name, stage in ran if stage is Stage.TIMED]
    others = [(name, stage) for name, stage in ran if stage is not Stage.PLAIN]
    assert others[: len(timed)] == [(name, Stage.TIMED) for name in timed[:1] * len(timed)], "one worker, first"
    assert plain_beside_timed(ran) <= ({"gw3"} if len(names) > 3 else set())
    if Stage.ALONE in dict(ran).values():
        first = next(at for at, (_name, stage) in enumerate(ran) if stage is Stage.ALONE)
        # Of each other worker at most the test that it kept.
        assert sum(stage is Stage.PARTS for _name, stage in ran[first:]) < len(names)
    for name in names:
        # Whoever gives way once does so for good: it gets nothing of another stage.
        own = [stage for who, stage in ran if who == name]
        if Stage.ALONE in own:
            own = own[own.index(Stage.ALONE) :]
        assert own == sorted(own)


def plain_beside_timed(ran: list[tuple[str, Stage]]) -> set[str]:
    """The workers that ran plain tests before all that is timed was over."""
    last = max((at for at, (_name, stage) in enumerate(ran) if stage is Stage.TIMED), default=0)
    return {name for name, stage in ran[:last] if stage is Stage.PLAIN}


def test_tests_of_workers_that_die_go_to_those_that_take_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = units(parts=2, alone=4, plain=4)
    names = [test for test, _stage in tests]
    scheduler, at_work = scheduled(tests, ["gw0", "gw1", "gw2"], tmp_path, monkeypatch)
    for dead in at_work[:2]:
        scheduler.remove_node(cast(Any, dead))
    new = Worker("gw3")
    scheduler.add_node(cast(Any, new))
    last = at_work[2]
    while last.may_run:  # while the new one reads all tests
        scheduler.mark_test_complete(cast(Any, last), last.given[last.ran])
        last.ran += 1
    assert not new.given
    scheduler.add_node_collection(cast(Any, new), names)
    scheduler.schedule()
    ran = run(scheduler, [new, last], tests)
    assert [stage for _who, stage in ran].count(Stage.ALONE) == 8
    assert {who for who, stage in ran if stage is Stage.ALONE} == {"gw3"}
    assert not scheduler.has_pending and new.shutting_down and last.shutting_down


def test_what_is_timed_has_only_plain_tests_beside_it_where_its_worker_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = units(timed=1, parts=3, plain=3)
    scheduler, at_work = scheduled(tests, ["gw0", "gw1", "gw2", "gw3"], tmp_path, monkeypatch)
    assert [bool(worker.given) for worker in at_work] == [True, False, False, True]
    scheduler.remove_node(cast(Any, at_work[0]))
    ran = run(scheduler, at_work[1:], tests)
    others = [(who, stage) for who, stage in ran if stage is not Stage.PLAIN]
    assert others[:2] == [("gw1", Stage.TIMED)] * 2 and Stage.TIMED not in [stage for _who, stage in others[2:]]
    assert plain_beside_timed(ran) <= {"gw3"}
    assert len(ran) == len(tests)


GIVES_WAY = """
import subprocess, sys, time
started = subprocess.Popen(["sleep", "60"], start_new_session=bool(int(sys.argv[1])))
from tests.support.workers import give_way
while not give_way():
    time.sleep(0.2)
print(started.pid, flush=True)
input()
"""


@pytest.mark.parametrize("session", [False, True])
def test_what_gives_way_does_so_with_all_that_it_started(session: bool) -> None:
    """In a process of its own, as it cannot be taken back."""
    process = subprocess.Popen(
        [sys.executable, "-c", GIVES_WAY, str(int(session))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        cwd=Path(__file__).parents[1],
    )
    assert process.stdout is not None
    family = [process.pid]
    try:
        family.append(int(process.stdout.readline()))
        assert [os.sched_getscheduler(pid) for pid in family] == [os.SCHED_IDLE] * 2
        if Path("/proc/self/autogroup").exists():
            assert all(f"nice {workers.LEAST}\n" in Path(f"/proc/{pid}/autogroup").read_text() for pid in family)
    finally:
        for pid in reversed(family):
            os.kill(pid, signal.SIGKILL)
        process.communicate()
