"""A decided case with a row of every kind, laid beside the actions: for rooms that hold something of everything."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from ledger.actions import Act, record_all
from moderation.models import (
    ActAtOnce,
    Alarm,
    Appeal,
    AppealDraft,
    AppealLink,
    Case,
    CaseNote,
    CaseParty,
    Decision,
    EvidenceLine,
    EvidenceRange,
    LegalHold,
    Look,
    Measure,
    Notification,
    OutsideReviewer,
    Report,
    ReportedMessage,
    ReportQuestion,
    Review,
    Statement,
)
from people.models import User
from rooms.models import Room
from tests.support.people import person

# Kinds of the entries of a laid case, in their order: those without which `ledger verify` finds rows without an entry.
LAID = (
    *("report_received", "legal_hold_set", "decided", "statement_made", "act_at_once", "act_settled"),
    *("appeal_filed", "review_decided", "outside_reviewer_given", "outside_reviewer_ended", "notified"),
)


def lay_case(room: Room, subject: User, reporter: User) -> None:
    """A case about somebody in a room, in which nothing was found, so that the room's clock stays as it is."""
    now, by, other = timezone.now(), person(), person()
    case = Case.objects.create(kind="person", room=room, subject=subject, state="decided", decided_at=now)
    for user in (room.host, subject, reporter):
        CaseParty.objects.create(case=case, user=user)
    about = {"kind": "person", "room": room, "subject": subject, "from_ms": 0, "to_ms": 1}
    report = Report.objects.create(case=case, reporter=reporter, category_id="spam_or_fraud", **about)
    ReportedMessage.objects.create(report=report, place=0, kind="text", line="A line", sent_at=now)
    ReportQuestion.objects.create(report=report, author=by, text="Which line?")
    EvidenceRange.objects.create(case=case, from_ms=0, to_ms=1, marked_by=by)
    EvidenceLine.objects.create(case=case, cue="cue:1", start_ms=0, end_ms=1, text="A line", quoted_by=by)
    Look.objects.create(case=case, user=by, what="shown")
    Alarm.objects.create(case=case, kind="late_act", told_at=now)
    CaseNote.objects.create(case=case, author=by, text="A note")
    decision = Decision.objects.create(case=case, outcome="no_violation", state="standing", by=by)
    Measure.objects.create(decision=decision, kind="warning")
    until = now + timedelta(days=1)
    statement = Statement.objects.create(decision=decision, person=subject, language="en", body={}, appeal_until=until)
    sides: dict[str, Any] = {"side": "reporter", "report": report, "person": reporter}
    review = Review.objects.create(
        decision=decision, state="decided", outcome="upheld", reasons="Seen", reviewer=other, decided_at=now, due_at=now
    )
    appeal = Appeal.objects.create(decision=decision, review=review, words="Look again", language="en", **sides)
    AppealDraft.objects.create(decision=decision, side="concerned", words="I did")
    AppealLink.objects.create(decision=decision, token_hash=f"{decision.pk:064}", expires_at=until, **sides)
    grant = OutsideReviewer.objects.create(review=review, user=other, given_by=by, reason="Nobody else", ended_at=now)
    told = Notification.objects.create(
        kind="report_outcome", decision=decision, report=report, person=reporter, told_at=now
    )
    settled = {"settled_at": now, "settled": "decided"}
    act = ActAtOnce.objects.create(case=case, kind="restrict", by=by, due_at=now, **settled)
    named = {"case": case.pk, "kind": "person", "room": room.pk, "subject": subject.pk, "from": 0, "to": 1}
    entries = [
        Act("report_received", report.ledger_subject, reporter.pk, named),
        Act("legal_hold_set", f"room:{room.pk}", by.pk, {"hold": lay_hold(room, by).pk}),
        Act("decided", case.ledger_subject, by.pk, {"decision": decision.pk}),
        Act("statement_made", case.ledger_subject, None, {"statement": statement.pk}),
        Act("act_at_once", case.ledger_subject, by.pk, {"act": act.pk}),
        Act("act_settled", case.ledger_subject, by.pk, {"act": act.pk}),
        Act("appeal_filed", case.ledger_subject, reporter.pk, {"appeal": appeal.pk, "side": "reporter"}),
        Act("review_decided", case.ledger_subject, other.pk, {"review": review.pk, "outcome": "upheld"}),
        Act("outside_reviewer_given", case.ledger_subject, by.pk, {"grant": grant.pk}),
        Act("outside_reviewer_ended", case.ledger_subject, None, {"grant": grant.pk}),
        Act("notified", case.ledger_subject, None, {"notification": told.pk, "kind": "report_outcome"}),
    ]
    with transaction.atomic():
        record_all(entries)


def lay_hold(room: Room, by: User) -> LegalHold:
    """An order of an authority that was lifted at once."""
    now = timezone.now()
    times = {"set_at": now, "lifted_at": now, "expires_at": now + timedelta(days=1)}
    named = {"reference": "An order", "reason": "A court", "lift_reason": "It was withdrawn"}
    return LegalHold.objects.create(room=room, set_by=by, lifted_by=by, **times, **named)
