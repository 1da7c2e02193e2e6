"""Which worker of a run gets what, and when: what is timed, on one worker; what starts browsers or the site; then what
is alone, on two. Beside all of these the last worker runs what needs no more than a database, and takes only what is
left of the cores.

Browsers wait now and then, and what is timed or alone waits for sound more than it computes: else a tenth of two cores
would be idle beside browsers, and a third to a half beside what measures.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

from tests.support.order import Stage, runs_of, stage_of

# The workers that measure sound: a pair computes two thirds of what two cores can, and of three sound comes late.
OF_SOUND = ("gw0", "gw1")[: len(os.sched_getaffinity(0))]
STAGES = "STAMTAFEL_TEST_STAGES"  # names the file by which workers tell the stage of each test, which xdist does not
LEAST = 19  # the nice value of a session that takes what is left
LOOK = 1.0  # seconds until who gives way looks for what it started since
LOOK_AGAIN = 0.1  # … where something of that was refused


# --- in the process that hands tests out ------------------------------------------------------------------------------


class InStages(LoadFileScheduling):  # type: ignore[misc]
    """Gives units out in the order of the collection, stage by stage.

    A worker keeps its last test until it gets another one or is told to end.
    """

    _units: dict[str, str] | None = None
    _stages: dict[str, Stage]  # of each unit

    def _split_scope(self, nodeid: str) -> str:
        if self._units is None:
            stages = [Stage(number) for number in json.loads(Path(os.environ[STAGES]).read_text())]
            self._units = runs_of(self.collection, stages)
            self._stages = {self._units[nodeid]: stage for nodeid, stage in zip(self.collection, stages, strict=True)}
        return self._units[nodeid]

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Give out the unit that comes next for a worker, if there is one."""
        unit = self._next(node)
        if unit is not None:
            self.workqueue.move_to_end(unit, last=False)
            super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        """A worker holds one test beside the one that it runs: with two, some would wait while another worker ends."""
        if node.shutting_down or node not in self.registered_collections:  # it takes the place of one that died
            return
        if not self.workqueue:
            node.shutdown()
        elif self._pending_of(self.assigned_work[node]) < 2:
            self._assign_work_unit(node)

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        """Let the others go on, too, that waited for this test. Of a worker that dies its unfinished units are given to
        another, so finished ones are forgotten."""
        super().mark_test_complete(node, item_index, duration)
        work = self.assigned_work[node]
        unit = self._split_scope(self.registered_collections[node][item_index])
        if all(work[unit].values()):
            del work[unit]
        for other in self.nodes:
            self._reschedule(other)

    def _next(self, node: WorkerController) -> str | None:
        """The next unit of a worker; None where it has to wait, or gets no more and was told to end."""
        left: defaultdict[Stage, list[str]] = defaultdict(list)
        for unit in self.workqueue:
            left[self._stages[unit]].append(unit)
        timed, parts, alone, plain = (left[stage] for stage in Stage)
        if not self._is_aside(node):
            if any(self._left_of(Stage.TIMED, other) for other in self.nodes if other is not node):
                return None
            if timed:
                return timed[0] if self._is_of_sound(node) else None
            if parts:
                return parts[0]
        if alone and self._is_of_sound(node) and not self._is_aside(node):
            if not self._others_start_parts(node):
                return alone[0]
            return plain[-1] if plain else None  # the shortest, because it runs at full speed
        if not plain:
            node.shutdown()
            return None
        return plain[0]

    def _is_aside(self, node: WorkerController) -> bool:
        """Whether a worker only takes what is left of the cores, from the start: the last of four, if there is anything
        for it to do."""
        is_last = self.numnodes > 3 and node.gateway.id == f"gw{self.numnodes - 1}"
        return is_last and Stage.PLAIN in self._stages.values()

    def _is_of_sound(self, node: WorkerController) -> bool:
        """Whether a worker gets what is alone: where xdist ended those that should, because it has fewer units than
        workers, all others do."""
        return is_of_sound(node.gateway.id, self.numnodes) or not any(
            is_of_sound(other.gateway.id, self.numnodes) for other in self.nodes
        )

    def _others_start_parts(self, node: WorkerController) -> bool:
        """Whether other workers have parts to do, but for the test that one of sound keeps."""
        others = (other for other in self.nodes if other is not node)
        return any(self._left_of(Stage.PARTS, other) > self._is_of_sound(other) for other in others)

    def _left_of(self, stage: Stage, node: WorkerController) -> int:
        units = self.assigned_work[node].items()
        return sum(not done for unit, tests in units if self._stages[unit] is stage for done in tests.values())


def is_of_sound(worker: str, number: int) -> bool:
    """Whether a worker of so many gets what is timed or alone: the first two, and those that take the place of one that
    died."""
    return worker in OF_SOUND or int(worker.removeprefix("gw")) >= number


def pytest_configure(config: pytest.Config) -> None:
    """Name the file before the workers are started, and let each of these be a session, which Linux weighs."""
    if is_worker():
        os.setsid()
    elif config.getoption("dist", "no") == "loadfile":
        handle, os.environ[STAGES] = tempfile.mkstemp(prefix="stamtafel-stages-")
        os.close(handle)


def pytest_keyboard_interrupt() -> None:
    """Hand a terminal's Ctrl-C on: it does not reach other sessions."""
    if STAGES in os.environ and not is_worker():
        for worker in children()[os.getpid()]:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGINT)


def pytest_unconfigure() -> None:
    if not is_worker() and (file := os.environ.pop(STAGES, None)):
        Path(file).unlink(missing_ok=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Any:
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return InStages(config, log)


# --- in a worker ------------------------------------------------------------------------------------------------------


_stages: list[Stage] = []  # of all tests of the run
_sound_began = False  # in this worker
_look_at = 0.0  # time.monotonic()


def is_worker() -> bool:
    """Whether this process is a worker of a run in stages."""
    return STAGES in os.environ and "PYTEST_XDIST_WORKER" in os.environ


@pytest.hookimpl(tryfirst=True)  # before xdist says that this worker is ready
def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell the stages of all tests. Every worker tells the same."""
    if is_worker():
        _stages.extend(stage_of(item) for item in session.items)
        draft = Path(f"{os.environ[STAGES]}.{os.getpid()}")
        draft.write_text(json.dumps(_stages))
        draft.replace(os.environ[STAGES])


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let what measures go first, in a run that has both. Without privileges it cannot be taken back, and need not: a
    worker that does so gets nothing of another stage any more."""
    global _sound_began, _look_at
    if not is_worker():
        return
    stage = stage_of(item)
    _sound_began |= stage is Stage.ALONE
    worker, number = os.environ["PYTEST_XDIST_WORKER"], int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    waits = is_of_sound(worker, number) and not _sound_began
    measured = not {Stage.TIMED, Stage.ALONE}.isdisjoint(_stages)
    if stage is Stage.PLAIN and measured and not waits and time.monotonic() > _look_at:
        _look_at = time.monotonic() + (LOOK if give_way() else LOOK_AGAIN)


def give_way() -> bool:
    """Have this process, and all that it started, take what is left; returns whether nothing has to be tried again.
    Linux weighs sessions against each other (`man 7 sched`, autogroup), and each process of the site is one, so every
    session is set; where it does not, the policy of threads counts. What PostgreSQL starts for a new connection has a
    session of normal weight until this is done again. A system that refuses all that only makes sound come late."""
    done = True
    for process in family():
        with suppress(OSError):
            for thread in (process / "task").iterdir():
                with suppress(OSError):
                    os.sched_setscheduler(int(thread.name), os.SCHED_IDLE, os.sched_param(0))
        try:
            if f"nice {LEAST}\n" not in (process / "autogroup").read_text():
                (process / "autogroup").write_text(str(LEAST))
        except BlockingIOError:  # without privileges not more than ten a second, of all processes together
            done = False
        except OSError:  # it ended, or there is no such thing here
            continue
    return done


def family() -> Iterator[Path]:
    """The folders in /proc of this process and all that it started."""
    known = children()
    waiting = [os.getpid()]
    while waiting:
        process = waiting.pop()
        waiting += known[process]
        yield Path("/proc", str(process))


def children() -> defaultdict[int, list[int]]:
    """Return the processes that each one of this machine started and that did not end yet."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended
            found[int(status.read_bytes().rpartition(b")")[2].split()[1])].append(int(status.parent.name))
    return found
