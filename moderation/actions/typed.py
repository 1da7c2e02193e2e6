"""Checks of an action's texts, refused as this app refuses (`people/actions/typed.py` has the same for people)."""

from __future__ import annotations

from core.text import Text
from moderation.refusals import ModerationRefused
from people.actions.typed import clean_texts


def cleaned_texts(**texts: tuple[Text, str]) -> dict[str, str]:
    """Clean texts that must all be there. Raises bad_value with each field that is wrong."""
    kept, wrong = clean_texts({name: (text, typed, True) for name, (text, typed) in texts.items()})
    if wrong:
        raise ModerationRefused("bad_value", wrong)
    return kept


def cleaned_text(text: Text, field: str, typed: str) -> str:
    """Clean a text that must be there. Raises bad_value with the field."""
    return cleaned_texts(**{field: (text, typed)})[field]
