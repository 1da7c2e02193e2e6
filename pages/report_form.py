"""The forms of reports: about a part of a room, on a page of its own and in a dialog of the room; about a message; and
about anything that has an address, with an account or without."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.fields import TypedField
from core.once import new_once, read_once
from mail.addresses import validate_sendable
from moderation.models import WORDS
from moderation.models.reports import LAW, NAME
from moderation.rulebook import category_choices
from moderation.rules.reports import LONGEST_MS
from people.models import User

NO_CATEGORY = _("Choose what happened.")
NO_WORDS = _("Say in a few words what happened.")
NO_TIME = _("Write a time such as 12:34: minutes and seconds since the room began.")
NO_RANGE = _("The end must come after the beginning.")
TOO_LONG = _("At most ten minutes at once. Send another report for the rest.")
BEYOND = _("The room was not that long.")
NO_FAITH = _("Tick this before you send the report.")
NO_NAME = _(
    "Write your name: moderators need it if you have no account. Only a report about abuse of a child can do without."
)
NO_EMAIL = _(
    "Write an e-mail address: moderators need it if you have no account. Only a report about abuse of a child can do "
    "without."
)
KINDS: dict[str, Any] = {
    "room": _("Something that was said or done in a room"),
    "title": _("The title or topic of a room"),
    "profile": _("A person’s page: their name, or what they wrote about themselves"),
    "picture": _("A person’s picture"),
    "message": _("A message that you got"),
}

_TIME = re.compile(r"(?:([0-9]{1,2}):)?([0-9]{1,3}):([0-5][0-9])")
# Names of the action's values, where the form's fields have others.
_FIELDS = {"from_ms": "starts", "to_ms": "ends"}
_REFUSED = {"category": NO_CATEGORY, "from_ms": BEYOND, "to_ms": BEYOND, "good_faith": NO_FAITH}


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

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if not text and not self.required:
            return None
        ms = read_time(text)
        if ms is None:
            raise forms.ValidationError(NO_TIME)
        return ms


class NoticeForm(forms.Form):
    """Fields that every report has. It validates what it can say in words; rights are checked by the action."""

    category = forms.ChoiceField(
        label=_("What happened?"),
        choices=lambda: [("", _("Choose…")), *category_choices()],
        error_messages={"required": NO_CATEGORY, "invalid_choice": NO_CATEGORY},
    )
    words = TypedField(
        label=_("In your own words (may stay empty)"),
        text=WORDS,
        required=False,
        help_text=_("What was said or done. For “something else” this is needed."),
    )
    law = TypedField(
        label=_("Law or rule that it breaks (may stay empty)"), text=LAW, required=False, help_text=_("As you see it.")
    )
    good_faith = forms.BooleanField(
        label=_("As far as I know, what I say is true."), error_messages={"required": NO_FAITH}
    )
    once = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["once"].initial = new_once

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("category") == "other" and not values.get("words") and "words" not in self.errors:
            self.add_error("words", NO_WORDS)
        return values

    def refused(self, fields: Mapping[str, str]) -> None:
        """Add an error to each field whose value the action refused; one sentence about a range is enough."""
        for name, text in fields.items():
            if name != "from_ms" or "to_ms" not in fields:
                field = _FIELDS.get(name, name)
                self.add_error(field if field in self.fields else None, _REFUSED.get(name, text))

    def notice(self) -> dict[str, Any]:
        """Return the action's arguments that every report has."""
        values = self.cleaned_data
        names = ("category", "words", "law", "good_faith")
        return {**{name: values[name] for name in names}, "once": read_once(values["once"])}


class RangeForm(NoticeForm):
    """Form of a report with a part of a room; the room's length is checked by the action."""

    starts = RoomTimeField(
        label=pgettext_lazy("time", "From"),
        help_text=_("Minutes and seconds since the room began, as well as you know. Ten minutes at most."),
    )
    ends = RoomTimeField(label=pgettext_lazy("time", "To"))

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        starts, ends = values.get("starts"), values.get("ends")
        if starts is not None and ends is not None:
            if ends <= starts:
                self.add_error("ends", NO_RANGE)
            elif ends - starts > LONGEST_MS:
                self.add_error("ends", TOO_LONG)
        return values


class ReportForm(RangeForm):
    """Form of a report about a part of a room; `people` are those whom it offers as its subject, by handle."""

    about = forms.ChoiceField(
        label=_("Whom is it about?"),
        required=False,
        error_messages={"invalid_choice": _("Choose somebody on the list.")},
    )
    field_order = ("about", "category", "starts", "ends", "words", "law", "good_faith", "once")

    def __init__(self, people: Mapping[str, User], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(handle, str(user)) for handle, user in people.items()]
        cast(forms.ChoiceField, self.fields["about"]).choices = [("", _("The room as a whole")), *named]


class AnythingForm(RangeForm):
    """Form of a report about anything that has an address. `kinds` are those of KINDS that it offers. Without an
    account it asks for a name and an address."""

    kind = forms.ChoiceField(
        label=_("What is it about?"),
        error_messages={"required": _("Choose what it is about."), "invalid_choice": _("Choose what it is about.")},
    )
    what = forms.CharField(
        label=_("Its address"),
        max_length=500,
        help_text=_(
            "Copy it from your browser: of the room, of the person’s page, or of the message. A handle will do."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}),
    )
    about = forms.CharField(
        label=_("Whom in the room is it about? (may stay empty)"),
        max_length=31,
        required=False,
        help_text=_("A handle, such as @anna. Empty: the room as a whole."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}),
    )
    name = TypedField(label=_("Your name"), text=NAME, required=False, widget=forms.TextInput({"autocomplete": "name"}))
    email = forms.CharField(
        label=_("Your e-mail address"),
        max_length=254,
        required=False,
        help_text=_("Only moderators see name and address. Leave both empty if it is about a child that is abused."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    field_order = (
        *("kind", "what", "about", "category", "starts", "ends", "words", "law", "name", "email"),
        *("good_faith", "once"),
    )

    def __init__(self, kinds: Sequence[str], *args: Any, signed_in: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.signed_in = signed_in
        choices = [(kind, KINDS[kind]) for kind in kinds]
        field = cast(forms.ChoiceField, self.fields["kind"])
        field.choices = choices if len(choices) == 1 else [("", _("Choose…")), *choices]
        if len(choices) == 1:
            field.widget, field.initial = forms.HiddenInput(), choices[0][0]
        for name in ("about", "starts", "ends") if "room" not in kinds else ():
            del self.fields[name]
        for name in ("name", "email") if signed_in else ():
            del self.fields[name]
        for name in ("starts", "ends"):
            if name in self.fields:
                self.fields[name].required = False
        self.fields["words"].label = self.fields["words"].label if signed_in else _("In your own words")

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if values.get("kind") == "room":
            for name in ("starts", "ends"):
                if values.get(name) is None and name not in self.errors:
                    self.add_error(name, NO_TIME)
        if not self.signed_in:
            self._check_reporter(values)
        return values

    def _check_reporter(self, values: dict[str, Any]) -> None:
        """Without an account there are words, a name and an address; about a child the latter two may stay empty."""
        if not values.get("words") and "words" not in self.errors:
            self.add_error("words", NO_WORDS)
        is_named = values.get("category") not in ("", None, "child_safety")
        for name, missing in (("name", NO_NAME), ("email", NO_EMAIL)):
            if is_named and not values.get(name) and name not in self.errors:
                self.add_error(name, missing)

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        if email:
            validate_sendable(email)
        return email
