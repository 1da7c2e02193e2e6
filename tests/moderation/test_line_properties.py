"""Any sequence of reports, claims, decisions, approvals, undone measures, holds and days keeps what must hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pgtrigger
import pytest
from django.db import transaction
from django.db.models import Count, F
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from ledger.verify import verify
from moderation.actions import sweep
from moderation.actions.appeals import file_appeal
from moderation.actions.at_once import restrict_at_once
from moderation.actions.claims import claim, claim_next, release
from moderation.actions.decisions import approve, decide, turn_down, undo_decision
from moderation.actions.reviews import ReviewDraft, claim_review, decide_review
from moderation.models import (
    Appeal,
    Case,
    CaseParty,
    Decision,
    LegalHold,
    Look,
    Measure,
    Notification,
    Report,
    Review,
    Statement,
)
from moderation.models.cases import OPEN_STATES
from moderation.queries.appeals import AppealRight, concerned_right, reporter_right
from moderation.queries.reviews import eligible_reviewers
from moderation.refusals import ModerationRefused
from people.models import Sanction
from retention.clocks import clocks
from retention.policy import Finding, Hold, Reason, clock
from retention.purge import sweep as purge_due
from rooms.models import Restriction, Room
from rooms.rules.restrictions import is_restricted
from tests.support.cases import (
    draft,
    kept_room,
    no_violation,
    open_case,
    reviewed,
    staff,
    told,
    violation,
    worked_on,
)
from tests.support.people import people, person

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
HARD = (("suspend", None), ("restrict", None))
MEASURES = st.sampled_from([(("warning", None),), (("no_stage", 7), ("restrict", None)), (("suspend", 7),), HARD])
PLACES = st.integers(0, 1)


class Line(RuleBasedStateMachine):
    """Two ended rooms, each with a speaker, two moderators of whom one spoke in the second room, and a senior.

    Time passes by moving everything into the past, the moment of every row alike.
    """

    @initialize()
    def begin(self) -> None:
        self.ada = person("ada")
        self.mara, self.bob, self.senior = staff(), staff(), staff("senior")
        self.fourth, self.fifth = staff(), staff()  # for reviews: those who decided do not look at it again
        self.rooms = [kept_room("", 10, self.ada), kept_room("", 10, self.ada, self.bob)]
        self.reporters = iter(people(200))
        # Two cases are decided to begin with: else sequences seldom come as far as an appeal.
        violation(open_case(self.rooms[0], next(self.reporters), subject=self.ada), ("suspend", 7), by=self.mara)
        no_violation(open_case(self.rooms[1], next(self.reporters), subject=self.ada), self.senior)

    def case(self, place: int, *states: str) -> Case | None:
        return Case.objects.filter(room=self.rooms[place], state__in=states).order_by("-pk").first()

    def does(self, act: Any, *args: Any) -> bool:
        """Do something that may be refused; a refusal changes nothing."""
        try:
            with transaction.atomic():
                act(*args)
        except ModerationRefused:
            return False
        return True

    @rule(place=PLACES, about_ada=st.booleans())
    def report(self, place: int, about_ada: bool) -> None:
        reporter = next(self.reporters)
        subject = {"subject": self.ada} if about_ada else {}
        room = Room.objects.get(pk=self.rooms[place].pk)
        filed = self.does(lambda: open_case(room, reporter, **subject))
        if not filed:
            its = clocks({room.pk: self.end(room)}, timezone.now())[room.pk]
            assert room.purged_at is not None or its.due, "only what is gone is refused"

    def end(self, room: Room) -> datetime:
        assert room.ended_at is not None
        return room.ended_at

    @rule(place=PLACES, by=st.sampled_from(["mara", "bob", "senior"]), measures=st.none() | MEASURES)
    def decide(self, place: int, by: str, measures: Any) -> None:
        case, user = self.case(place, "open"), getattr(self, by)
        if case is None:
            return
        before, held = self.standing(), case.claimed_by_id not in (None, user.pk)
        whole = draft(outcome="no_violation") if measures is None else draft(*measures)
        if not self.does(lambda: decide(worked_on(case, user), user, whole)):
            assert self.standing() == before
            assert held or (place == 1 and by == "bob"), "only a claim and being a party keep somebody from it"

    @rule(place=PLACES, by=st.sampled_from(["mara", "bob", "senior", "fourth", "fifth"]), yes=st.booleans())
    def second(self, place: int, by: str, yes: bool) -> None:
        user = getattr(self, by)
        decision = Decision.objects.filter(case__room=self.rooms[place], state="proposed").order_by("pk").first()
        if decision is None:
            return
        act = (lambda: approve(decision, user)) if yes else (lambda: turn_down(decision, user, "No"))
        if self.does(act):
            assert user.pk != decision.by_id

    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        keys = list(Decision.objects.filter(state="standing").order_by("pk").values_list("pk", flat=True))
        if not keys:
            return
        decision = Decision.objects.get(pk=data.draw(st.sampled_from(keys)))
        others = self.standing(but=decision)
        assert self.does(undo_decision, decision, None, "Undone")
        assert self.standing() == others, "exactly what this decision imposed is gone"

    @rule(side=st.sampled_from(["concerned", "reporter"]), data=st.data())
    def appeal(self, side: str, data: st.DataObject) -> None:
        """Somebody who was told appeals; whatever is refused has its reason in what this side knows."""
        cases = list(Case.objects.filter(state="decided").order_by("pk"))
        if not cases:
            return
        case = data.draw(st.sampled_from(cases))
        for right in self.rights(case, side)[-1:]:
            filed = Appeal.objects.filter(decision=right.decision, side=side, report=right.report).count()
            assert self.does(file_appeal, right, "Look again") == right.may_appeal
            after = Appeal.objects.filter(decision=right.decision, side=side, report=right.report).count()
            assert after - filed == right.may_appeal and after <= 1, "one appeal a side"

    def rights(self, case: Case, side: str) -> list[AppealRight]:
        told(case)
        now = timezone.now()
        if side == "concerned":
            return [concerned_right(row, now) for row in Statement.objects.filter(decision__case=case).order_by("pk")]
        reports = case.reports.select_related("case", "reporter").order_by("pk")
        return [right for row in reports if (right := reporter_right(row, now)) is not None]

    def appeal_something(self) -> None:
        """File the first appeal that somebody may file."""
        for case in Case.objects.filter(state="decided").order_by("pk"):
            for right in (*self.rights(case, "concerned"), *self.rights(case, "reporter")):
                if right.may_appeal:
                    file_appeal(right, "Look again")
                    return

    @rule(
        by=st.sampled_from(["mara", "bob", "senior", "fourth", "fifth"]),
        outcome=st.sampled_from(["upheld", "overturned"]),
        measures=st.none() | MEASURES,
        data=st.data(),
    )
    def review(self, by: str, outcome: str, measures: Any, data: st.DataObject) -> None:
        """Somebody decides a review; whoever had a part in the case, or is a party, is refused."""
        user = getattr(self, by)
        if not Review.objects.filter(state="open").exists():
            self.appeal_something()
        rows = list(Review.objects.filter(state="open").order_by("pk"))
        if not rows:
            return
        review = data.draw(st.sampled_from(rows))
        found = review.decision.outcome == "violation"
        new = None if outcome == "upheld" or (found and measures is None) else draft(*(measures or ()))
        standing = review.decision.state == "standing"
        others, before = self.standing(but=review.decision), self.standing()
        gone = Room.objects.filter(cases=review.decision.case_id, purged_at__isnull=False).exists()
        eligible = user in eligible_reviewers(review)
        held = review.holder(timezone.now()) not in (None, user.pk)  # by somebody whose outcome was refused
        allowed = self.does(claim_review, review, user)
        assert allowed == (eligible and not held), "who may review is who is eligible, one at a time"
        if not allowed:
            return
        done = self.does(lambda: decide_review(reviewed(review, user), user, ReviewDraft(outcome, "Seen again", new)))
        if not done:
            restricts = any(kind == "restrict" for kind, _days in measures or ())
            assert (outcome == "upheld" and not standing) or (new is not None and gone and restricts)
            assert self.standing() == before
        elif outcome == "overturned" and new is None:
            assert self.standing() == others, "exactly what that decision imposed is undone"
        elif outcome == "upheld":
            assert self.standing() == before

    @rule(place=PLACES)
    def restrict_now(self, place: int) -> None:
        self.does(restrict_at_once, Room.objects.get(pk=self.rooms[place].pk), self.mara)

    @rule(place=PLACES, by=st.sampled_from(["mara", "bob"]))
    def claim(self, place: int, by: str) -> None:
        case = self.case(place, "open")
        if case is None:
            self.does(claim_next, getattr(self, by))
        elif not self.does(claim, case, getattr(self, by)):
            case.refresh_from_db()
            other = case.claimed_by_id not in (None, getattr(self, by).pk)
            assert other or (place == 1 and by == "bob")
        else:
            release(case, getattr(self, by))

    @rule(place=PLACES, days=st.integers(1, 200))
    def hold(self, place: int, days: int) -> None:
        room = Room.objects.get(pk=self.rooms[place].pk)
        now = timezone.now()
        if room.purged_at is None and not clocks({room.pk: self.end(room)}, now)[room.pk].due:
            LegalHold.objects.create(
                room=room, reference="1", reason="An order", set_by=self.senior, set_at=now, expires_at=now + days * DAY
            )

    @rule(days=st.sampled_from([0.5, 1.0, 3.1, 14.0, 29.0, 31.0, 61.0]))
    def pass_days(self, days: float) -> None:
        shift = days * DAY
        for model, names in MOMENTS:
            for row in model._default_manager.all():
                values = {name: getattr(row, name) - shift for name in names if getattr(row, name) is not None}
                model._default_manager.filter(pk=row.pk).update(**values)
        with without_guard():  # the moment of an appeal or a statement never changes, but here all of time moves
            Appeal.objects.update(filed_at=F("filed_at") - shift)
            Statement.objects.update(appeal_until=F("appeal_until") - shift)
        sweep.sweep()
        self.purge()

    def purge(self) -> None:
        """Purge what is due, and compare with the clock recomputed from rows by hand."""
        now = timezone.now()
        kept = list(Room.objects.filter(purged_at=None))
        due = {room.pk for room in kept if self.by_hand(room, now)}
        assert set(purge_due(now).purged) == due, "never early, and never late without a hold"

    def by_hand(self, room: Room, now: datetime) -> bool:
        """Whether a room's purge is due, from the rows and the words of the rule alone."""
        findings = [
            Finding(f"decision:{row.pk}", row.at, row.ended_at, proposed=row.state == "proposed")
            for row in Decision.objects.filter(case__room=room, outcome="violation")
        ]
        holds = [Hold(Reason.CASE, f"case:{row.pk}", row.opened_at, row.decided_at) for row in room.cases.all()]
        appeals = Appeal.objects.filter(decision__case__room=room, holds=True).select_related("review")
        holds += [Hold(Reason.APPEAL, f"appeal:{row.pk}", row.filed_at, row.review.decided_at) for row in appeals]
        holds += [Hold(Reason.LEGAL, f"legal:{row.pk}", row.set_at, row.expires_at) for row in room.legal_holds.all()]
        computed = clock(self.end(room), now, findings, holds)
        assert clocks({room.pk: self.end(room)}, now)[room.pk] == computed, "the clock equals its recomputation"
        open_now = any(hold.until is None or hold.until > now for hold in holds if hold.kind is Reason.CASE)
        ordered = any(hold.until is not None and hold.until > now for hold in holds if hold.kind is Reason.LEGAL)
        appealed = any(hold.until is None for hold in holds if hold.kind is Reason.APPEAL)
        stands = any(finding.until is None for finding in findings)
        age = (now - self.end(room)) / DAY
        if age < 30 or ordered or (age < 90 and (open_now or stands)) or (age < 180 and appealed):
            assert not computed.due, "never early"
        elif age >= 180 or (age >= 90 and not any(hold.kind is Reason.APPEAL for hold in holds)):
            assert computed.due, "never kept late without a hold"
        return computed.due

    def standing(self, but: Decision | None = None) -> tuple[set[int], set[int]]:
        """Keys of sanctions and restrictions in force, but for those of one decision."""
        sanctions = set(Sanction.objects.in_force().values_list("pk", flat=True))
        restrictions = set(Restriction.objects.filter(lifted_at=None).values_list("pk", flat=True))
        for row in () if but is None else Measure.objects.filter(decision=but):
            sanctions.discard(row.memory.get("sanction", 0))
            restrictions.discard(row.memory.get("restriction", 0))
        return sanctions, restrictions

    @invariant()
    def one_open_case_a_subject(self) -> None:
        rows = Case.objects.filter(state__in=OPEN_STATES).values("kind", "room", "subject").annotate(n=Count("pk"))
        assert all(row["n"] == 1 for row in rows)

    @invariant()
    def parties_never_act(self) -> None:
        for pair in CaseParty.objects.filter(user__is_staff=True).values_list("case", "user"):
            case, user = pair
            assert not Decision.objects.filter(case=case, by=user).exists()
            assert not Decision.objects.filter(case=case, second_by=user).exists()
            assert not Look.objects.filter(case=case, user=user).exists()
            assert not Case.objects.filter(pk=case, claimed_by=user).exists()

    @invariant()
    def nobody_reviews_what_they_had_a_part_in(self) -> None:
        for review in Review.objects.exclude(reviewer=None).select_related("decision"):
            assert not CaseParty.objects.filter(case=review.decision.case_id, user=review.reviewer).exists()
            rows = Decision.objects.filter(case=review.decision.case_id, at__lt=review.decided_at or timezone.now())
            before = rows.exclude(pk=review.replacement_id or 0).filter(pk__lte=review.decision_id)
            assert review.reviewer_id not in {pk for row in before for pk in (row.by_id, row.second_by_id)}
            new = review.replacement
            assert new is None or new.by_id == review.reviewer_id != new.second_by_id

    @invariant()
    def nobody_is_told_twice(self) -> None:
        told_once = Notification.objects.values("kind", "decision", "review", "report", "person").annotate(
            n=Count("pk")
        )
        assert all(row["n"] == 1 for row in told_once)
        for review in Review.objects.filter(state="decided").prefetch_related("appeals"):
            outcomes = Notification.objects.filter(review=review, kind="appeal_outcome").values_list("person", "report")
            assert sorted(outcomes, key=str) == sorted(
                ((one.person_id, one.report_id) for one in review.appeals.all()), key=str
            )
        for row in Statement.objects.all():
            assert Notification.objects.filter(kind="statement", decision=row.decision, person=row.person).count() == 1

    @invariant()
    def a_restriction_stands_by_a_decision_or_an_act(self) -> None:
        for room in self.rooms if hasattr(self, "rooms") else ():
            restricting = Measure.objects.filter(decision__case__room=room, kind="restrict", decision__state="standing")
            acts = Case.objects.filter(room=room, acts_at_once__settled_at=None, acts_at_once__isnull=False)
            assert is_restricted(room) == (restricting.exists() or acts.exists())

    @invariant()
    def accounts_are_suspended_by_what_stands(self) -> None:
        if hasattr(self, "ada"):
            now = timezone.now()
            by_decision = {
                row.memory["sanction"]
                for row in Measure.objects.filter(kind="suspend", decision__state="standing")
                if row.ends_at is None or row.ends_at > now
            }
            by_proposal = {
                row.memory["provisional"]
                for row in Measure.objects.filter(
                    kind="suspend", decision__state="proposed", decision__at__gt=now - 3 * DAY
                )
            }
            suspended = Sanction.objects.in_force().filter(kind="suspended")
            assert set(suspended.values_list("pk", flat=True)) == by_decision | by_proposal

    def teardown(self) -> None:
        if hasattr(self, "ada"):
            LegalHold.objects.all().delete()  # written without its action here, which records it
            report = verify()
            assert report.ok, report.problems


MOMENTS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (Room, ("started_at", "ended_at")),
    (Case, ("opened_at", "decided_at", "claimed_until")),
    (Decision, ("at", "ended_at", "second_at", "alerted_at")),
    (Measure, ("applied_at", "ends_at", "undone_at")),
    (Sanction, ("begins_at", "ends_at", "lifted_at")),
    (LegalHold, ("set_at", "expires_at")),
    (Review, ("opened_at", "due_at", "decided_at", "claimed_until")),
    (Report, ("appeal_until",)),
    (Case.acts_at_once.rel.related_model, ("at", "due_at", "settled_at")),
)


@contextmanager
def without_guard() -> Iterator[None]:
    with pgtrigger.ignore("moderation.Appeal:appeal_unchanged", "moderation.Statement:statement_unchanged"):
        yield


class EachInItsOwnTransaction(Line):
    """The line, with a database of its own for each example."""

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)


def test_any_sequence_of_acts_keeps_what_must_hold() -> None:
    run_state_machine_as_test(
        EachInItsOwnTransaction,
        settings=settings(
            max_examples=8,
            stateful_step_count=30,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],  # a failing sequence is read as it is: shrinking takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
