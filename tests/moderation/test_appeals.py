"""Appeals: who may file one and until when, what filing does, and what nobody learns by it."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

import pgtrigger
import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.once import new_once
from ledger.models import Entry
from ledger.verify import verify
from moderation.actions.appeals import draft_of, file_appeal, keep_draft
from moderation.actions.claims import claim
from moderation.actions.decisions import decide, undo_decision
from moderation.actions.evidence import mark_range, note_look
from moderation.models import Appeal, AppealDraft, Case, Decision, Notification, Report, Review, Statement
from moderation.queries.appeals import AppealRight, concerned_right, reporter_right, rights_of_person
from people.models import User
from tests.support.cases import (
    concerned_appeal,
    draft,
    kept_room,
    no_violation,
    open_case,
    refused,
    reporter_appeal,
    review_decided,
    staff,
    told,
    violation,
)
from tests.support.people import person
from tests.support.reports import report, stranger_report

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def right_of(decision: Decision) -> AppealRight:
    return concerned_right(Statement.objects.get(decision=decision), timezone.now())


def reporters_right(pk: int, at: Any = None) -> AppealRight:
    right = reporter_right(Report.objects.select_related("case", "reporter").get(pk=pk), at or timezone.now())
    assert right is not None
    return right


def found(*measures: tuple[str, int | None]) -> tuple[Decision, User, int]:
    """A violation of Ada in a room, with the key of the report."""
    ada = person("ada")
    case = open_case(kept_room("", 10, ada), subject=ada)
    return violation(case, *measures), ada, case.reports.get().pk


# --- who may --------------------------------------------------------------------------------------------------------


def test_the_person_concerned_may_appeal_once_from_being_told_until_the_last_day() -> None:
    decision, _ada, pk = found()
    statement = Statement.objects.get()
    assert right_of(decision).refusal == "not_told" and right_of(decision).until is None
    told(decision.case)
    statement.refresh_from_db()
    assert right_of(decision).may_appeal and right_of(decision).until == statement.appeal_until
    assert concerned_right(statement, statement.appeal_until).may_appeal
    assert concerned_right(statement, statement.appeal_until + timedelta(microseconds=1)).refusal == "appeal_too_late"
    assert reporters_right(pk).refusal == "nothing_to_appeal", "what they reported was found"
    file_appeal(right_of(decision), "It was a quote.")
    assert right_of(decision).refusal == "appealed_already"
    assert refused(file_appeal, right_of(decision), "Again") == "appealed_already"


def test_what_was_undone_has_nothing_to_appeal() -> None:
    decision, _ada, pk = found()
    told(decision.case)
    stale = right_of(decision)
    undo_decision(decision, None, "By command")
    assert refused(file_appeal, stale, "Too late") == "nothing_to_appeal", "it is asked again with the case locked"
    assert reporters_right(pk).refusal == "nothing_to_appeal"


def test_a_reporter_may_appeal_that_nothing_was_found_in_their_range() -> None:
    ada = person("ada")
    room = kept_room("", 10, ada)
    here = report(person(), room, subject=ada, from_ms=0, to_ms=1000)
    other = stranger_report(room, subject=ada, from_ms=500_000, to_ms=501_000)
    assert reporter_right(Report.objects.select_related("case", "reporter").get(pk=here.pk), timezone.now()) is None
    mara, case = staff(), Case.objects.get()
    claim(case, mara)
    note_look(case, mara, "lines", 0, 1000)
    mark_range(case, mara, 0, 1000)
    decide(case, mara, draft())
    assert reporters_right(other.pk).refusal == "not_told"
    told(case)
    assert reporters_right(here.pk).refusal == "nothing_to_appeal"
    right = reporters_right(other.pk)
    assert right.may_appeal and right.person is None and right.language == "en"
    assert reporters_right(other.pk, timezone.now() + 184 * DAY).refusal == "appeal_too_late"
    appeal = file_appeal(right, "Listen to minute eight.", address="203.0.113.9")
    assert (appeal.side, appeal.person, appeal.report_id) == ("reporter", None, other.pk)
    assert refused(file_appeal, right, "Again") == "appealed_already"


def test_both_sides_join_one_review_and_each_has_one_appeal() -> None:
    ada = person("ada")
    room = kept_room("", 10, ada)
    one, two = report(person(), room), report(person(), room)
    decision = no_violation(Case.objects.get())
    first, second = reporter_appeal(one.pk), reporter_appeal(two.pk)
    assert first.review_id == second.review_id and Review.objects.get().decision == decision
    with pytest.raises(IntegrityError), transaction.atomic():
        Appeal.objects.create(
            review=first.review, decision=decision, side="reporter", report=one, words="x", language="en"
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.create(decision=decision, due_at=timezone.now())


def test_after_an_upheld_review_the_other_side_still_may_and_after_an_overturned_one_nobody() -> None:
    room = kept_room()
    one, two = report(person(), room), report(person(), room)
    no_violation(Case.objects.get())
    review = reporter_appeal(one.pk).review
    told(review.decision.case)
    review_decided(review, "upheld")
    assert reporters_right(one.pk).refusal == "appealed_already"
    again = reporter_appeal(two.pk).review
    assert again.pk != review.pk
    three = Report.objects.get(pk=one.pk)
    review_decided(again, "overturned", new=draft())
    told(three.case)
    assert reporters_right(two.pk).refusal == "appealed_already"
    assert {right.refusal for right in rights_of_person(one.reporter, timezone.now())} == {"appealed_already"}  # type: ignore[arg-type]
    assert Statement.objects.count() == 1 and right_of(Decision.objects.get(state="standing")).may_appeal


def test_an_overturned_decision_is_final_for_reporters() -> None:
    decision, _ada, pk = found()
    review = concerned_appeal(decision).review
    review_decided(review, "overturned")
    assert Report.objects.get(pk=pk).outcome == "unfounded"
    assert reporters_right(pk).refusal == "review_final"
    assert right_of(decision).refusal == "appealed_already" and right_of(decision).review == review


# --- filing -----------------------------------------------------------------------------------------------------------


def test_filing_holds_the_copy_tells_the_appellant_and_enters_the_ledger() -> None:
    decision, ada, _pk = found()
    told(decision.case)
    keep_draft(right_of(decision), "It was")
    assert draft_of(right_of(decision)) == "It was"
    appeal = file_appeal(right_of(decision), "  It was a quote.\n\n\n\nListen. ")
    assert appeal.words == "It was a quote.\n\nListen." and appeal.holds and not AppealDraft.objects.exists()
    assert appeal.review.due_at == appeal.filed_at + 14 * DAY == right_of(decision).due_at
    received = Notification.objects.get(kind="appeal_received")
    assert (received.person, received.review, received.told_at) == (ada, appeal.review, None)
    entry = Entry.objects.get(kind="appeal_filed")
    assert (
        entry.actor == ada.pk
        and entry.data["appeal"] == appeal.pk
        and list(entry.commitments) == [f"appeal_{appeal.pk}"]
    )
    assert verify().ok, verify().problems


def test_a_text_is_cleaned_and_no_longer_than_2000_characters() -> None:
    decision, _ada, _pk = found()
    told(decision.case)
    right = right_of(decision)
    for words in ("", "  \n ", "x" * 2001, "\x00"):
        assert refused(file_appeal, right, words) == "bad_value"
    assert refused(keep_draft, right, "x" * 2001) == "bad_value"
    assert len(file_appeal(right, "é" * 2000).words) == 2000


def test_the_same_form_twice_is_one_appeal() -> None:
    decision, _ada, _pk = found()
    told(decision.case)
    right, once = right_of(decision), new_once()
    first = file_appeal(right, "It was a quote.", once=once)
    assert file_appeal(right, "It was a quote.", once=once) == first
    assert refused(file_appeal, right, "It was a quote.", once=new_once()) == "appealed_already"
    assert Appeal.objects.count() == Review.objects.count() == 1


def test_an_appeal_is_never_changed() -> None:
    appeal = concerned_appeal(found()[0])
    for values in ({"words": "Other"}, {"filed_at": timezone.now()}, {"side": "reporter"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Appeal.objects.filter(pk=appeal.pk).update(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        appeal.delete()


def test_decisions_of_before_are_told_once_as_long_as_they_can_be_appealed() -> None:
    decision, _ada, _pk = found()
    no_violation(open_case())
    old = violation(open_case(kept_room(), subject=None))
    rows = Notification.objects.exclude(decision=old).order_by("kind", "decision", "report")
    made = list(rows.values_list("kind", "decision", "review", "report", "person"))
    Notification.objects.all().delete()
    Case.objects.filter(pk=old.case_id).update(decided_at=timezone.now() - 184 * DAY)
    with pgtrigger.ignore("moderation.Statement:statement_unchanged"):
        Statement.objects.filter(decision=old).update(made_at=timezone.now() - 184 * DAY)
    import_module("moderation.migrations.0019_tell_of_before").make_notifications(apps, None)
    assert list(rows.values_list("kind", "decision", "review", "report", "person")) == made
    assert len(made) == 3 and not Notification.objects.filter(decision=old).exists() and decision.state == "standing"
