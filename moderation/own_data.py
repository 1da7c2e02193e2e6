"""Moderation's part of own-data downloads: what a person wrote to moderators, and what those told them. Nothing of who
reported them, of notes, of other people's reports, or of what was not told yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from moderation.models import Appeal, AppealDraft, Notification, Report, Review, Side, Statement
from moderation.notified import outcome_for
from moderation.queries.queue import category_titles
from moderation.queries.reports import progress_of
from people.hooks import OwnFile, own_data
from people.models import User

BATCH = 500


@own_data.register("moderation")
def files_of_moderation(user: User) -> Iterator[OwnFile]:
    """Yield reports, decisions and appeals."""
    reports = _("The reports that you sent, and what you and the moderators wrote to each other about them.")
    yield OwnFile("moderation/reports.json", reports, lambda: reports_by(user))
    decisions = _("Decisions about you, with their reasons, as you were told them.")
    yield OwnFile("moderation/decisions.json", decisions, lambda: decisions_about(user))
    appeals = _("Your appeals, those that you began to write, and what came of them.")
    yield OwnFile("moderation/appeals.json", appeals, lambda: appeals_by(user))


def reports_by(user: User) -> Iterator[dict[str, Any]]:
    """Yield the reports of a person, in their own words."""
    titles = dict(category_titles())
    rows = Report.objects.filter(reporter=user).select_related("case", "room", "subject").order_by("at", "pk")
    for row in rows.prefetch_related("questions").iterator(BATCH):
        yield {
            "number": row.receipt,
            "at": row.at,
            "kind": row.kind,
            "category": titles.get(row.category_id, row.category_id),
            "room": row.room.slug if row.room else None,
            "about": row.subject.handle if row.subject else None,
            "from_ms": row.from_ms,
            "to_ms": row.to_ms,
            "words": row.words,
            "law": row.law,
            "words_deleted_at": row.erased_at,
            "progress": str(progress_of(row)),
            "outcome": row.outcome if row.appeal_until is not None else "",  # once they were told
            "exchange": [
                {"by": "you" if line.author_id is None else "moderators", "at": line.at, "text": line.text}
                for line in row.questions.all()
            ],
        }


def decisions_about(user: User) -> Iterator[dict[str, Any]]:
    """Yield the statements of reasons that a person was told."""
    rows = Statement.objects.filter(person=user, told_at__isnull=False).order_by("told_at", "pk")
    for row in rows.iterator(BATCH):
        yield {
            "told_at": row.told_at,
            "language": row.language,
            "statement": row.body.get("parts", []),
            "appeal_until": row.appeal_until,
            "words_deleted_at": row.erased_at,
        }


def appeals_by(user: User) -> dict[str, Any]:
    """Describe a person's appeals, their outcomes as they were told ("granted", "replaced" or "dismissed": what became
    of the decision may be the outcome of another's appeal), and their drafts."""
    rows = Appeal.objects.filter(person=user).select_related("review", "report").order_by("filed_at", "pk")
    outcomes = Notification.objects.filter(
        kind=Notification.Kind.APPEAL_OUTCOME, person=user, told_at__isnull=False, review__state=Review.State.DECIDED
    )
    told = set(outcomes.values_list("review", flat=True))
    changed = Notification.objects.filter(kind=Notification.Kind.OUTCOME_CHANGED, person=user, report__isnull=False)
    later = set(changed.values_list("report", flat=True))
    concerned = AppealDraft.objects.filter(side=Side.CONCERNED, decision__statement__person=user)
    reporters = AppealDraft.objects.filter(side=Side.REPORTER, report__reporter=user)
    return {
        "filed": [
            {
                "filed_at": row.filed_at,
                "side": row.side,
                "words": row.words,
                "words_deleted_at": row.erased_at,
                "outcome": outcome_for(row.review, row.report, changed=row.report_id in later)
                if row.review_id in told
                else None,
                "reasons": row.review.reasons if row.review_id in told else None,
            }
            for row in rows
        ],
        "drafts": [{"at": draft.at, "words": draft.words} for draft in (*concerned, *reporters)],
    }
