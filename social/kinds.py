"""The kinds of messages that this app has itself: `text`, `removed`, and `official`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from people.models import User
from social.hooks import DrawnMessage, MessageKind, message_kinds, official_texts
from social.models import Message

REMOVED = "removed"


class TextKind(MessageKind):
    """Text that a person typed."""

    def draw(self, messages: Sequence[Message], reader: User) -> dict[int, DrawnMessage]:
        return {message.pk: DrawnMessage(text=message.body) for message in messages}


class RemovedKind(MessageKind):
    """A message that moderators took down (`social.actions.takedowns`)."""

    def draw(self, messages: Sequence[Message], reader: User) -> dict[int, DrawnMessage]:
        return {message.pk: DrawnMessage(self._text(), "social/removed.html") for message in messages}

    def kept_text(self, data: Mapping[str, Any]) -> str | None:
        return self._text()

    def _text(self) -> str:
        return _("Message removed by moderators")


class OfficialKind(MessageKind):
    """A text of the site itself, by its name (`data["text"]`) and values (`data["values"]`), in the language in which
    it is read."""

    def draw(self, messages: Sequence[Message], reader: User) -> dict[int, DrawnMessage]:
        found: dict[int, DrawnMessage] = {}
        for name in {message.data["text"] for message in messages}:
            named = [message for message in messages if message.data["text"] == name]
            text = official_texts.get(name)
            if text is not None:  # else of an app that was taken out
                drawn = text([message.data["values"] for message in named], reader)
                found |= {message.pk: one for message, one in zip(named, drawn, strict=True)}
        return found


message_kinds.register("text")(TextKind())
message_kinds.register(REMOVED)(RemovedKind())
message_kinds.register("official")(OfficialKind())
