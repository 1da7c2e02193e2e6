"""Refusals: a code, its HTTP status and its text. One form for all apps, a table in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from django.utils.functional import Promise


@dataclass(frozen=True)
class Refusal:
    """A row of an app's table. `status` is the HTTP status; `text` says in the reader's language what happened and
    what to do."""

    status: int
    text: str | Promise


NOTHING_MORE: Mapping[str, str] = MappingProxyType({})


class Refused(Exception):
    """An action's refusal; each app has a subclass with its own table. Raises KeyError for a code that is not in it.

    `fields` names the values that were wrong, if any; `wait` is in seconds, for too_fast; `more` are further fields of
    the answer, for programs.
    """

    table: ClassVar[Mapping[str, Refusal]] = {}

    def __init__(
        self,
        code: str,
        fields: dict[str, str] | None = None,
        wait: float = 0.0,
        more: Mapping[str, str] = NOTHING_MORE,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.fields = fields or {}
        self.wait = wait
        self.more = more
        self.refusal = self.table[code]

    @property
    def status(self) -> int:
        return self.refusal.status

    @property
    def text(self) -> str:
        """The text in the language that is active now."""
        return str(self.refusal.text)


def as_error(
    code: str, text: str, fields: dict[str, str] | None = None, more: Mapping[str, str] = NOTHING_MORE
) -> dict[str, Any]:
    """Return a refusal as every edge sends it: {"code", "text"}, "fields" where values were wrong, and what is in
    `more`."""
    error: dict[str, Any] = {"code": code, "text": text, **more}
    if fields:
        error["fields"] = fields
    return error
