"""Hooks: names are taken once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from core import hooks
from core.hooks import Hook


@pytest.fixture
def hook() -> Iterator[Hook[Callable[[], str]]]:
    yield Hook("test.hook")
    del hooks._declared["test.hook"]


def test_what_is_registered_is_found_by_name_and_in_order(hook: Hook[Callable[[], str]]) -> None:
    hook.register("b")(lambda: "2")
    hook.register("a")(lambda: "1")
    assert [(key, run()) for key, run in hook.items()] == [("b", "2"), ("a", "1")]
    assert [run() for run in hook.values()] == ["2", "1"]
    assert hook.get("c") is None
    hook.unregister("b")
    assert [key for key, _run in hook.items()] == ["a"]


def test_a_name_is_taken_once(hook: Hook[Callable[[], str]]) -> None:
    first = hook.register("a")(lambda: "1")
    assert hook.register("a")(first) is first
    with pytest.raises(ValueError, match="registered twice"):
        hook.register("a")(lambda: "2")
    with pytest.raises(ValueError, match="declared twice"):
        Hook("test.hook")
