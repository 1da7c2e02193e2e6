"""Reviews that nobody may decide, that are late or on the record, and what nobody learns of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from ledger.queries import visible_entries
from ledger.verify import verify
from moderation.actions import sweep
from moderation.actions.decisions import undo_decision
from moderation.actions.evidence import note_look
from moderation.actions.reviews import (
    ReviewDraft,
    assign_outside,
    claim_review,
    decide_review,
    end_outside,
    release_review,
)
from moderation.models import (
    Alarm,
    Case,
    Decision,
    OutsideReviewer,
    Report,
    Review,
)
from moderation.queries.appeals import reporter_right
from moderation.queries.reviews import (
    assignable_reviews,
    case_of_review,
    eligible_reviewers,
    possible_outside,
    visible_reviews,
)
from people.models import User
from people.standing import standing_of, why_not_enter
from retention.purge import purge
from tests.moderation.test_reviews import SUSPENSION, alarmed, appealed, kinds_told
from tests.support.cases import (
    aged,
    concerned_appeal,
    kept_room,
    purge_at,
    refused,
    review_decided,
    reviewed,
    staff,
    told,
    violation,
)
from tests.support.people import person
from tests.support.reports import report

pytestmark = pytest.mark.django_db


# --- nobody eligible --------------------------------------------------------------------------------------------------


def test_nobody_eligible_is_told_and_an_outside_reviewer_decides() -> None:
    mara, admin, outside = staff(), staff("administrator"), staff("outside")
    review, ada, _room = appealed(*SUSPENSION, by=mara)
    assert not eligible_reviewers(review).exists() and list(possible_outside(review)) == [outside]
    assert sweep.sweep() and sweep.sweep() == 0
    assert Alarm.objects.get().kind == "no_reviewer" and alarmed(admin) and not alarmed(mara)
    assert assignable_reviews(admin, timezone.now()) == [review] and assignable_reviews(mara, timezone.now()) == []
    assert refused(assign_outside, review, outside, admin, " ") == "bad_value"
    assert refused(assign_outside, review, outside, mara, "x") == "not_allowed"
    for nobody in (ada, mara, person(), admin):
        assert refused(assign_outside, review, nobody, admin, "x") == "not_eligible"
    assert refused(note_look, review.decision.case, outside, "lines", 0, 10) == "unknown_case"
    grant = assign_outside(review, outside, admin, "Nobody else is left")
    assert refused(assign_outside, review, outside, admin, "x") == "reviewer_given"
    assert list(visible_reviews(outside)) == [review] and case_of_review(outside, review.decision.case_id)
    assert refused(case_of_review, person(), review.decision.case_id) == "unknown_case"
    review_decided(review, "overturned", outside)
    grant.refresh_from_db()
    assert grant.ended_at is not None and not visible_reviews(outside).exists()
    assert why_not_enter(standing_of(ada)) is None and verify().ok, verify().problems


def test_a_review_is_taken_back_from_its_outside_reviewer_with_the_claim() -> None:
    admin, outside = staff("administrator"), staff("outside")
    review, _ada, _room = appealed()
    grant = assign_outside(review, outside, admin, "Nobody else is left")
    claim_review(review, outside)
    assert refused(end_outside, grant, person()) == "not_allowed"
    assert end_outside(grant, admin) and not end_outside(grant, admin)
    assert Review.objects.get().claimed_by is None
    assert refused(claim_review, review, outside) == "unknown_review"
    assert assign_outside(review, outside, admin, "Again").pk != grant.pk
    assert OutsideReviewer.objects.filter(ended_at=None).count() == 1 and verify().ok, verify().problems


def test_an_outside_reviewer_is_for_where_nobody_may_or_nobody_did_in_time() -> None:
    admin, outside = staff("administrator"), staff("outside")
    review, _ada, _room = appealed()
    mara = staff()
    assert refused(assign_outside, review, outside, admin, "x") == "reviewer_eligible"
    Review.objects.update(due_at=timezone.now())
    claim_review(review, mara)
    assert refused(assign_outside, review, outside, admin, "x") == "claimed_by_another"
    release_review(review, mara)
    assert assign_outside(review, outside, admin, "It waits for two weeks")


def test_whoever_decided_assigns_only_where_nobody_else_may() -> None:
    boss, outside = staff("senior"), staff("outside")
    review, _ada, _room = appealed(by=boss)
    admin = staff("administrator")
    assert refused(assign_outside, review, outside, boss, "x") == "unknown_review"
    User.objects.filter(pk=admin.pk).update(is_active=False)
    assert assign_outside(review, outside, boss, "Nobody else may")


# --- late, and on the record ------------------------------------------------------------------------------------------


def test_a_late_review_alerts_seniors_without_a_part_in_it_once() -> None:
    boss, other = staff("senior"), staff("senior")
    _review, _ada, _room = appealed(by=boss)
    Review.objects.update(due_at=timezone.now())
    assert sweep.sweep() == 1 and sweep.sweep() == 0
    assert Alarm.objects.get().kind == "appeal_overdue" and alarmed(other) and not alarmed(boss)


def test_after_day_180_the_copy_is_gone_and_it_is_decided_on_the_record() -> None:
    review, ada, room = appealed()
    aged(room, 179)
    assert purge_at(room) == (180, "appeal")
    aged(room, 1.1)
    assert purge([room.pk]) == [room.pk]
    mara = staff()
    claim_review(review, mara)
    case = Case.objects.select_related("room").get()
    assert refused(note_look, case, mara, "lines", 0, 10) == "copy_gone"
    assert refused(decide_review, review, mara, ReviewDraft("overturned", "x")) == "not_looked"
    note_look(case, mara, "shown")
    decide_review(review, mara, ReviewDraft("overturned", "By the record alone."))
    assert kinds_told(ada)[-1] == "appeal_outcome" and verify().ok, verify().problems


def test_a_decision_that_is_undone_meanwhile_cannot_be_upheld() -> None:
    review, _ada, _room = appealed()
    mara = staff()
    reviewed(review, mara)
    assert undo_decision(review.decision, None, "By command")
    assert refused(decide_review, review, mara, ReviewDraft("upheld", "x")) == "bad_value"
    decide_review(review, mara, ReviewDraft("overturned", "It was undone already."))
    assert verify().ok, verify().problems


# --- leaks ------------------------------------------------------------------------------------------------------------


def test_a_reporter_learns_nothing_of_the_appeal_and_review_of_another() -> None:
    ada = person("ada")
    room = kept_room("", 10, ada)
    row = report(person(), room, subject=ada)
    violation(Case.objects.get())
    Report.objects.update(outcome="unfounded")
    told(Case.objects.get())

    def seen() -> Any:
        right = reporter_right(Report.objects.select_related("case", "reporter").get(pk=row.pk), timezone.now())
        assert right is not None
        return right.until, right.refusal, right.appeal, right.review, right.due_at, kinds_told(row.reporter)

    before, mara = seen(), staff()
    steps: list[Callable[[], Any]] = [
        lambda: concerned_appeal(Decision.objects.get()),
        lambda: claim_review(Review.objects.get(), mara),
        lambda: review_decided(Review.objects.get(), "upheld", mara),
    ]
    for step in steps:
        step()
        assert seen() == before


def test_who_had_a_part_reads_no_entry_of_an_open_review() -> None:
    mara = staff()
    review, _ada, _room = appealed(by=mara)
    claim_review(review, bob := staff())
    hidden = {"appeal_filed", "review_claimed"}

    def kinds(user: User) -> set[str]:
        return set(visible_entries(user.pk).values_list("kind", flat=True)) & hidden

    assert kinds(mara) == set() and kinds(staff()) == hidden
    review_decided(review, "upheld", bob)
    assert kinds(mara) == hidden
