"""Shapes of the API's requests and answers."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.api.fields import TypedField
from moderation.models import WORDS
from moderation.models.reports import LAW

_MOST_MS = 2**53  # numbers beyond it are no milliseconds of any room, and not exact in JSON


class NoticeRequest(serializers.Serializer[Any]):
    """Fields that every report has."""

    category = serializers.SlugField(max_length=40)
    words = TypedField(text=WORDS, required=False, default="", allow_blank=True, help_text="Required for “other”.")
    law = TypedField(
        text=LAW, required=False, default="", allow_blank=True, help_text="Law or rule that it breaks, as you see it."
    )
    good_faith = serializers.BooleanField(help_text="Has to be true: what you say is right, as far as you know.")
    once = serializers.CharField(
        max_length=200,
        required=False,
        default="",
        allow_blank=True,
        help_text="Any text of yours: sent again with it, the report is not a second one.",
    )


class MessageReportRequest(NoticeRequest):
    """A report of a message; it is copied, with at most five on each side."""


class SeenReportRequest(NoticeRequest):
    """A report of something as it is now; it is kept as it stood."""


class PersonReportRequest(NoticeRequest):
    """A report of a person's page or picture as it is now; it is kept as it stood."""

    what = serializers.ChoiceField(choices=["profile", "picture"])


class ReportRequest(NoticeRequest):
    """A report about a person in a room, or about the room as a whole."""

    subject = serializers.CharField(
        max_length=31, required=False, allow_null=True, default=None, help_text="A handle; null: the room as a whole."
    )
    from_ms = serializers.IntegerField(min_value=0, max_value=_MOST_MS, help_text="Room time in milliseconds.")
    to_ms = serializers.IntegerField(
        min_value=0, max_value=_MOST_MS, help_text="Room time; at most ten minutes after `from_ms`."
    )


class ReportReceipt(serializers.Serializer[Any]):
    """The receipt of a report: all that is ever said of it here."""

    id = serializers.UUIDField()
    text = serializers.CharField()
