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
class DrawnMessage:
    """A message as one reader sees it now. `text` is plain, for the inbox and for programs; `template` draws it in
    the thread, from `context`; `data` is what the API answers."""

    text: str
    template: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)


class MessageKind(ABC):
    """One kind of message, whose `data` its own app understands. Register an instance under the kind's name."""

    @abstractmethod
    def draw(self, messages: Sequence[Message], reader: User) -> dict[int, DrawnMessage]:
        """Draw many messages of this kind; returns them by primary key, in a constant number of queries.

        Every message is drawn, also where what it is about is gone; one that is not is said not to be shown. Raises
        nothing.
        """

    def kept_text(self, data: Mapping[str, Any]) -> str | None:
        """Return the text of a card of which only `DrawnMessage.data` was kept, in the language that is active now;
        None where the text is what a person typed. Raises nothing for any data that was ever kept."""
        return None

    def delivered(self, messages: Sequence[Message]) -> None:  # noqa: B027
        """Do what follows from the delivery of messages of this kind: write mails, tell pages. Runs once for each
        message, in the transaction that delivers it."""


message_kinds: Hook[Any] = Hook("social.message_kinds")
"""Instances of MessageKind, by the name that `Message.kind` holds."""

Acquaintance = Callable[[int, Sequence[int]], set[int]]
"""Takes a sender and receivers, by primary key; returns the receivers to whom something makes the sender known."""

acquaintances: Hook[Acquaintance] = Hook("social.acquaintances")

OfficialText = Callable[[Sequence[Mapping[str, Any]], User], list[DrawnMessage]]
"""Takes the values of many messages and their reader; returns a card for each, in the language that is active now, in a
constant number of queries. Raises nothing for any values that were ever stored under its name."""

official_texts: Hook[OfficialText] = Hook("social.official_texts")
"""Texts of official messages, by the name that their `data` holds."""
