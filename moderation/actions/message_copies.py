"""Copies of a reported message and its neighbours: moderators see these, and no conversation."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.utils import translation

from moderation.models import Report, ReportedMessage
from moderation.refusals import ModerationRefused
from social.actions.threads import lock_threads
from social.models import Message
from social.threads import Line, lines_of

NEIGHBOURS = 5  # copied on each side of the reported message


def copy_message(row: Report) -> list[ReportedMessage]:
    """Copy the reported message and its neighbours, as the reporter sees them now; cards in English, with their data.

    Raises unknown_message where it was deleted meanwhile.
    """
    if row.reporter is None or row.message is None:
        raise ModerationRefused("unknown_message")
    seen = Message.objects.seen_by(row.reporter.pk)
    thread = seen.filter(pk=row.message).values_list("thread", flat=True).first()
    lock_threads([thread] if thread else [])  # neither side deletes it meanwhile
    message = seen.filter(pk=row.message).first()
    if message is None:
        raise ModerationRefused("unknown_message")
    seen = seen.filter(thread=message.thread_id)
    before = list(seen.filter(pk__lt=message.pk).order_by("-pk")[:NEIGHBOURS])[::-1]
    from_here = list(seen.filter(pk__gte=message.pk).order_by("pk")[: NEIGHBOURS + 1])
    with translation.override("en"):
        lines: Sequence[Line] = lines_of([*before, *from_here], row.reporter)
    return ReportedMessage.objects.bulk_create(
        ReportedMessage(
            report=row,
            place=place,
            reported=line.message.pk == message.pk,
            sender_id=line.message.sender_id,
            kind=line.message.kind,
            line=line.drawn.text,
            data=dict(line.drawn.data),
            sent_at=line.message.sent_at,
        )
        for place, line in enumerate(lines)
    )


def texts_of(copies: Sequence[ReportedMessage]) -> dict[str, str]:
    """Return all that is stored of copied messages as texts of the ledger, by name."""
    return {f"message_{copy.place}": _committed(copy) for copy in copies}


def _committed(copy: ReportedMessage) -> str:
    data = f" {json.dumps(copy.data, sort_keys=True, ensure_ascii=False)}" if copy.data else ""
    return f"{copy.sender_id} {copy.sent_at.isoformat()} {copy.line}{data}"
