"""Before anything is served or done, a restored backup gets what it has forgotten; or nothing is."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.db import OperationalError

from config import celery as celery_app
from core import after_restore

pytestmark = pytest.mark.django_db(transaction=True)


class Steps:
    """A step that a test has registered: how often it ran, and what it raises."""

    def __init__(self) -> None:
        self.runs = 0
        self.raises: Exception | None = None

    def __call__(self, now: datetime) -> str:
        self.runs += 1
        if self.raises is not None:
            raise self.raises
        return ""


@pytest.fixture
def step(monkeypatch: pytest.MonkeyPatch) -> Iterator[Steps]:
    made = Steps()
    after_restore.after_restore.register("test")(made)
    monkeypatch.setattr(after_restore, "_applied_to", None)
    monkeypatch.setattr(after_restore, "RETRY_SECONDS", 0.0)
    yield made
    after_restore.after_restore.unregister("test")


def test_a_step_that_fails_stops_the_process(step: Steps) -> None:
    step.raises = ValueError("not there")
    with pytest.raises(ValueError, match="not there"):
        after_restore.begin()
    with pytest.raises(SystemExit, match="nothing is done: not there"):
        celery_app.on_worker_init()


def test_nothing_is_applied_where_a_check_refuses(step: Steps) -> None:
    def refuse() -> None:
        raise LookupError("who are you?")

    after_restore.restore_checks.register("test")(refuse)
    try:
        with pytest.raises(LookupError):
            after_restore.apply()
    finally:
        after_restore.restore_checks.unregister("test")
    assert step.runs == 0


def test_a_database_that_is_away_is_waited_for(step: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    real, tries = after_restore.identity, []

    def away_twice() -> after_restore.Identity:
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError
        return real()

    monkeypatch.setattr(after_restore, "identity", away_twice)
    after_restore.begin()
    assert (len(tries), step.runs) == (3, 1)
    tries.clear()
    after_restore.begin(wait=False)
    assert (len(tries), step.runs) == (1, 1), "live sound does not wait"


def test_a_task_looks_once_and_applies_where_the_database_is_another(
    step: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []

    class Noting(celery_app.AfterRestoreTask):
        name = "tests.after_restore"

        def run(self, number: int) -> None:
            done.append(number)

    Noting.bind(celery_app.app)
    task = Noting()
    task(1)
    assert (done, step.runs) == ([1], 0), "a process that serves nobody looks at nothing"
    after_restore.begin()
    task(2)
    assert (done, step.runs) == ([1, 2], 1)
    monkeypatch.setattr(after_restore, "identity", lambda: ("another",))
    step.raises = ValueError("not there")
    with pytest.raises(ValueError, match="not there"):
        task(3)
    assert done == [1, 2], "no task before it was applied"
    step.raises = None
    task(4)
    task(5)
    assert (done, step.runs) == ([1, 2, 4, 5], 3)


def test_workers_run_tasks_that_look(step: Steps) -> None:
    for task in celery_app.app.tasks.values():
        if not task.name.startswith("celery."):
            assert isinstance(task, celery_app.AfterRestoreTask), task.name
