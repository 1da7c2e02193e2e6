"""Texts of an action, checked: whoever calls it (a form, a program, a command) gets the same refusal."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError

from core.text import Text
from people.refusals import PeopleRefused


def problems(values: Mapping[str, tuple[Text, str, bool]]) -> tuple[dict[str, str], dict[str, str]]:
    """The texts as they are kept, and what is wrong with the others in a sentence each. Values are (kind, typed,
    whether it is required)."""
    kept: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name, (text, typed, required) in values.items():
        try:
            kept[name] = text.clean(typed, required=required)
        except ValidationError as error:
            wrong[name] = " ".join(error.messages)
    return kept, wrong


def typed(name: str, text: Text, value: str, *, required: bool = True) -> str:
    """One text as it is kept. Raises bad_value with the sentence."""
    kept, wrong = problems({name: (text, value, required)})
    if wrong:
        raise PeopleRefused("bad_value", wrong)
    return kept[name]
