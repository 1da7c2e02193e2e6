"""Arguments of verbs: how each is read from what a client sent, and how the API describes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from rest_framework import serializers

from people.handles import read_handle
from people.models import User
from rooms.models import Invitation, Room
from rooms.rules.reactions import KINDS, MOST_BEHIND, TONES
from rooms.rules.refusals import RoomRefused
from rooms.wire.sides import LEVELS

MOST_LINES = 1000  # handles in one list
LONGEST_LINE = 100


@dataclass(frozen=True, slots=True)
class Argument:
    """`read` takes the value as it was sent (None: missing) and raises RoomRefused; `field` makes the API's field."""

    read: Callable[[Any], Any]
    field: Callable[[], serializers.Field[Any, Any, Any, Any]]


def read_person(handle: Any, nobody: str = "not_on_stage") -> User:
    """The account with this handle. Raises bad_value for what is no handle, `nobody` for nobody's."""
    name = read_handle(handle)
    if name is None:
        raise RoomRefused("bad_value", {"user": "handle"})
    user = User.objects.by_handle(name)
    if user is None:
        raise RoomRefused(nobody)
    return user


def read_asker(handle: Any) -> User:
    """`read_person` for somebody whose hand is up: nobody's handle raises no_hand."""
    return read_person(handle, "no_hand")


def read_bool(name: str) -> Callable[[Any], bool]:
    """Make the reader of an argument that is true or false, and must be there: anything else raises bad_value."""

    def read(value: Any) -> bool:
        if not isinstance(value, bool):
            raise RoomRefused("bad_value", {name: "true, false"})
        return value

    return read


def read_account(handle: Any) -> User:
    """The account with this handle, in the room or not. Raises bad_value for what is no handle, unknown_person."""
    name = read_handle(handle)
    if name is None:
        raise RoomRefused("bad_value", {"user": "handle"})
    user = User.objects.by_handle(name)
    if user is None:
        raise RoomRefused("unknown_person")
    return user


def read_text(value: Any) -> str:
    """Text as it is; "" for anything else, which no action takes."""
    return value if isinstance(value, str) else ""


def read_lines(value: Any) -> list[str]:
    """Handles as they were typed, one a line. Raises bad_value for anything but a list of 1 to MOST_LINES texts."""
    if not isinstance(value, list) or not 0 < len(value) <= MOST_LINES:
        raise RoomRefused("bad_value", {"users": f"1 … {MOST_LINES}"})
    if not all(isinstance(line, str) and len(line) <= LONGEST_LINE for line in value):
        raise RoomRefused("bad_value", {"users": "handle"})
    return value


def read_id(value: Any) -> int:
    """A primary key. Raises bad_value for anything else."""
    if type(value) is not int or not 0 < value < 2**63:
        raise RoomRefused("bad_value", {"key": "number"})
    return value


def read_reaction(value: Any) -> str:
    """A kind of reaction. Raises bad_value for any other."""
    if not isinstance(value, str) or value not in KINDS:
        raise RoomRefused("bad_value", {"kind": ", ".join(KINDS)})
    return value


def read_tone(value: Any) -> int:
    """A skin tone, 0 where it is missing. Raises bad_value for what is none."""
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value < len(TONES):
        raise RoomRefused("bad_value", {"tone": f"0 – {len(TONES) - 1}"})
    return value


def read_behind(value: Any) -> int:
    """Seconds, 0 where they are missing, at most MOST_BEHIND. Raises bad_value for what is no whole number."""
    if value is None:
        return 0
    if type(value) is not int:
        raise RoomRefused("bad_value", {"behind": f"0 – {MOST_BEHIND}"})
    return min(max(value, 0), MOST_BEHIND)


PERSON = Argument(read_person, lambda: serializers.CharField(max_length=30, help_text="A handle."))
ACCOUNT = Argument(read_account, PERSON.field)
SELF_OR_PERSON = Argument(
    lambda handle: None if handle is None else read_person(handle),
    lambda: serializers.CharField(max_length=30, required=False, help_text="A handle; oneself unless named."),
)
ASKER = Argument(read_asker, lambda: serializers.CharField(max_length=30, help_text="A handle."))
NEXT_OR_ASKER = Argument(
    lambda handle: None if handle is None else read_asker(handle),
    lambda: serializers.CharField(max_length=30, required=False, help_text="A handle; the next unless named."),
)
OFF = Argument(read_bool("off"), serializers.BooleanField)
ON = Argument(read_bool("on"), serializers.BooleanField)
LANGUAGE = Argument(read_text, lambda: serializers.ChoiceField(choices=settings.LANGUAGES))
LOCKED = Argument(read_bool("locked"), serializers.BooleanField)
UNSEEN = Argument(read_bool("unseen"), serializers.BooleanField)
FLAG = Argument(lambda value: value is True, lambda: serializers.BooleanField(required=False))
RAW = Argument(lambda value: value, lambda: serializers.JSONField(required=False))
"""For what the media supervisor reads itself, strictly (`rooms/media/sdp.py`)."""
ENTRY_POLICY = Argument(read_text, lambda: serializers.ChoiceField(choices=Room.EntryPolicy.choices))
SPEAK_POLICY = Argument(read_text, lambda: serializers.ChoiceField(choices=Room.SpeakPolicy.choices))
QUALITY = Argument(read_text, lambda: serializers.ChoiceField(choices=LEVELS))
LINES = Argument(
    read_lines,
    lambda: serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_LINE), max_length=MOST_LINES, help_text="Handles."
    ),
)
INVITATION = Argument(read_text, lambda: serializers.ChoiceField(choices=Invitation.Kind.choices))
LABEL = Argument(read_text, lambda: serializers.CharField(help_text="How you call the person."))
KEY = Argument(read_id, serializers.IntegerField)
TEXT_VERSION = Argument(read_text, lambda: serializers.CharField(max_length=20))
REACTION = Argument(read_reaction, lambda: serializers.ChoiceField(choices=list(KINDS)))
TONE = Argument(
    read_tone,
    lambda: serializers.IntegerField(
        min_value=0, max_value=len(TONES) - 1, required=False, help_text="A skin tone, of hands: 1 light to 5 dark."
    ),
)
BEHIND = Argument(
    read_behind,
    lambda: serializers.IntegerField(
        min_value=0, required=False, help_text="By how many seconds one hears the room later than it is live."
    ),
)
