"""Forms of room pages: they validate input; permissions are checked by actions."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from core.fields import TypedField
from people.zones import ZoneSelect, zone_choices
from rooms.models import TITLE, TOPIC, Room
from rooms.wording import ENTRY_WORDS, SPEAK_WORDS

STARTS = ("when", "date", "time", "zone")

POLICY_WORDS = {
    Room.SpeakPolicy.EVERYONE: SPEAK_WORDS[Room.SpeakPolicy.EVERYONE],
    Room.SpeakPolicy.FOLLOWED: _("People I follow"),
    Room.SpeakPolicy.INVITED: _("Only people I invite"),
}


# Without `invited`, which can only be chosen while the room is live.
OPEN_WORDS = {
    Room.EntryPolicy.ANYONE: ENTRY_WORDS[Room.EntryPolicy.ANYONE],
    Room.EntryPolicy.SIGNED_IN: ENTRY_WORDS[Room.EntryPolicy.SIGNED_IN],
    Room.EntryPolicy.FOLLOWERS: _("People who follow me"),
}


class PublishForm(forms.Form):
    """For whom a replay is published; offers the policies up to the widest that its voices could expect."""

    policy = forms.ChoiceField(label=_("Who may hear and read it?"), widget=forms.RadioSelect)

    def __init__(self, policies: list[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.ChoiceField, self.fields["policy"])
        field.choices = [(policy, OPEN_WORDS[Room.EntryPolicy(policy)]) for policy in policies]


class RoomForm(forms.Form):
    """Fields that a host fills in before a room opens."""

    title = TypedField(label=_("What is it about?"), text=TITLE, help_text=_("One line that makes people sit down."))
    topic = TypedField(
        label=_("A word more (may stay empty)"),
        text=TOPIC,
        required=False,
        help_text=_("For all in the room to read."),
    )
    language = forms.ChoiceField(label=_("Language spoken"), choices=settings.LANGUAGES)
    speak_policy = forms.ChoiceField(
        label=_("Who may take a seat and speak?"),
        choices=list(POLICY_WORDS.items()),
        initial=Room.SpeakPolicy.EVERYONE,
        widget=forms.RadioSelect,
        help_text=_("All others can raise a hand. You can change it while the room is live."),
    )
    entry_policy = forms.ChoiceField(
        label=_("Who may come in and listen?"),
        choices=[*OPEN_WORDS.items(), (Room.EntryPolicy.INVITED, POLICY_WORDS[Room.SpeakPolicy.INVITED])],
        initial=Room.EntryPolicy.ANYONE,
        widget=forms.RadioSelect,
        help_text=_("You can change it while the room is live."),
    )
    transcription = forms.BooleanField(
        label=_("Write down what is said"),
        required=False,
        initial=True,
        help_text=_("Live as captions, and to read and search beside the recording when the room has ended."),
    )

    def refused(self, fields: dict[str, Any]) -> None:
        """Add an error to each field that the action refused."""
        for name in fields:
            self.add_error(name if name in self.fields else None, _("This value cannot be used."))


class PrepareForm(RoomForm):
    """Form of a prepared room: with the day, time and zone of its start."""

    date = forms.DateField(
        label=_("Day"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}), input_formats=["%Y-%m-%d"]
    )
    time = forms.TimeField(
        label=_("Time"), widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}), input_formats=["%H:%M"]
    )
    zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=zone_choices,
        widget=ZoneSelect,
        help_text=_("Everybody else reads the time in their own zone."),
    )
    field_order = ("when", "date", "time", "zone", "title", "topic")

    def values(self) -> dict[str, Any]:
        """Return the arguments of `prepare_room` and `change_prepared`."""
        values = {name: value for name, value in self.cleaned_data.items() if name not in ("when", "date", "time")}
        return {**values, "wall": f"{self.cleaned_data['date']}T{self.cleaned_data['time']:%H:%M}"}

    def refused(self, fields: dict[str, Any]) -> None:
        """Say what is wrong with a start beside its time, in the words of the refusal."""
        fields = dict(fields)
        if wrong := fields.pop("wall", None):
            self.add_error("time", wrong)
        super().refused(fields)


class OpenRoomForm(PrepareForm):
    """Form that opens a room now, or prepares one for later."""

    when = forms.ChoiceField(
        label=_("When?"),
        choices=[("now", _("Start now")), ("later", _("Prepare for later"))],
        widget=forms.RadioSelect,
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.later = self.data.get("when") == "later"
        for name in ("date", "time", "zone"):
            self.fields[name].required = self.later

    def clean(self) -> dict[str, Any]:
        """Forget what is wrong with a start that nobody asked for."""
        for name in () if self.later else STARTS:
            self.errors.pop(name, None)
        return self.cleaned_data

    def open_values(self) -> dict[str, Any]:
        """Return the arguments of `open_room`."""
        return {name: value for name, value in self.cleaned_data.items() if name not in STARTS}
