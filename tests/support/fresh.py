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

TESTS = Path(__file__).resolve().parents[1]
AUTOGROUP = Path("/proc/self/autogroup")  # the weight of this process' session, as a nice value
LATER = 10  # of who is waited for less long
TRIES, AGAIN = 50, 0.1  # without privileges a few are taken a second, of all processes together


def pytest_sessionstart(session: pytest.Session) -> None:
    """Let the first worker make the tables, which takes longest, and each of the others import its share of the tests,
    which compiles them, before all workers read all tests."""
    name = os.environ.get("PYTEST_XDIST_WORKER")
    others = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) - 1
    if name is None or not others:
        return
    number = int(name.removeprefix("gw"))
    if number:
        weigh(LATER)
        import_all(test_modules()[(number - 1) % others :: others])
        return
    from tests.support import migrated

    with session.config.stash[blocking_manager_key].unblock():
        migrated.make_tables()


def pytest_collection_finish() -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        weigh(0)


def weigh(nice: int) -> None:
    """Give the session of this worker a weight. A system that knows none only takes longer."""
    for _try in range(TRIES if AUTOGROUP.exists() else 0):
        try:
            AUTOGROUP.write_text(str(nice))
        except BlockingIOError:
            time.sleep(AGAIN)
        except OSError:
            return
        else:
            return


def test_modules() -> list[str]:
    """The names of all modules of tests."""
    files = sorted(TESTS.rglob("test_*.py"))
    return [".".join(file.relative_to(TESTS.parent).with_suffix("").parts) for file in files]


def import_all(names: list[str]) -> None:
    """Import modules. One that cannot be imported is left to pytest, which shows where it fails."""
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            warnings.warn(f"{name} cannot be imported: {error!r}", stacklevel=1)
