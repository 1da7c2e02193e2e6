"""Sweep of what is due in cases: late acts, proposals that nobody approves, claims, looks that are due, reviews that
are late or that nobody may decide, notifications and alarms that wait."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from core.batches import run_each
from ledger.actions import Act, record_all
from moderation.actions.alarms import alert, tell_of_more
from moderation.actions.claims import release_expired
from moderation.actions.decisions import PROVISIONAL, lapse
from moderation.actions.joining import refresh_parties
from moderation.actions.locking import locked_case
from moderation.actions.making import lapse_of
from moderation.actions.review_claims import held_reviews, lock_review, release_expired_reviews
from moderation.actions.settling import settle
from moderation.actions.telling import case_changed, review_changed
from moderation.actions.telling_people import send_late
from moderation.models import ActAtOnce, Case, CaseParty, Decision, Look, OutsideReviewer, Review
from moderation.models.appeals import UNDECIDED
from moderation.queries.reviews import eligible_reviewers
from rooms.models import Room, Seat


def sweep(now: datetime | None = None) -> int:
    """Do what is due; each in a transaction of its own, safe to repeat. Returns how many things were done."""
    moment = now or timezone.now()
    seen = release_expired() + release_expired_reviews() + add_parties(moment)
    seen += lift_late_acts(moment) + alert_unlooked(moment) + handle_proposals(moment)
    seen += alert_overdue_reviews(moment) + alert_stranded_reviews(moment)
    return seen + send_late(moment) + tell_of_more(moment)


def add_parties(now: datetime) -> int:
    """Make those who took a seat since parties of their room's cases; staff among them lose the case they work on. They
    saw nothing of it from that moment (`moderation.queries.access`): this is what stays once seats are purged."""
    recent = Q(room__status=Room.Status.LIVE) | Q(room__ended_at__gte=now - timedelta(hours=1))
    known = CaseParty.objects.filter(case=OuterRef(OuterRef("pk")), user=OuterRef("user"))
    new = Seat.objects.filter(room=OuterRef("room")).filter(~Exists(known))
    cases = list(Case.objects.filter(recent).filter(Exists(new)).order_by("pk")[:200])
    run_each(cases, _add_parties, "adding parties of a case")
    return len(cases)


def _add_parties(incomplete: Case) -> None:
    with locked_case(incomplete.pk) as case:
        holder, reviewers = case.claimed_by_id, held_reviews(case)
        refresh_parties(case)
        acts = []
        if case.claimed_by_id != holder:
            case_changed(case)
            acts.append(Act("case_released", case.ledger_subject, None, {"from": holder, "why": "party"}))
        for pk in reviewers.keys() - held_reviews(case).keys():
            data = {"review": pk, "from": reviewers[pk], "why": "party"}
            acts.append(Act("review_released", case.ledger_subject, None, data))
        if acts:
            record_all(acts)


def lift_late_acts(now: datetime) -> int:
    """Lift acts at once for which no rule and facts came in time, and alert seniors. A proposal has both."""
    acts = ActAtOnce.objects.filter(settled_at=None, due_at__lte=now, case__state=Case.State.OPEN)
    late = list(acts.exclude(kind=ActAtOnce.Kind.CLOSE_COPY).order_by("due_at", "pk")[:200])
    run_each(late, lambda act: _lift(act, now), "lifting a late act")
    return len(late)


def _lift(late: ActAtOnce, now: datetime) -> None:
    with locked_case(late.case_id, with_room=True) as case:
        act = ActAtOnce.objects.filter(pk=late.pk, settled_at=None, due_at__lte=now).first()
        if act is None or case.state != Case.State.OPEN:
            return
        alert(case, "late_act")
        case_changed(case)
        record_all(settle([act], ActAtOnce.Settled.LATE, None, now))


def alert_unlooked(now: datetime) -> int:
    """Alert the child-safety role of copies that a report closed and at which nobody looked within the hour."""
    due = ActAtOnce.objects.filter(settled_at=None, kind=ActAtOnce.Kind.CLOSE_COPY, due_at__lte=now, alerted_at=None)
    rows = list(due.order_by("due_at", "pk")[:200])
    run_each(rows, lambda act: _alert_unlooked(act, now), "alerting of a copy that nobody looked at")
    return len(rows)


def _alert_unlooked(closed: ActAtOnce, now: datetime) -> None:
    with locked_case(closed.case_id) as case:
        act = ActAtOnce.objects.filter(pk=closed.pk, settled_at=None, alerted_at=None).first()
        if act is None:
            return
        act.alerted_at = now
        act.save(update_fields=["alerted_at"])
        if not Look.objects.filter(case=case, at__gte=act.at).exists():
            alert(case, "child_safety_overdue")
            case_changed(case)


def handle_proposals(now: datetime) -> int:
    """Let proposals lapse on their day, and alert seniors once of those that wait for longer than the suspension ran:
    that ended by itself."""
    waiting = list(Decision.objects.filter(state=Decision.State.PROPOSED).select_related("case__room").order_by("pk"))
    lapsed = [row for row in waiting if lapse_of(row) <= now]
    run_each(lapsed, lambda row: lapse(row, now), "ending a proposal on its day")
    overdue = [row for row in waiting if row not in lapsed and row.alerted_at is None and row.at + PROVISIONAL <= now]
    run_each(overdue, lambda row: _alert_overdue(row, now), "alerting of a proposal")
    return len(lapsed) + len(overdue)


def _alert_overdue(late: Decision, now: datetime) -> None:
    with locked_case(late.case_id) as case:
        row = Decision.objects.filter(pk=late.pk, state=Decision.State.PROPOSED, alerted_at=None).first()
        if row is None:
            return
        row.alerted_at = now
        row.save(update_fields=["alerted_at"])
        alert(case, "proposal_overdue")
        case_changed(case)


def alert_overdue_reviews(now: datetime) -> int:
    """Alert seniors once of reviews that were not decided in time."""
    due = Review.objects.filter(state__in=UNDECIDED, due_at__lte=now, alerted_at=None)
    rows = list(due.select_related("decision").order_by("due_at", "pk")[:200])
    run_each(rows, lambda row: _alert_late_review(row, now), "alerting of a review")
    return len(rows)


def _alert_late_review(late: Review, now: datetime) -> None:
    with locked_case(late.decision.case_id) as case:
        row = lock_review(late, case)
        if not row.is_open or row.alerted_at is not None:
            return
        row.alerted_at = now
        row.save(update_fields=["alerted_at"])
        alert(case, "appeal_overdue")
        review_changed(case)


def alert_stranded_reviews(now: datetime) -> int:
    """Alert those who may give a review to an outside reviewer once nobody of the staff may decide it, and again where
    somebody could in between. Returns how many reviews changed."""
    given = OutsideReviewer.objects.filter(review=OuterRef("pk"), ended_at=None)
    waiting = Review.objects.filter(~Exists(given), state=Review.State.OPEN, claimed_by=None)
    rows = list(waiting.select_related("decision__case__room").order_by("due_at", "pk")[:200])
    changed = [row for row in rows if (row.stranded_at is None) != eligible_reviewers(row).exists()]
    run_each(changed, lambda row: _note_stranded(row, now), "looking for somebody who may review")
    return len(changed)


def _note_stranded(waiting: Review, now: datetime) -> None:
    with locked_case(waiting.decision.case_id) as case:
        row = lock_review(waiting, case)
        if row.state != Review.State.OPEN or (row.stranded_at is None) == eligible_reviewers(row).exists():
            return
        row.stranded_at = now if row.stranded_at is None else None
        row.save(update_fields=["stranded_at"])
        if row.stranded_at is not None:
            alert(case, "no_reviewer")
        review_changed(case)
