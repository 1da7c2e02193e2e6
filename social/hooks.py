"""Hooks of social: kinds of messages, and reasons for which a person may write to another."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.hooks import Hook
from people.models import User
from social.models import Message


@dataclass(frozen=True)
class Card:
    """A message as one reader sees it now. `line` is plain text, for the inbox and for programs; `template` draws it in
    the thread, from `context`; `data` is what the API answers."""

    line: str
    template: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)


class MessageKind(ABC):
    """One kind of message, whose `data` its own app understands. Register an instance under the kind's name."""

    @abstractmethod
    def cards(self, messages: Sequence[Message], reader: User) -> dict[int, Card]:
        """Return the cards of many messages of this kind, by primary key, in a constant number of queries.

        Every message gets one, also where what it is about is gone; one without is said not to be shown. Raises
        nothing.
        """

    def delivered(self, messages: Sequence[Message]) -> None:  # noqa: B027
        """Do what follows from the delivery of messages of this kind: write mails, tell pages. Runs once for each
        message, in the transaction that delivers it."""


message_kinds: Hook[Any] = Hook("social.message_kinds")
"""Instances of MessageKind, by the name that `Message.kind` holds."""

Acquaintance = Callable[[int, Sequence[int]], set[int]]
"""Takes a sender and receivers, by primary key; returns the receivers to whom something makes the sender known."""

acquaintances: Hook[Acquaintance] = Hook("social.acquaintances")

OfficialText = Callable[[Sequence[Mapping[str, Any]], User], list[Card]]
"""Takes the values of many messages and their reader; returns a card for each, in the language that is active now, in a
constant number of queries. Raises nothing for any values that were ever stored under its name."""

official_texts: Hook[OfficialText] = Hook("social.official_texts")
"""Texts of official messages, by the name that their `data` holds."""
