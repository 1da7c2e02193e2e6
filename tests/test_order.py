"""The order of tests: what it names is there, and what waits goes to the worker beside those that have a core each."""

from __future__ import annotations

from pathlib import Path

from tests.support.order import LONG, TOGETHER, WAITING, next_unit

ROOT = Path(__file__).resolve().parent.parent


def test_what_is_named_is_there() -> None:
    named = {*WAITING, *TOGETHER, *LONG} - set(TOGETHER.values())
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_what_waits_is_for_the_worker_beside_the_others() -> None:
    waiting = sorted(WAITING)[0]
    units = ["tests/a.py", f"{waiting} (2)", "tests/b.py", "tests/c.py"]
    assert next_unit(units, beside=True) == f"{waiting} (2)"
    assert next_unit(units[1:], beside=False) == "tests/b.py"
    assert next_unit(["tests/b.py", "tests/c.py"], beside=True) == "tests/c.py", "the shortest of the others"
    assert next_unit([waiting], beside=False) == waiting, "nobody idles"
