"""The one table: everything the house keeps about a room, which clock it goes by, and what stays of it.

A new model or kind of file of `rooms` or `transcripts` belongs in here, or a test fails. Rows are in the order in which
they are erased: what points at something else goes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from django.apps import apps
from django.db import models
from django.db.models import Count

from core.erasers import erasers


class Goes(StrEnum):
    """By which clock something goes."""

    COPY = "copy"  # the room's retention clock: 30 days, 90, or a hold
    ACCOUNT = "account"  # stays as long as the account
    BY_ITSELF = "by_itself"  # expires within a minute, whatever happens
    STAYS = "stays"  # says nothing that anybody said


@dataclass(frozen=True)
class Artefact:
    """One kind of thing. `model` with `room` (the way from a row to its room), or `files` (below the room's folder)."""

    name: str
    goes: Goes
    stays: str = "nothing"
    model: str = ""
    room: str = "room_id"
    files: tuple[str, ...] = ()
    kind: str = ""  # of RecordingFile
    clears: tuple[str, ...] = ()  # columns that are emptied where the row stays

    @property
    def rows(self) -> type[models.Model] | None:
        """Its model, where the app is there."""
        app, _dot, _name = self.model.partition(".")
        return apps.get_model(self.model) if self.model and apps.is_installed(app) else None


_SUM = "path, size and SHA-256 in the receipt"

TABLE: tuple[Artefact, ...] = (
    # Files. The whole folder of the room goes, also what no row here names ("other").
    Artefact("mix", Goes.COPY, _SUM, files=("mix.*",), kind="mix"),
    Artefact("tracks", Goes.COPY, _SUM, files=("tracks/*",), kind="track"),
    Artefact("segments", Goes.COPY, _SUM, files=("hls/*",)),  # and their lists: *.m3u8, *.kept, *.keep
    Artefact("peaks", Goes.COPY, _SUM, files=("peaks*", "peaks/*")),
    Artefact("exports", Goes.COPY, _SUM, files=("export*", "exports/*")),
    Artefact("speech", Goes.COPY, _SUM, files=("speech/*", "transcript*")),
    # What was said, and the index in which it is searched (a column of the cues).
    Artefact("cues", Goes.COPY, model="transcripts.Cue", room="transcript__room_id"),
    Artefact("windows", Goes.COPY, model="transcripts.TranscriptionWindow", room="plan__transcript__room_id"),
    Artefact("plans", Goes.COPY, model="transcripts.TrackPlan", room="transcript__room_id"),
    Artefact("transcript", Goes.COPY, model="transcripts.Transcript"),
    # Who was there and what happened.
    Artefact("file rows", Goes.COPY, _SUM, model="rooms.RecordingFile", room="recording__room_id"),
    Artefact("room log", Goes.COPY, model="rooms.RoomEvent"),
    Artefact("seats", Goes.COPY, model="rooms.Seat"),
    Artefact("presence", Goes.BY_ITSELF),
    # In memory: the last seconds of sound while recording is paused, and of each track on its way to the disk. Swept
    # each five seconds by the supervisor, and removed with the room's folder where none runs.
    Artefact("window", Goes.BY_ITSELF),
    # What stays, and why.
    Artefact(
        "consents",
        Goes.ACCOUNT,
        "person, room, version of the text, time: that the recording was agreed to must be shown after it is gone",
        model="rooms.Consent",
    ),
    Artefact(
        "recording",
        Goes.STAYS,
        "state “purged” and how long it was",
        model="rooms.Recording",
        clears=("error",),
    ),
    Artefact(
        "room",
        Goes.STAYS,
        "address, host, title, language and times, for the list of the host; the topic goes",
        model="rooms.Room",
        room="id",
        clears=("topic",),
    ),
    Artefact("mails", Goes.STAYS, "what was sent is with whom it was sent to; it carries no words of the room"),
)

BY_NAME = {artefact.name: artefact for artefact in TABLE}


def kind_of(path: str) -> str:
    """Which artefact a file is, by its path below the room's folder."""
    for artefact in TABLE:
        if any(fnmatchcase(path, pattern) for pattern in artefact.files):
            return artefact.name
    return "other"


def unknown_erasers() -> list[str]:
    """Erasers of artefacts that the table does not have: a name was mistyped, or a row is missing."""
    return sorted({name for name, _eraser in erasers.items()} - set(BY_NAME))


def erase_rows(rooms: Sequence[int]) -> dict[int, dict[str, int]]:
    """Erase everything of these rooms that goes by their clock and is no file. How many rows of what, by room.

    Inside the caller's transaction; what an app registered (`core.erasers`) is called at its place in the table.
    """
    if unknown := unknown_erasers():
        raise LookupError(f"not in the table of artefacts: {', '.join(unknown)}")
    gone: dict[int, dict[str, int]] = {pk: {} for pk in rooms}
    registered = dict(erasers.items())
    for artefact in TABLE:
        if artefact.name in registered:
            registered[artefact.name](rooms)
        if artefact.rows is not None and artefact.goes is Goes.COPY:
            for pk, count in erase(artefact.rows, artefact.room, rooms).items():
                gone[pk][artefact.name] = count
        if artefact.rows is not None and artefact.clears:
            clear(artefact.rows, artefact.room, artefact.clears, rooms)
    return gone


def erase(model: type[models.Model], room: str, rooms: Sequence[int]) -> dict[int, int]:
    """Delete a model's rows of these rooms in one statement; how many of each room."""
    rows = model._base_manager.filter(**{f"{room}__in": rooms})
    counts = dict(rows.order_by().values_list(room).annotate(count=Count("pk")))
    if counts:
        # Straight DELETE: the table's order takes care of what points where, and foreign keys check it.
        rows._raw_delete(rows.db)
    return counts


def clear(model: type[models.Model], room: str, columns: Sequence[str], rooms: Sequence[int]) -> None:
    """Empty text columns of rows that stay."""
    rows = model._base_manager.filter(**{f"{room}__in": rooms}).exclude(**dict.fromkeys(columns, ""))
    rows.update(**dict.fromkeys(columns, ""))


def leftovers(rooms: Sequence[int]) -> dict[int, dict[str, int]]:
    """Rows of these rooms that should not be there any more, by room and artefact."""
    found: dict[int, dict[str, int]] = {}
    for artefact in TABLE:
        if artefact.rows is not None and artefact.goes is Goes.COPY:
            rows = artefact.rows._base_manager.filter(**{f"{artefact.room}__in": rooms})
            for pk, count in rows.order_by().values_list(artefact.room).annotate(count=Count("pk")):
                found.setdefault(pk, {})[artefact.name] = count
    return found
