"""Checks of an action's texts, with the same refusal for forms, programs and commands."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError

from core.text import Text
from people.refusals import PeopleRefused


def clean_texts(values: Mapping[str, tuple[Text, str, bool]]) -> tuple[dict[str, str], dict[str, str]]:
    """Clean texts. Returns (name → stored text, name → why it is refused); `values` are (kind, typed, required)."""
    kept: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name, (text, typed, required) in values.items():
        try:
            kept[name] = text.clean(typed, required=required)
        except ValidationError as error:
            wrong[name] = " ".join(error.messages)
    return kept, wrong


def clean_text(name: str, text: Text, value: str, *, required: bool = True) -> str:
    """Return one text as it is stored. Raises PeopleRefused("bad_value") with the reason."""
    kept, wrong = clean_texts({name: (text, value, required)})
    if wrong:
        raise PeopleRefused("bad_value", wrong)
    return kept[name]
