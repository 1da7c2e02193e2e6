"""Erasing of words in reports when their time is over. Who reported whom, the category and the times stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction

from ledger.actions import erase_texts
from moderation.models import MessageReport, Report, ReportedMessage

BATCH = 200  # rows of one transaction: it holds the ledger's lock at its end
RULE = "report_words_days"


@dataclass(frozen=True)
class Worded:
    """A model with words of people: columns to empty, and the beginning of its rows' subjects in the ledger.

    The model has `at`, from which the time counts, and `erased_at`. `copies` is a model whose rows are deleted with the
    words; its foreign key to the model is `report`.
    """

    model: type[models.Model]
    subject: str
    columns: tuple[str, ...] = ("words",)
    copies: type[models.Model] | None = None


# A model more is a line more.
WORDED: tuple[Worded, ...] = (
    Worded(Report, "report"),
    Worded(MessageReport, "message-report", copies=ReportedMessage),
)


def erase_words(now: datetime, kinds: Sequence[Worded] = WORDED) -> int:
    """Erase words older than REPORT_WORDS_DAYS, and the ledger's texts of the same rows; return the number of rows.

    Safe to run twice and side by side: what another has locked it leaves to it.
    """
    return sum(_erase_kind(kind, now) for kind in kinds)


def _erase_kind(kind: Worded, now: datetime) -> int:
    erased = 0
    while count := _erase_batch(kind, now):
        erased += count
    return erased


@transaction.atomic
def _erase_batch(kind: Worded, now: datetime) -> int:
    due = kind.model._base_manager.filter(erased_at=None, at__lt=now - timedelta(days=settings.REPORT_WORDS_DAYS))
    locked = due.select_for_update(skip_locked=True, no_key=True).order_by("pk").values_list("pk", flat=True)
    pks = list(locked[:BATCH])
    if pks:
        kind.model._base_manager.filter(pk__in=pks).update(erased_at=now, **dict.fromkeys(kind.columns, ""))
        if kind.copies is not None:
            kind.copies._base_manager.filter(report__in=pks).delete()
        erase_texts([f"{kind.subject}:{pk}" for pk in pks], None, RULE)
    return len(pks)
