"""Work that a fresh clone has to do once before its tests: make tables, compile tests. The workers of a run share it.

Without this each compiles all tests, at the same time as the others, and waits afterwards until one of them has made
the tables.
"""

from __future__ import annotations

import importlib
import os
import time
import warnings
from pathlib import Path

import pytest
from pytest_django.plugin import blocking_manager_key

from tests.support.workers import is_worker

TESTS = Path(__file__).resolve().parents[1]
LATER = 10  # nice value of workers that have less to do
TRIES, AGAIN = 100, 0.1  # without privileges Linux takes about ten changes a second, from all processes together
BROKEN = (Exception, SystemExit, pytest.skip.Exception, pytest.fail.Exception)  # what a module may raise


def pytest_sessionstart(session: pytest.Session) -> None:
    """Let the first worker make the tables, which takes longest, and each of the others import its share of the tests,
    which compiles them, before all workers read all tests. Only for a run of all tests, and not in a worker that takes
    the place of one that died."""
    if not is_worker() or session.config.args != session.config.getini("testpaths"):
        return
    number = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    others = int(os.environ["PYTEST_XDIST_WORKER_COUNT"]) - 1
    if number == 0:
        make_tables(session.config)
    elif number <= others:
        weigh(LATER)
        import_all(test_modules()[number - 1 :: others])


def pytest_collection_finish() -> None:
    if is_worker():
        weigh(0)


def make_tables(config: pytest.Config) -> None:
    """Make the tables. Where that fails it fails once more in the first test that needs them, which shows how."""
    from tests.support import migrated  # reads the settings, which have to wait for the services

    try:
        with config.stash[blocking_manager_key].unblock():
            migrated.make_tables()
    except Exception as error:
        warnings.warn(f"the tables cannot be made: {error!r}", stacklevel=1)


def weigh(nice: int) -> None:
    """Give the session of this worker a weight, as a nice value. A system that knows none only takes longer."""
    from transcripts.captions import priority

    if not priority.sessions_are_weighed():
        return
    for _try in range(TRIES):
        if priority.AUTOGROUP.read_text().endswith(f"nice {nice}\n") or priority.set_session(nice):
            return
        time.sleep(AGAIN)


def test_modules() -> list[str]:
    """The names of all modules of tests."""
    files = sorted(TESTS.rglob("test_*.py"))
    return [".".join(file.relative_to(TESTS.parent).with_suffix("").parts) for file in files]


def import_all(names: list[str]) -> None:
    """Import modules. One that cannot be imported is left to pytest, which shows where it fails."""
    for name in names:
        try:
            importlib.import_module(name)
        except BROKEN as error:
            warnings.warn(f"{name} cannot be imported: {error!r}", stacklevel=1)
