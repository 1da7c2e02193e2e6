"""The page's models of hands (static/js/room/core/hand_queue.js, in node): messages of two commits may arrive in either
order, and snapshots have the first hands only."""

from __future__ import annotations

import json
import subprocess
from itertools import permutations
from pathlib import Path
from typing import Any

EMPTY = {"queue": [], "count": 0, "own": None}


def at(second: int) -> str:
    return f"2026-11-26T12:00:{second:02}+00:00"


def raised(user: str, second: int) -> dict[str, Any]:
    return {"type": "hand_raised", "data": {"user": user, "raised_at": at(second)}}


def lowered(user: str, second: int) -> dict[str, Any]:
    return {"type": "hand_lowered", "data": {"user": user, "raised_at": at(second)}}


def own(kind: str, second: int, place: int = 0) -> dict[str, Any]:
    return {"type": kind, "raised_at": at(second), **({"place": place} if place else {})}


def ends(stories: list[tuple[dict[str, Any], Any]]) -> list[dict[str, Any]]:
    asked = json.dumps([{"snapshot": snapshot, "messages": messages} for snapshot, messages in stories])
    command = ["node", str(Path(__file__).with_name("hand_queue.mjs"))]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_the_queue_is_the_same_in_whatever_order_messages_come() -> None:
    messages = [raised("anna", 1), lowered("anna", 1), raised("anna", 2), raised("bert", 3), lowered("bert", 3)]
    for end in ends([(EMPTY, order) for order in permutations(messages)]):
        assert (end["queue"], end["count"]) == ([{"user": "anna", "raised_at": at(2)}], 1)


def test_a_hand_becomes_an_invited_one_in_whatever_order_messages_come() -> None:
    plain, invited = raised("anna", 1), raised("anna", 1)
    plain["data"]["invited"], invited["data"]["invited"] = False, True
    for end in ends([(EMPTY, order) for order in permutations([plain, invited])]):
        assert (end["queue"], end["count"]) == ([{"user": "anna", "raised_at": at(1), "invited": True}], 1)


def test_one_s_own_hand_is_the_same_in_whatever_order_messages_come() -> None:
    messages = [
        own("hand_up", 1, 3),
        own("hand_place", 1, 2),
        own("hand_declined", 1),
        own("hand_up", 2, 5),
        own("hand_place", 2, 4),
    ]
    for end in ends([(EMPTY, order) for order in permutations(messages)]):
        assert end["own"] == {"raised_at": at(2), "place": 4}
    (last,) = ends([({**EMPTY, "own": {"raised_at": at(1), "place": 1}}, [own("hand_down", 1)])])
    assert last["own"] is None


def test_a_queue_of_which_only_the_first_are_known() -> None:
    first = {"user": "anna", "raised_at": at(1)}
    long = {"queue": [first], "count": 3, "own": None}
    more, fewer, out = ends(
        [
            (long, [raised("dora", 9)]),
            (long, [lowered("cleo", 3)]),
            (long, [lowered("anna", 1)]),
        ]
    )
    assert (more["queue"], more["count"]) == ([first], 4), "it is behind others that are not known"
    assert (fewer["queue"], fewer["count"]) == ([first], 2)
    assert (out["queue"], out["count"], out["short"]) == ([], 2, True)


def test_who_does_not_know_the_queue_learns_nothing_of_it() -> None:
    (end,) = ends([({"queue": None, "count": None, "own": None}, [raised("anna", 1), lowered("anna", 1)])])
    assert (end["queue"], end["count"]) == (None, 0)
