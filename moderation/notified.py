"""Words of notifications about decisions: what each kind says to its reader, in a line."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from moderation.models import Notification, Report, Review

DECISION_NOTIFICATION = "decision_notification"  # an official message (moderation/official_texts.py)
Kind = Notification.Kind

# By kind and outcome (`outcome_of`).
LINES: dict[tuple[str, str], str | Promise] = {
    (Kind.STATEMENT, ""): _("Moderators decided something about you. Here you read what and why, and you can appeal."),
    (Kind.REPORT_OUTCOME, "founded"): _("Moderators found a violation in what you reported, and acted on it."),
    (Kind.REPORT_OUTCOME, "unfounded"): _("Moderators looked at what you reported, and found no violation in it."),
    (Kind.APPEAL_RECEIVED, ""): _(
        "Your appeal has arrived. Somebody who had no part in the decision looks at it again."
    ),
    (Kind.APPEAL_OUTCOME, "granted"): _("Your appeal was granted. Here you read why."),
    (Kind.APPEAL_OUTCOME, "replaced"): _(
        "Your appeal was decided: a new decision took the place of the old one. Here you read why."
    ),
    (Kind.APPEAL_OUTCOME, "dismissed"): _("Your appeal was dismissed. Here you read why."),
    (Kind.OUTCOME_CHANGED, "founded"): _(
        "Somebody looked again at what you reported: a violation was found after all, and acted on."
    ),
    (Kind.OUTCOME_CHANGED, "unfounded"): _(
        "Somebody looked again at what you reported: the violation that was found does not stand."
    ),
    (Kind.OUTCOME_CHANGED, ""): _("What was decided about you has changed. Here you read how it is now."),
}


def outcome_of(row: Notification) -> str:
    """Return what became of it for the reader of a notification: "founded" or "unfounded" for a reporter, "granted",
    "replaced" or "dismissed" for an appeal; "" for what has no outcome."""
    report, review = row.report, row.review
    if row.kind == Kind.APPEAL_OUTCOME and review is not None:
        return outcome_for(review, report)
    if row.kind in (Kind.REPORT_OUTCOME, Kind.OUTCOME_CHANGED) and report is not None:
        return "founded" if report.outcome == Report.Outcome.FOUNDED else "unfounded"
    return ""


def outcome_for(review: Review, report: Report | None, *, changed: bool = False) -> str:
    """Return what the outcome of a decided review is for one side: "granted", "replaced" or "dismissed". A reporter
    asked for a violation, the person concerned for none: one outcome may grant one appeal and dismiss the other.

    `changed` says that a later review turned the outcome of the report round: what this one answered stays.
    """
    if report is not None:
        return "granted" if (report.outcome == Report.Outcome.FOUNDED) != changed else "dismissed"
    if review.outcome != Review.Outcome.OVERTURNED:
        return "dismissed"
    return "granted" if review.replacement_id is None else "replaced"


def line_of(row: Notification, outcome: str) -> str:
    """Say a notification in one line, in the active language, with the outcome as it was when it was told."""
    return str(LINES[Kind(row.kind), outcome])


def report_line(report: Report) -> str:
    """Say what became of a report, in the active language."""
    founded = report.outcome == Report.Outcome.FOUNDED
    return str(LINES[Kind.REPORT_OUTCOME, "founded" if founded else "unfounded"])
