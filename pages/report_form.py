"""The forms of reports: about a part of a room, on a page of its own and in a dialog of the room's, and about a
message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.fields import TypedField
from core.once import new_once
from moderation.models import WORDS, Notice
from moderation.rules.reports import LONGEST_MS
from people.models import User

NO_CATEGORY = _("Choose what happened.")
NO_WORDS = _("Say in a few words what happened.")
NO_TIME = _("Write a time such as 12:34: minutes and seconds since the room began.")
NO_RANGE = _("The end must come after the beginning.")
TOO_LONG = _("At most ten minutes at once. Send another report for the rest.")
BEYOND = _("The room was not that long.")

_TIME = re.compile(r"(?:([0-9]{1,2}):)?([0-9]{1,3}):([0-5][0-9])")
# Names of the action's values, where the form's fields have others.
_FIELDS = {"from_ms": "starts", "to_ms": "ends"}
_REFUSED = {"category": NO_CATEGORY, "from_ms": BEYOND, "to_ms": BEYOND}


def read_time(text: str) -> int | None:
    """Return the ms of room time in a text like 1:23 or 1:02:03; None for any other text."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000


class RoomTimeField(forms.CharField):
    """A moment of room time, typed as 1:23 or 1:02:03; its value is in ms."""

    def __init__(self, **options: Any) -> None:
        attrs = {"autocomplete": "off", "inputmode": "text", "size": "8"}
        super().__init__(max_length=12, widget=forms.TextInput(attrs=attrs), **options)
        self.error_messages |= {"required": NO_TIME, "max_length": NO_TIME}

    def clean(self, value: Any) -> int:
        ms = read_time(super().clean(value))
        if ms is None:
            raise forms.ValidationError(NO_TIME)
        return ms


class NoticeForm(forms.Form):
    """Fields that every report has. It validates what it can say in words; rights are checked by the action."""

    category = forms.ChoiceField(
        label=_("What happened?"),
        choices=[("", _("Choose…")), *Notice.Category.choices],
        error_messages={"required": NO_CATEGORY, "invalid_choice": NO_CATEGORY},
    )
    words = TypedField(
        label=_("In your own words (may stay empty)"),
        text=WORDS,
        required=False,
        help_text=_("What was said or done. For “something else” this is needed."),
    )
    once = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["once"].initial = new_once

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("category") == Notice.Category.OTHER and not values.get("words") and "words" not in self.errors:
            self.add_error("words", NO_WORDS)
        return values

    def refused(self, fields: Mapping[str, str]) -> None:
        """Add an error to each field whose value the action refused; one sentence about a range is enough."""
        for name, text in fields.items():
            if name != "from_ms" or "to_ms" not in fields:
                self.add_error(_FIELDS.get(name, name), _REFUSED.get(name, text))


class ReportForm(NoticeForm):
    """Form of a report about a part of a room; `people` are those whom it offers as its subject, by handle.

    The room's length is checked by the action.
    """

    about = forms.ChoiceField(
        label=_("Whom is it about?"),
        required=False,
        error_messages={"invalid_choice": _("Choose somebody on the list.")},
    )
    starts = RoomTimeField(
        label=pgettext_lazy("time", "From"),
        help_text=_("Minutes and seconds since the room began, as well as you know. Ten minutes at most."),
    )
    ends = RoomTimeField(label=pgettext_lazy("time", "To"))
    field_order = ("about", "category", "starts", "ends", "words", "once")

    def __init__(self, people: Mapping[str, User], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(handle, str(user)) for handle, user in people.items()]
        cast(forms.ChoiceField, self.fields["about"]).choices = [("", _("The room as a whole")), *named]

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        starts, ends = values.get("starts"), values.get("ends")
        if starts is not None and ends is not None:
            if ends <= starts:
                self.add_error("ends", NO_RANGE)
            elif ends - starts > LONGEST_MS:
                self.add_error("ends", TOO_LONG)
        return values
