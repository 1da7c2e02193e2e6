"""The kinds of messages that this app has itself: `text`, and `official`."""

from __future__ import annotations

from collections.abc import Sequence

from people.models import User
from social.hooks import Card, MessageKind, message_kinds, official_texts
from social.models import Message


class TextKind(MessageKind):
    """Text that a person typed."""

    def cards(self, messages: Sequence[Message], reader: User) -> dict[int, Card]:
        return {message.pk: Card(line=message.body) for message in messages}


class OfficialKind(MessageKind):
    """A text of the site itself, by its name (`data["text"]`) and values (`data["values"]`), in the language in which
    it is read."""

    def cards(self, messages: Sequence[Message], reader: User) -> dict[int, Card]:
        cards: dict[int, Card] = {}
        for name in {message.data["text"] for message in messages}:
            named = [message for message in messages if message.data["text"] == name]
            text = official_texts.get(name)
            if text is not None:  # else of an app that was taken out
                drawn = text([message.data["values"] for message in named], reader)
                cards |= {message.pk: card for message, card in zip(named, drawn, strict=True)}
        return cards


message_kinds.register("text")(TextKind())
message_kinds.register("official")(OfficialKind())
