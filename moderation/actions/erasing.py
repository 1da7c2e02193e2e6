"""Erasing of a case's words when their time is over. Who reported whom, categories, rules and times stay."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from ledger.actions import erase_texts
from moderation.models import (
    Appeal,
    AppealDraft,
    Case,
    CaseNote,
    Decision,
    EvidenceLine,
    Notification,
    OutsideReviewer,
    Report,
    ReportedMessage,
    ReportQuestion,
    Review,
    Statement,
)
from moderation.models.appeals import UNDECIDED

BATCH = 50  # cases of one transaction: it holds the ledger's lock at its end
RULE = "report_words_days"


@dataclass(frozen=True)
class Worded:
    """A model with words of people: the lookup from a row to its case, and the columns with their empty values. Rows of
    a model with `erased_at` get the time there; those of one without columns are deleted."""

    model: type[models.Model]
    case: str
    columns: dict[str, Any] = field(default_factory=dict)
    dated: bool = False


# A model more is a line more.
WORDED: tuple[Worded, ...] = (
    Worded(ReportedMessage, "report__case"),
    Worded(ReportQuestion, "report__case", {"text": ""}),
    Worded(
        Report,
        "case",
        {"words": "", "law": "", "shown": "", "picture": None, "reporter_name": "", "reporter_email": ""},
        dated=True,
    ),
    Worded(CaseNote, "case", {"text": ""}),
    Worded(EvidenceLine, "case", {"text": "", "speaker_name": ""}),
    Worded(Decision, "case", {"law": "", "facts": "", "public_facts": "", "second_reason": ""}, dated=True),
    Worded(Statement, "decision__case", {"body": {}}, dated=True),
    Worded(Appeal, "decision__case", {"words": ""}, dated=True),
    Worded(AppealDraft, "decision__case"),
    Worded(Review, "decision__case", {"reasons": ""}, dated=True),
    Worded(OutsideReviewer, "review__decision__case", {"reason": ""}),
)


def erase_words(now: datetime) -> int:
    """Erase the words of cases whose time is over, and the ledger's texts about them; return the number of cases.

    Safe to run twice and side by side: what another has locked it leaves to it.
    """
    erased = 0
    while count := _erase_batch(now):
        erased += count
    return erased


def due(now: datetime) -> QuerySet[Case]:
    """Select the cases whose words are to go: REPORT_WORDS_DAYS after their statement was sent, or after they were
    closed without one. A statement that waits to be sent keeps them until nobody could appeal it any more; so do
    reporters who may still appeal, a review that is open, and somebody who is still to be told."""
    limit = now - timedelta(days=settings.REPORT_WORDS_DAYS)
    waits = Q(told_at=None, appeal_until__gte=now) | Q(told_at__gte=limit)
    kept = Statement.objects.filter(waits, decision__case=OuterRef("pk"))
    may_appeal = Report.objects.filter(case=OuterRef("pk"), appeal_until__gte=now)
    reviewed = Review.objects.filter(decision__case=OuterRef("pk"), state__in=UNDECIDED)
    untold = Notification.objects.filter(decision__case=OuterRef("pk"), told_at=None, made_at__gte=limit)
    cases = Case.objects.filter(state=Case.State.DECIDED, decided_at__lt=limit, erased_at=None)
    needed = Exists(kept) | Exists(may_appeal) | Exists(reviewed) | Exists(untold)
    return cases.filter(~needed).order_by("decided_at", "pk")


@transaction.atomic
def _erase_batch(now: datetime) -> int:
    locked = due(now).select_for_update(skip_locked=True, no_key=True, of=("self",))
    pks = list(locked.values_list("pk", flat=True)[:BATCH])
    if not pks:
        return 0
    subjects = [f"case:{pk}" for pk in pks]
    subjects += [row.ledger_subject for row in Report.objects.filter(case__in=pks).only("pk", "old_subject")]
    for kind in WORDED:
        rows = kind.model._base_manager.filter(**{f"{kind.case}__in": pks})
        if kind.columns:
            rows.update(**kind.columns, **({"erased_at": now} if kind.dated else {}))
        else:
            rows.delete()
    Case.objects.filter(pk__in=pks).update(erased_at=now)
    erase_texts(subjects, None, RULE)
    return len(pks)
