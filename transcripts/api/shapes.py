"""Serializers of the API's requests and responses; rules live in actions."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.api.fields import TypedField
from transcripts.actions import CUE_TEXT
from transcripts.lines.cues import break_into_lines
from transcripts.models import Cue, Transcript
from transcripts.queries import SEARCH

MAX_PAGE = 500


class TranscriptShape(serializers.Serializer[Any]):
    """State of a transcript. `minutes_left` is null until a speed was measured; `gaps`: windows that failed."""

    state = serializers.ChoiceField(choices=Transcript.State.choices)
    language = serializers.CharField()
    model = serializers.CharField()
    version = serializers.CharField()
    percent = serializers.IntegerField()
    minutes_left = serializers.IntegerField(allow_null=True)
    gaps = serializers.IntegerField()
    finished_at = serializers.DateTimeField(allow_null=True)
    may_correct = serializers.BooleanField(help_text="Whether the reader may correct lines and try failures again.")


class WordShape(serializers.Serializer[Any]):
    """A word (`w`), its start and end (`s`, `e`, ms of room time) and the model's probability of it (`p`, 0 to 1)."""

    w = serializers.CharField()
    s = serializers.IntegerField()
    e = serializers.IntegerField()
    p = serializers.FloatField()


class CueShape(serializers.Serializer[Any]):
    """A line. `text` is the shown text, corrected or not; `words` and `machine_text` are always the machine's.

    `rows` is `text` broken for reading, in rows of at most 42 letters.
    """

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Cue.Kind.choices)
    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    speaker = serializers.CharField(help_text="Handle.")
    name = serializers.CharField()
    text = serializers.CharField()
    rows = serializers.ListField(child=serializers.CharField())
    machine_text = serializers.CharField()
    corrected_at = serializers.DateTimeField(allow_null=True)
    confidence = serializers.FloatField(allow_null=True)
    doubtful = serializers.BooleanField(help_text="The machine may have made the words up: another language, perhaps.")
    model = serializers.CharField()
    version = serializers.CharField()
    words = WordShape(many=True)


class Cues(serializers.Serializer[Any]):
    """A page of lines in order of time. Pass `next` as `after` to get the next page; null on the last one."""

    cues = CueShape(many=True)
    next = serializers.CharField(allow_null=True)


class CueFilterShape(serializers.Serializer[Any]):
    """Filter of lines: by words, range of room time (ms) and speaker."""

    q = TypedField(text=SEARCH, required=False, default="", allow_blank=True)
    speaker = serializers.CharField(required=False, default="", max_length=30, help_text="Handle.")
    from_ms = serializers.IntegerField(required=False, default=0, min_value=0, max_value=2**53)
    to_ms = serializers.IntegerField(required=False, default=None, min_value=0, max_value=2**53)
    after = serializers.RegexField(r"^\d{1,15}-\d{1,15}$", required=False, default="", help_text="`next` of a page.")
    limit = serializers.IntegerField(required=False, default=200, min_value=1, max_value=MAX_PAGE)


class FileFilterShape(serializers.Serializer[Any]):
    """Filter of a file's lines: all, or with `mine` the reader's own."""

    mine = serializers.BooleanField(required=False, default=False)


class CorrectCue(serializers.Serializer[Any]):
    """Correction of a line; null removes it."""

    text = serializers.CharField(allow_null=True, allow_blank=True, trim_whitespace=False, max_length=CUE_TEXT.longest)


def cue(row: Cue) -> dict[str, Any]:
    """Convert a cue to the fields of CueShape."""
    return {
        "id": row.pk,
        "kind": row.kind,
        "start_ms": row.start_ms,
        "end_ms": row.end_ms,
        "speaker": row.seat.user.handle,
        "name": row.seat.user.display_name,
        "text": row.shown_text,
        "rows": break_into_lines(row.shown_text, row.language),
        "machine_text": row.text,
        "corrected_at": row.corrected_at,
        "confidence": row.confidence,
        "doubtful": row.is_doubtful,
        "model": row.model,
        "version": row.version,
        "words": row.words,
    }
