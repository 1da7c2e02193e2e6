"""What a client sends: read with suspicion, limited in size and pace. Pure but for the clock."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from core import plain_json
from rooms.live.verbs.table import VERBS
from rooms.rules.refusals import RoomRefused

MOST_BYTES = 16 * 1024
MOST_ID = 2**53


@dataclass(frozen=True)
class Frame:
    """A request: its number, its verb, and the rest."""

    id: int
    verb: str
    args: dict[str, Any]


class BadFrame(RoomRefused):
    """Not something that a client of ours would send; `id` where it could be read."""

    def __init__(self, code: str, id_: int | None = None) -> None:
        super().__init__(code)
        self.id = id_


def parse(message: dict[str, Any]) -> Frame:
    """A frame out of `websocket.receive`. Raises BadFrame: bad_frame, unknown_verb for JSON in another language,
    or bad_value for values that no client of ours sends."""
    text = message.get("text")
    if not isinstance(text, str) or len(text) > MOST_BYTES or len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise BadFrame("bad_frame")
    value, plain = _load(text)
    if not isinstance(value, dict):
        raise BadFrame("bad_frame")
    number = value.pop("id", None)
    known = number if type(number) is int and 0 <= number < MOST_ID else None
    verb = value.pop("do", None)
    if not isinstance(verb, str) or verb not in VERBS:
        raise BadFrame("unknown_verb", known)
    if known is None:
        raise BadFrame("bad_frame")
    if not plain:
        raise BadFrame("bad_value", known)
    return Frame(known, verb, value)


def _load(text: str) -> tuple[Any, bool]:
    """The value, and whether the API would take it (`core/plain_json.py`). Raises bad_frame for what is no JSON."""
    try:
        return plain_json.load(text), True
    except plain_json.NotPlain:
        try:
            return json.loads(text), False  # to be refused, under its number
        except (ValueError, RecursionError) as error:
            raise BadFrame("bad_frame") from error


class Pace:
    """A token bucket of one socket: `rate` frames a second, `burst` at once. In memory: a socket has one process."""

    def __init__(self, rate: float = 30.0, burst: float = 60.0) -> None:
        self.rate, self.burst = rate, burst
        self.tokens, self.at = burst, time.monotonic()

    def allows(self) -> bool:
        now = time.monotonic()
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True
