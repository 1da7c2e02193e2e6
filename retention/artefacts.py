"""Table of everything that is kept about a room: when each kind of data expires, and what of it outlives the purge.

A test fails for a model or kind of file of `rooms` or `transcripts` that is missing here. The table is in the order of
deletion: rows with a foreign key come before the rows it points to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from django.apps import apps
from django.db import models
from django.db.models import Count
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.erasers import erasers
from retention.artefact_labels import LABELS


class Expiry(StrEnum):
    """Event with which something expires."""

    COPY = "copy"  # the purge of the room's copy: after 30 days, 90, or a hold
    CASE = "case"  # the second clock of its case's statement, or six months after the case closed without one
    ACCOUNT = "account"  # the end of the account
    THREAD = "thread"  # both sides deleted it, at most MESSAGES_DAYS after it was sent (`social/actions/sweep.py`)
    TTL = "ttl"  # its own time to live: under a minute
    NEVER = "never"  # kept: it holds nothing that anybody said


NOTHING = _("nothing")


@dataclass(frozen=True)
class Artefact:
    """One kind of data about a room.

    Database rows have a `model`, and in `room` the lookup from a row to its room's key. Files have patterns in `files`,
    relative to the room's folder. `name` is for code and receipts, `label` for people (`artefact_labels.py`).
    """

    name: str
    expires_with: Expiry
    kept_after_purge: str | Promise = NOTHING
    model: str = ""
    room: str = "room_id"
    files: tuple[str, ...] = ()
    kind: str = ""  # RecordingFile.kind
    blanked_columns: tuple[str, ...] = ()  # text columns emptied by the purge where the row is kept

    @property
    def label(self) -> str:
        return str(LABELS[self.name])

    @property
    def rows(self) -> type[models.Model] | None:
        """The model class; None for files, and where the app is not installed."""
        app, _dot, _name = self.model.partition(".")
        return apps.get_model(self.model) if self.model and apps.is_installed(app) else None


_SUM = _("path, size and SHA-256 in the receipt")

TABLE: tuple[Artefact, ...] = (
    # Files. The purge removes the whole folder of the room, also files that match no pattern here ("other").
    Artefact("mix", Expiry.COPY, _SUM, files=("mix.*",), kind="mix"),
    Artefact("tracks", Expiry.COPY, _SUM, files=("tracks/*",), kind="track"),
    Artefact("segments", Expiry.COPY, _SUM, files=("hls/*",)),  # and playlists: *.m3u8, *.kept, *.keep
    Artefact("peaks", Expiry.COPY, _SUM, files=("peaks*", "peaks/*")),
    # The ZIPs that people made of their own data: one with something of the room is deleted, and made again without it.
    Artefact("own-data downloads", Expiry.COPY, "those downloads without anything of the room"),
    Artefact("exports", Expiry.COPY, _SUM, files=("export*", "exports/*")),
    Artefact("clip files", Expiry.COPY, _SUM, files=("clips/*",)),
    Artefact("speech", Expiry.COPY, _SUM, files=("speech/*", "transcript*")),
    # Transcript. The search index is a column of the cues.
    Artefact("cues", Expiry.COPY, model="transcripts.Cue", room="transcript__room_id"),
    Artefact("windows", Expiry.COPY, model="transcripts.TranscriptionWindow", room="plan__transcript__room_id"),
    Artefact("plans", Expiry.COPY, model="transcripts.TrackPlan", room="transcript__room_id"),
    Artefact("transcript", Expiry.COPY, model="transcripts.Transcript"),
    # Ranges that were transcribed for a case. What a decision quotes of them is with the decision.
    Artefact("range cues", Expiry.COPY, model="transcripts.RangeCue", room="range__room_id"),
    Artefact("ranges", Expiry.COPY, model="transcripts.RangeTranscript"),
    # Live captions: deleted when the transcript is ready, or with the copy.
    Artefact("live lines", Expiry.COPY, model="transcripts.LiveLine"),
    Artefact("captioned rooms", Expiry.COPY, model="transcripts.CaptionedRoom"),
    # Where captions had a word of the moderators' list: for staff alone, in nobody's download, and no words themselves.
    Artefact("word hits", Expiry.COPY, model="moderation.WordHit"),
    # Files' rows, events, seats and presence.
    Artefact("objections", Expiry.COPY, model="rooms.ReplayObjection", room="recording__room_id"),
    Artefact("voices in clips", Expiry.COPY, model="rooms.ClipVoice", room="clip__room_id"),
    Artefact("clips", Expiry.COPY, model="rooms.Clip"),
    Artefact("file rows", Expiry.COPY, _SUM, model="rooms.RecordingFile", room="recording__room_id"),
    Artefact("room log", Expiry.COPY, model="rooms.RoomEvent"),
    Artefact("seats", Expiry.COPY, model="rooms.Seat"),
    Artefact("hands", Expiry.COPY, model="rooms.Hand"),
    Artefact("invitations", Expiry.COPY, model="rooms.Invitation"),
    Artefact("personal links", Expiry.COPY, model="rooms.PersonalLink"),
    Artefact("arrivals", Expiry.COPY, model="rooms.Arrival", room="link__room_id"),
    Artefact("share links", Expiry.COPY, model="rooms.ShareLink"),
    Artefact("removed listeners", Expiry.COPY, model="rooms.RemovedListener", room="removal__room_id"),
    Artefact("removals", Expiry.COPY, model="rooms.Removal"),
    Artefact("staying followers", Expiry.COPY, model="rooms.StayingFollower", room="hand_over__room_id"),
    Artefact("hand-overs", Expiry.COPY, model="rooms.HandOver"),
    Artefact("reactions", Expiry.COPY, model="rooms.ReactionCount"),  # and those that wait in Redis to be written
    Artefact("times without captions", Expiry.COPY, model="rooms.CaptionsOff"),
    Artefact("listener choices", Expiry.COPY, model="rooms.ListenerChoice"),
    Artefact("presence", Expiry.TTL),
    Artefact("captions state", Expiry.TTL),  # whether captions are late or off, and for whom, in Redis
    Artefact("talk time", Expiry.TTL),  # milliseconds by account, in Redis
    Artefact("live waveform", Expiry.TTL),  # of rooms that are not finished, in Redis, for staff who look at a case
    # In memory: the last seconds of sound while recording is paused, and of each track on its way to the disk. The
    # supervisor deletes them every five seconds; where none runs, the purge does, with the room's folder.
    Artefact("window", Expiry.TTL),
    # Kept with their case, however long the copy is: what was noticed and in which words must be there for an appeal.
    # Words go REPORT_WORDS_DAYS after the case's statement was sent, or after it closed without one
    # (moderation/actions/erasing.py).
    Artefact(
        "reports",
        Expiry.CASE,
        _(
            "who reported whom, category, range of room time; words, name and address of somebody without an account, "
            "and what was reported as it stood go with the case’s words"
        ),
        model="moderation.Report",
    ),
    Artefact(
        "reported messages",
        Expiry.CASE,
        _("nothing: the copies go with the case’s words"),
        model="moderation.ReportedMessage",
        room="report__room_id",
    ),
    Artefact(
        "questions to reporters",
        Expiry.CASE,
        _("that there were some, and when; their words go with the case’s"),
        model="moderation.ReportQuestion",
        room="report__room_id",
    ),
    Artefact(
        "cases",
        Expiry.CASE,
        _(
            "subject, parties, category, rule, measures and times; notes, quoted lines, facts and the statement’s text "
            "go with the case’s words"
        ),
        model="moderation.Case",
    ),
    Artefact(
        "parties of cases",
        Expiry.CASE,
        _("who was there, so that staff who were still see nothing of the case"),
        model="moderation.CaseParty",
        room="case__room_id",
    ),
    Artefact(
        "notes on cases",
        Expiry.CASE,
        _("who wrote one, and when; its words go with the case’s"),
        model="moderation.CaseNote",
        room="case__room_id",
    ),
    Artefact(
        "ranges of evidence",
        Expiry.CASE,
        _("from, to, who marked it"),
        model="moderation.EvidenceRange",
        room="case__room_id",
    ),
    Artefact(
        "quoted lines",
        Expiry.CASE,
        _("from, to, who said it; the words go with the case’s"),
        model="moderation.EvidenceLine",
        room="case__room_id",
    ),
    Artefact(
        "looks at evidence",
        Expiry.CASE,
        _("who played or read what, and when"),
        model="moderation.Look",
        room="case__room_id",
    ),
    Artefact(
        "alarms",
        Expiry.CASE,
        _("which kind, and when staff were told"),
        model="moderation.Alarm",
        room="case__room_id",
    ),
    Artefact(
        "decisions",
        Expiry.CASE,
        _("outcome, rule as it read, who and when; facts and reasons go with the case’s words"),
        model="moderation.Decision",
        room="case__room_id",
    ),
    Artefact(
        "measures of decisions",
        Expiry.CASE,
        _("what was imposed, from when until when"),
        model="moderation.Measure",
        room="decision__case__room_id",
    ),
    Artefact(
        "statements of reasons",
        Expiry.CASE,
        _("whom it was for, and when; the text goes with the case’s words"),
        model="moderation.Statement",
        room="decision__case__room_id",
    ),
    Artefact(
        "reviews",
        Expiry.CASE,
        _(
            "which decision was looked at again, by whom and when, and the outcome; the reasons go with the case’s "
            "words"
        ),
        model="moderation.Review",
        room="decision__case__room_id",
    ),
    Artefact(
        "appeals",
        Expiry.CASE,
        _("which side appealed, and when; the words go with the case’s"),
        model="moderation.Appeal",
        room="decision__case__room_id",
    ),
    Artefact(
        "appeals that were not sent",
        Expiry.CASE,
        _("nothing: what was typed goes when the appeal is sent, or with the case’s words"),
        model="moderation.AppealDraft",
        room="decision__case__room_id",
    ),
    Artefact(
        "links for appeals",
        Expiry.CASE,
        _("that there was one, and until when it worked; never its address"),
        model="moderation.AppealLink",
        room="decision__case__room_id",
    ),
    Artefact(
        "outside reviewers",
        Expiry.CASE,
        _("who was given a review, by whom and when; the reason goes with the case’s words"),
        model="moderation.OutsideReviewer",
        room="review__decision__case__room_id",
    ),
    Artefact(
        "what people were told",
        Expiry.CASE,
        _("who was told of which decision, and when"),
        model="moderation.Notification",
        room="decision__case__room_id",
    ),
    Artefact(
        "acts at once",
        Expiry.CASE,
        _("what was done before a decision, by whom, and how it was settled"),
        model="moderation.ActAtOnce",
        room="case__room_id",
    ),
    Artefact(
        "legal holds",
        Expiry.NEVER,
        _("which order, its reason, who set and lifted it: why a copy was kept must be shown after it is gone"),
        model="moderation.LegalHold",
    ),
    Artefact("messages", Expiry.THREAD, _("what people wrote to each other: it is no part of a room’s copy")),
    # Kept, with the reason.
    Artefact(
        "consents",
        Expiry.ACCOUNT,
        _(
            "person, room, version of the text, time, whether with captions: that the recording was agreed to must be "
            "shown after it is gone"
        ),
        model="rooms.Consent",
    ),
    Artefact(
        "recording",
        Expiry.NEVER,
        _("state “purged” and how long it was"),
        model="rooms.Recording",
        blanked_columns=("error",),
    ),
    Artefact(
        "room",
        Expiry.NEVER,
        _("address, host, title, language and times, for the list of the host; the topic is blanked"),
        model="rooms.Room",
        room="id",
        blanked_columns=("topic",),
    ),
    Artefact(
        "restrictions",
        Expiry.NEVER,
        _("that moderators closed the recording: when, by whom and until when; no words"),
        model="rooms.Restriction",
    ),
    Artefact(
        "title takedowns",
        Expiry.NEVER,
        _(
            "that moderators removed title and topic, and what the title was: it stays with its room; the topic is "
            "blanked"
        ),
        model="rooms.TitleTakedown",
        blanked_columns=("topic",),
    ),
    Artefact("message takedowns", Expiry.THREAD, _("what was removed: it goes with its message")),
    Artefact("profile takedowns", Expiry.ACCOUNT, _("what was removed from a profile: it is no part of a room’s copy")),
    Artefact("mails", Expiry.NEVER, _("to whom it went, its subject, and when; its text goes once it is sent")),
)

BY_NAME = {artefact.name: artefact for artefact in TABLE}


def kind_of(path: str) -> str:
    """Return the name of the artefact a file belongs to, by its path relative to the room's folder, else "other"."""
    for artefact in TABLE:
        if any(fnmatchcase(path, pattern) for pattern in artefact.files):
            return artefact.name
    return "other"


def unknown_erasers() -> list[str]:
    """List registered erasers whose name is not in the table: a mistyped name, or a missing row."""
    return sorted({name for name, _eraser in erasers.items()} - set(BY_NAME))


def erase_rows(rooms: Sequence[int]) -> dict[int, dict[str, int]]:
    """Delete the database rows of these rooms that expire with the copy; return row counts by room and artefact.

    Runs in the caller's transaction. Erasers that apps registered (`core.erasers`) are called at their artefact's place
    in the table. Raises LookupError for an eraser of an unknown artefact.
    """
    if unknown := unknown_erasers():
        raise LookupError(f"not in the table of artefacts: {', '.join(unknown)}")
    gone: dict[int, dict[str, int]] = {pk: {} for pk in rooms}
    registered = dict(erasers.items())
    for artefact in TABLE:
        if artefact.name in registered:
            registered[artefact.name](rooms)
        if artefact.rows is not None and artefact.expires_with is Expiry.COPY:
            for pk, count in delete_rows(artefact.rows, artefact.room, rooms).items():
                gone[pk][artefact.name] = count
        if artefact.rows is not None and artefact.blanked_columns:
            blank_columns(artefact.rows, artefact.room, artefact.blanked_columns, rooms)
    return gone


def delete_rows(model: type[models.Model], room: str, rooms: Sequence[int]) -> dict[int, int]:
    """Delete a model's rows of these rooms in one statement; return the number of rows by room."""
    rows = model._base_manager.filter(**{f"{room}__in": rooms})
    counts = dict(rows.order_by().values_list(room).annotate(count=Count("pk")))
    if counts:
        # Plain DELETE without Django's cascade: the table is in order of foreign keys, and PostgreSQL checks them.
        rows._raw_delete(rows.db)
    return counts


def blank_columns(model: type[models.Model], room: str, columns: Sequence[str], rooms: Sequence[int]) -> None:
    """Empty text columns of rows that are kept."""
    rows = model._base_manager.filter(**{f"{room}__in": rooms}).exclude(**dict.fromkeys(columns, ""))
    rows.update(**dict.fromkeys(columns, ""))


def leftovers(rooms: Sequence[int]) -> dict[int, dict[str, int]]:
    """Count rows of purged rooms that should have been deleted, by room and artefact."""
    left: dict[int, dict[str, int]] = {}
    for artefact in TABLE:
        if artefact.rows is not None and artefact.expires_with is Expiry.COPY:
            rows = artefact.rows._base_manager.filter(**{f"{artefact.room}__in": rooms})
            for pk, count in rows.order_by().values_list(artefact.room).annotate(count=Count("pk")):
                left.setdefault(pk, {})[artefact.name] = count
    return left
