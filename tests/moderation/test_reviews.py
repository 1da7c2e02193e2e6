"""Reviews: who may see, claim and decide one, what an outcome undoes and makes, and who is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger.models import Entry
from ledger.verify import verify
from moderation.actions import sweep
from moderation.actions.decisions import approve, lapse, turn_down
from moderation.actions.evidence import note_look
from moderation.actions.reviews import (
    ReviewDraft,
    claim_review,
    decide_review,
    release_review,
    review_stamp,
)
from moderation.models import (
    Alarm,
    Case,
    CaseParty,
    Decision,
    Measure,
    Notification,
    Report,
    Review,
    Statement,
)
from moderation.queries.reviews import (
    eligible_reviewers,
    visible_review,
    visible_reviews,
)
from moderation.rules.decisions import needs_second
from people.models import Sanction, User
from people.standing import standing_of, why_not_enter
from retention.clocks import clock_of
from rooms.models import Restriction, Room
from social.models import Message
from tests.support.cases import (
    aged,
    concerned_appeal,
    draft,
    kept_room,
    no_violation,
    open_case,
    purge_at,
    refused,
    reporter_appeal,
    review_decided,
    reviewed,
    staff,
    violation,
)
from tests.support.people import person
from tests.support.reports import report, stranger_report

pytestmark = pytest.mark.django_db
SUSPENSION = (("suspend", 7), ("restrict", None))


def appealed(*measures: tuple[str, int | None], by: User | None = None) -> tuple[Review, User, Room]:
    """A violation of Ada that she appealed."""
    ada = person("ada")
    room = kept_room("", 10, ada)
    return concerned_appeal(violation(open_case(room, subject=ada), *measures, by=by)).review, ada, room


def not_found(by: User | None = None) -> tuple[Review, Room]:
    """A “no violation” about a room that its reporter appealed."""
    room = kept_room()
    row = report(person(), room)
    no_violation(row.case, by)
    return reporter_appeal(row.pk).review, room


def kinds_told(user: User | None) -> list[str]:
    return list(Notification.objects.filter(person=user).order_by("pk").values_list("kind", flat=True))


# --- who --------------------------------------------------------------------------------------------------------------


def test_whoever_decided_or_is_a_party_sees_claims_and_decides_nothing() -> None:
    mara, bob, boss = staff(), staff(), staff("senior")
    review, _ada, _room = appealed(by=mara)
    CaseParty.objects.create(case=review.decision.case, user=bob)
    for user in (mara, bob, person(), staff("administrator"), staff("outside"), staff("child_safety")):
        assert not visible_reviews(user).exists()
        assert refused(visible_review, user, review.pk) == "unknown_review"
        assert refused(claim_review, review, user) == "unknown_review"
        assert refused(decide_review, review, user, ReviewDraft("upheld", "x")) == "unknown_review"
    assert visible_review(boss, review.pk) == review
    for values in ({"claimed_by": mara}, {"claimed_by": bob}, {"reviewer": mara}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Review.objects.filter(pk=review.pk).update(claimed_until=timezone.now(), **values)


def test_child_safety_and_cases_about_staff_are_for_their_roles() -> None:
    review, _ada, _room = appealed()
    everybody = [staff(), staff("senior"), staff("child_safety")]

    def seen() -> list[bool]:
        visible = [visible_reviews(user).exists() for user in everybody]
        row = Review.objects.select_related("decision__case").get()
        assert visible == [user in eligible_reviewers(row) for user in everybody]
        return visible

    assert review.is_open and seen() == [True, True, False]
    for columns, expected in (
        ({"for_seniors": True}, [False, True, False]),
        ({"child_safety": True}, [False, False, True]),
    ):
        Case.objects.update(**columns)
        assert seen() == expected


def test_a_claim_is_one_a_person_renewed_by_work_and_over_after_half_an_hour() -> None:
    mara, bob = staff(), staff()
    review, _ada, _room = appealed()
    other, _room = not_found()
    claim_review(review, mara)
    assert refused(claim_review, review, bob) == "claimed_by_another"
    claim_review(other, mara)
    review.refresh_from_db()
    assert review.claimed_by is None and Entry.objects.filter(kind="review_claimed").count() == 2
    assert release_review(other, mara) and not release_review(other, mara)
    claim_review(review, mara)
    Review.objects.filter(pk=review.pk).update(claimed_until=timezone.now() + timedelta(minutes=1))
    note_look(review.decision.case, mara, "lines", 0, 10)
    review.refresh_from_db()
    assert review.claimed_until is not None and review.claimed_until > timezone.now() + timedelta(minutes=29)
    Review.objects.filter(pk=review.pk).update(claimed_until=timezone.now())
    assert refused(decide_review, review, mara, ReviewDraft("upheld", "x")) == "not_claimed"
    assert sweep.sweep() >= 1 and Review.objects.get(pk=review.pk).claimed_by is None
    assert verify().ok, verify().problems


def test_somebody_who_becomes_a_party_loses_the_review() -> None:
    mara = staff()
    review, _ada, _room = appealed()
    claim_review(review, mara)
    CaseParty.objects.create(case=review.decision.case, user=mara)
    assert Review.objects.get().claimed_by is None


def test_nobody_decides_without_claim_and_look_or_on_what_changed() -> None:
    mara = staff()
    room = kept_room()
    one, two = report(person(), room), report(person(), room)
    no_violation(Case.objects.get())
    review = reporter_appeal(one.pk).review
    upheld = ReviewDraft("upheld", "I listened.")
    assert refused(decide_review, review, mara, upheld) == "not_claimed"
    claim_review(review, mara)
    assert refused(decide_review, review, mara, upheld) == "not_looked"
    reviewed(review, mara)
    stamp = review_stamp(review)
    reporter_appeal(two.pk)
    assert refused(decide_review, review, mara, upheld, stamp) == "case_changed"
    decide_review(review, mara, upheld, review_stamp(review))
    assert refused(decide_review, review, mara, upheld) == "reviewed_already"
    assert refused(claim_review, review, staff()) == "reviewed_already"
    with pytest.raises(Exception, match="Cannot update"), transaction.atomic():
        Review.objects.update(outcome="overturned")


def test_a_draft_needs_reasons_and_the_new_decision_that_its_outcome_wants() -> None:
    mara = staff()
    review, _room = not_found()
    reviewed(review, mara)
    bad: list[ReviewDraft] = [
        ReviewDraft("perhaps", "x"),
        ReviewDraft("upheld", " "),
        ReviewDraft("upheld", "x" * 5001),
        ReviewDraft("upheld", "x", draft()),
        ReviewDraft("overturned", "x"),
        ReviewDraft("overturned", "x", draft(outcome="no_violation")),
        ReviewDraft("overturned", "x", draft(facts="")),
        ReviewDraft("overturned", "x", draft(ranges=[])),
    ]
    for one in bad:
        assert refused(decide_review, review, mara, one) == "bad_value", one
    assert Review.objects.get().is_open and not Statement.objects.exists()


# --- outcomes ---------------------------------------------------------------------------------------------------------


def test_upheld_changes_nothing_and_tells_who_appealed() -> None:
    review, ada, room = appealed(*SUSPENSION)
    assert purge_at(room) == (180, "appeal")
    review_decided(review, "upheld")
    assert Decision.objects.get().state == "standing" and purge_at(room) == (90, "violation")
    assert why_not_enter(standing_of(ada)) == "account_suspended"
    assert kinds_told(ada) == ["statement", "appeal_received", "appeal_outcome"]
    assert Notification.objects.filter(kind="outcome_changed").count() == 0
    entry = Entry.objects.get(kind="review_decided")
    assert entry.data["outcome"] == "upheld" and list(entry.commitments) == ["reasons"]
    assert verify().ok, verify().problems


def test_overturned_undoes_exactly_what_the_decision_imposed() -> None:
    review, ada, room = appealed(*SUSPENSION)
    other = violation(open_case(room), ("restrict", None))
    reporter = Report.objects.filter(case=review.decision.case).get().reporter
    review_decided(review, "overturned")
    review.decision.refresh_from_db()
    assert review.decision.state == "undone" and review.decision.case.state == "decided"
    assert not Sanction.objects.in_force().exists() and why_not_enter(standing_of(ada)) is None
    standing = Restriction.objects.filter(lifted_at=None)
    assert standing.get().pk == Measure.objects.get(decision=other).memory["restriction"], "the other's stands"
    assert kinds_told(ada) == ["statement", "appeal_received", "appeal_outcome"]
    assert kinds_told(reporter) == ["report_outcome", "outcome_changed"]
    assert Report.objects.get(case=review.decision.case).outcome == "unfounded"
    assert verify().ok, verify().problems


def test_overturned_past_day_thirty_the_copy_goes_on_the_next_run() -> None:
    review, _ada, room = appealed()
    aged(room, 31)
    assert purge_at(room) == (180, "appeal")
    review_decided(review, "overturned")
    its = clock_of(Room.objects.get(pk=room.pk))
    assert its is not None and its.due and its.reason == "released"


def test_no_violation_is_overturned_by_a_new_decision_of_the_reviewer() -> None:
    decider, mara = staff(), staff()
    review, room = not_found(decider)
    review_decided(review, "overturned", mara, draft(*SUSPENSION))
    review.refresh_from_db()
    new = review.replacement
    assert new is not None and (new.by, new.state, new.case) == (mara, "standing", review.decision.case)
    assert Decision.objects.get(pk=review.decision_id).state == "undone"
    assert Statement.objects.get().decision == new and purge_at(room) == (90, "violation")
    reporter = review.appeals.get().person
    assert kinds_told(reporter) == ["report_outcome", "appeal_received", "appeal_outcome"]
    assert kinds_told(room.host) == ["statement"]
    assert Report.objects.get().outcome == "founded"
    assert verify().ok, verify().problems
    # The person concerned may appeal it once, to somebody who had no part in it.
    second = concerned_appeal(new).review
    for user in (mara, decider):
        assert refused(claim_review, second, user) == "unknown_review"
    review_decided(second, "overturned")
    assert not Decision.objects.filter(state="standing").exists()
    assert Report.objects.get().outcome == "unfounded"
    assert kinds_told(reporter)[3:] == ["outcome_changed"]
    assert verify().ok, verify().problems


def test_a_new_decision_rests_on_the_ranges_that_it_names() -> None:
    ada = person("ada")
    room = kept_room("", 10, ada)
    here = report(person(), room, subject=ada, from_ms=0, to_ms=1000)
    there = stranger_report(room, subject=ada, from_ms=300_000, to_ms=301_000)
    decision = violation(Case.objects.get())
    Report.objects.filter(pk=there.pk).update(outcome="unfounded")
    review = reporter_appeal(there.pk).review
    review_decided(review, "overturned", new=draft(ranges=[(300_000, 301_000), (9_999_999, 10_000_000)]))
    new = Decision.objects.get(state="standing")
    assert new.ranges == [[300_000, 301_000]] and Statement.objects.get(decision=new).body["evidence"]["ranges"] == [
        [300_000, 301_000]
    ]
    assert "takes the place of what we told you" in str(Statement.objects.get(decision=new).body)
    outcomes = dict(Report.objects.values_list("pk", "outcome"))
    assert outcomes == {here.pk: "unfounded", there.pk: "founded"} and decision.pk != new.pk
    told_kinds = Notification.objects.order_by("pk").values_list("kind", flat=True)
    assert list(told_kinds.filter(report=here)) == ["report_outcome", "outcome_changed"]
    assert list(told_kinds.filter(report=there)) == ["report_outcome", "appeal_received", "appeal_outcome"]
    assert list(told_kinds.filter(person=ada)) == ["statement", "statement"], "a new decision has its own statement"


def test_the_person_concerned_learns_that_a_reporters_appeal_overturned_what_concerns_them() -> None:
    ada = person("ada")
    room = kept_room("", 10, ada)
    one = report(person(), room, subject=ada)
    violation(Case.objects.get())
    Report.objects.update(outcome="unfounded")
    review_decided(reporter_appeal(one.pk).review, "overturned")
    assert kinds_told(ada) == ["statement", "outcome_changed"]


# --- a new decision that needs a second -----------------------------------------------------------------------------


def proposal(decider: User | None = None) -> tuple[Review, Decision, User]:
    review, _room = not_found(decider)
    mara = staff()
    review = review_decided(review, "overturned", mara, draft(("suspend", None)))
    assert needs_second([("suspend", None)]) and review.replacement is not None
    return review, review.replacement, mara


def test_a_new_decision_that_needs_a_second_waits_and_what_stood_stands() -> None:
    review, new, mara = proposal(decider := staff())
    host = new.case.room.host if new.case.room else None
    assert host is not None and why_not_enter(standing_of(host)) == "account_suspended"
    assert (review.state, new.state, new.case.state) == ("proposed", "proposed", "decided")
    assert Decision.objects.get(pk=review.decision_id).state == "standing" and not Statement.objects.exists()
    assert refused(approve, new, mara) == "own_proposal"
    assert refused(approve, new, decider) == "took_part"
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.filter(pk=new.pk).update(second_by=review.decision.by)
    second = staff()
    approve(new, second)
    review.refresh_from_db()
    assert review.state == "decided" and review.reviewer == mara
    assert Decision.objects.get(pk=review.decision_id).state == "undone"
    assert kinds_told(host) == ["statement"] and verify().ok, verify().problems
    assert refused(claim_review, concerned_appeal(new).review, second) == "unknown_review"


@pytest.mark.parametrize("end", ["turned_down", "lapsed"])
def test_a_new_decision_that_nobody_approves_opens_the_review_again_for_somebody_else(end: str) -> None:
    review, new, mara = proposal()
    second = staff()
    if end == "turned_down":
        turn_down(new, second, "Not for good")
    else:
        assert lapse(new, timezone.now() + timedelta(days=91))
    review.refresh_from_db()
    assert (review.state, review.outcome, review.reasons, review.replacement) == ("open", "", "", None)
    assert review.reviewer is None and Decision.objects.get(pk=new.pk).state == end
    host = new.case.room.host if new.case.room else None
    assert host is not None and why_not_enter(standing_of(host)) is None
    assert refused(claim_review, review, mara) == "unknown_review", "somebody else looks at it"
    review_decided(review, "upheld")
    assert verify().ok, verify().problems


def test_a_proposal_that_waits_too_long_alerts_those_without_a_part_in_it() -> None:
    boss, other = staff("senior"), staff("senior")
    review, _room = not_found(boss)
    review_decided(review, "overturned", new=draft(("suspend", None)))
    Decision.objects.filter(state="proposed").update(at=timezone.now() - timedelta(hours=73))
    sweep.sweep()
    assert Alarm.objects.get().kind == "proposal_overdue"
    assert alarmed(other) and not alarmed(boss)


def alarmed(user: User) -> bool:
    return Message.objects.filter(receiver=user, kind="official").exists()
