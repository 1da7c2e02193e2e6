"""Context processor: `unread` in templates, how many messages the reader has not read."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import ngettext, pgettext

from people.models import User
from social.queries import unread_of_many

MOST_SHOWN = 99  # in the header; more are 99+


class Unread:
    """Unread messages of the reader, for templates: the number and the header's words for it. Its one query runs at
    most once a page, and only for somebody who is signed in where a template shows it."""

    def __init__(self, user: User | AnonymousUser | None) -> None:
        self._user = user

    @cached_property
    def messages(self) -> int:
        if self._user is None or not self._user.is_authenticated:
            return 0
        return unread_of_many([self._user.pk]).get(self._user.pk, 0)

    @property
    def badge(self) -> str:
        return f"{MOST_SHOWN}+" if self.messages > MOST_SHOWN else str(self.messages)

    @property
    def none(self) -> str:
        return pgettext("between people", "Messages")

    @property
    def one(self) -> str:
        return _unread_words(1).replace("{number}", "1")

    @property
    def many(self) -> str:
        return _unread_words(max(self.messages, 2))

    @property
    def words(self) -> str:
        if self.messages == 0:
            return self.none
        return self.one if self.messages == 1 else self.many.replace("{number}", str(self.messages))


def _unread_words(number: int) -> str:
    return ngettext("Messages, {number} unread", "Messages, {number} unread", number)


def unread(request: HttpRequest) -> dict[str, Any]:
    """Add `unread` to a template's context."""
    return {"unread": Unread(getattr(request, "user", None))}
