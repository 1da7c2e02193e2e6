"""Strict parsing of what is published on the channels of rooms and people."""

from __future__ import annotations

import json
from typing import Any

MOST_LETTERS = 64 * 1024  # characters of a message; real ones have a few hundred
MOST_EVENTS = 2**31  # events of a room


class InvalidMessage(ValueError):
    """A message on a channel that this site would not publish."""


def parse_message(text: str) -> dict[str, Any]:
    """Parse a published message. Raises InvalidMessage, or an error of `json.loads`."""
    if len(text) > MOST_LETTERS:
        raise InvalidMessage(f"{len(text)} characters")
    message = json.loads(text)
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise InvalidMessage("no message with a type")
    return message


def seq_of(message: dict[str, Any]) -> int:
    """Number of a sequenced event. Raises InvalidMessage for a malformed one, which would replace the real one."""
    seq = message.get("seq")
    if type(seq) is not int or not 0 < seq < MOST_EVENTS or not isinstance(message.get("data"), dict):
        raise InvalidMessage("no number or no data")
    return seq
