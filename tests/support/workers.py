"""Which worker of a run gets what, and when: browsers, the site and Whisper first, then what is alone, on two workers.
Beside all that the last worker runs what needs no more than a database, and takes only what is left of the cores.

Browsers wait now and then, and what is alone waits for sound more than it computes: a tenth, and then a third of two
cores would have nothing to do.
"""

from __future__ import annotations

import json
import os
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

# The workers that measure sound: a pair computes three quarters of what two cores can, and of three sound comes late.
OF_SOUND = ("gw0", "gw1")[: len(os.sched_getaffinity(0))]
STAGES = "STAMTAFEL_TEST_STAGES"  # names the file by which workers tell the stage of each test, which xdist does not
LEAST = 19  # the nice value of a session that takes what is left
LOOK = 1.0  # seconds until who gives way looks for what it started since


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
        """Give out the first unit that the worker may have; at the start every one gets one."""
        unit = self._next(node)
        if unit is not None:
            self.workqueue.move_to_end(unit, last=False)
            super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        """A worker holds one test beside the one that it runs: with two, some would wait while another worker ends."""
        if node.shutting_down:
            return
        if not self.workqueue:
            node.shutdown()
        elif self._pending_of(self.assigned_work[node]) < 2:
            self._assign_work_unit(node)

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        """Let the others go on, too, that waited for this test."""
        super().mark_test_complete(node, item_index, duration)
        for other in self.nodes:
            self._reschedule(other)

    def _next(self, node: WorkerController) -> str | None:
        """The next unit of a worker; None where it has to wait, or gets no more and was told to end."""
        left: dict[Stage, str] = {}
        for unit in self.workqueue:
            left.setdefault(self._stages[unit], unit)
        if Stage.PARTS in left and not self._is_aside(node):
            return left[Stage.PARTS]
        if Stage.ALONE in left and self._is_of_sound(node):
            return left.get(Stage.PLAIN) if self._others_start_parts(node) else left[Stage.ALONE]
        if Stage.PLAIN not in left:
            node.shutdown()
        return left.get(Stage.PLAIN)

    def _is_aside(self, node: WorkerController) -> bool:
        """Whether a worker only takes what is left of the cores, from the start: the last of four, if there is anything
        for it to do."""
        is_last = self.numnodes > 3 and node.gateway.id == f"gw{self.numnodes - 1}"
        return is_last and Stage.PLAIN in self._stages.values()

    def _is_of_sound(self, node: WorkerController) -> bool:
        """Whether a worker gets what is alone: two do, and all where these two died."""
        return node.gateway.id in OF_SOUND or all(other.gateway.id not in OF_SOUND for other in self.nodes)

    def _others_start_parts(self, node: WorkerController) -> bool:
        """Whether other workers have more to do of the first stage than the test that each keeps."""
        return any(self._left_of_parts(other) > 1 for other in self.nodes if other is not node)

    def _left_of_parts(self, node: WorkerController) -> int:
        units = self.assigned_work[node].items()
        return sum(not done for unit, tests in units if self._stages[unit] is Stage.PARTS for done in tests.values())


def pytest_configure(config: pytest.Config) -> None:
    """Name the file before the workers are started, and let each of these be a session, which Linux weighs."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.setsid()
        return
    handle, os.environ[STAGES] = tempfile.mkstemp(prefix="stamtafel-stages-")
    os.close(handle)


def pytest_unconfigure() -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        Path(os.environ.pop(STAGES)).unlink(missing_ok=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Any:
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return InStages(config, log)


# --- in a worker ------------------------------------------------------------------------------------------------------


_stages: list[Stage] = []  # of all tests of the run
_sound_began = False  # in this worker
_gave_way_at = 0.0


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell the stages of all tests. Every worker tells the same."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        _stages.extend(stage_of(item) for item in session.items)
        draft = Path(f"{os.environ[STAGES]}.{os.getpid()}")
        draft.write_text(json.dumps(_stages))
        draft.replace(os.environ[STAGES])


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let what is alone go first, in a run that has both. Without privileges it cannot be taken back, and need not: the
    worker that does so gets nothing of another stage any more."""
    global _sound_began, _gave_way_at
    if (worker := os.environ.get("PYTEST_XDIST_WORKER")) is None:
        return
    stage = stage_of(item)
    _sound_began |= stage is Stage.ALONE
    gives_way = stage is Stage.PLAIN and (_sound_began if worker in OF_SOUND else Stage.ALONE in _stages)
    if gives_way and time.monotonic() - _gave_way_at > LOOK:
        give_way()
        _gave_way_at = time.monotonic()


def give_way() -> None:
    """Have this process, and all that it started, take what is left. Linux weighs sessions against each other (`man 7
    sched`, autogroup), and each process of the site is one, so every session is set; where it does not, the policy of
    threads counts. What PostgreSQL starts for a new connection is a session until this is done again."""
    for process in family():
        with suppress(FileNotFoundError, ProcessLookupError):
            for thread in (process / "task").iterdir():
                os.sched_setscheduler(int(thread.name), os.SCHED_IDLE, os.sched_param(0))
        with suppress(OSError):  # not more than ten a second, but for root: the next test goes on with it
            if f"nice {LEAST}\n" not in (process / "autogroup").read_text():
                (process / "autogroup").write_text(str(LEAST))


def family() -> Iterator[Path]:
    """The folders in /proc of this process and all that it started."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended
            children[int(status.read_text().rpartition(")")[2].split()[1])].append(int(status.parent.name))
    waiting = [os.getpid()]
    while waiting:
        process = waiting.pop()
        waiting += children[process]
        yield Path("/proc", str(process))
