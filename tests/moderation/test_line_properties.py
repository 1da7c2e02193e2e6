"""Any sequence of reports, claims, decisions, approvals, undone measures, holds and days keeps what must hold."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from ledger.verify import verify
from moderation.actions import sweep
from moderation.actions.at_once import restrict_at_once
from moderation.actions.claims import claim, claim_next, release
from moderation.actions.decisions import approve, decide, turn_down, undo_decision
from moderation.models import Case, CaseParty, Decision, LegalHold, Look, Measure
from moderation.models.cases import OPEN_STATES
from moderation.refusals import ModerationRefused
from people.models import Sanction
from retention.clocks import clocks
from retention.policy import Finding, Hold, Reason, clock
from retention.purge import sweep as purge_due
from rooms.models import Restriction, Room
from rooms.rules.restrictions import is_restricted
from tests.support.cases import draft, kept_room, open_case, staff, worked_on
from tests.support.people import people, person

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
MEASURES = st.sampled_from(
    [
        (("warning", None),),
        (("no_stage", 7), ("restrict", None)),
        (("suspend", 7),),
        (("suspend", None), ("restrict", None)),
    ]
)
PLACES = st.integers(0, 1)


class Line(RuleBasedStateMachine):
    """Two ended rooms, each with a speaker, two moderators of whom one spoke in the second room, and a senior.

    Time passes by moving everything into the past, the moment of every row alike.
    """

    @initialize()
    def begin(self) -> None:
        self.ada = person("ada")
        self.mara, self.bob, self.senior = staff(), staff(), staff("senior")
        self.rooms = [kept_room("", 10, self.ada), kept_room("", 10, self.ada, self.bob)]
        self.reporters = iter(people(200))

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

    @rule(place=PLACES, by=st.sampled_from(["mara", "bob", "senior"]), yes=st.booleans())
    def second(self, place: int, by: str, yes: bool) -> None:
        case, user = self.case(place, "proposed"), getattr(self, by)
        if case is None:
            return
        decision = Decision.objects.get(case=case, state="proposed")
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
        holds += [Hold(Reason.LEGAL, f"legal:{row.pk}", row.set_at, row.expires_at) for row in room.legal_holds.all()]
        computed = clock(self.end(room), now, findings, holds)
        assert clocks({room.pk: self.end(room)}, now)[room.pk] == computed, "the clock equals its recomputation"
        open_now = any(hold.until is None or hold.until > now for hold in holds if hold.kind is Reason.CASE)
        ordered = any(hold.until is not None and hold.until > now for hold in holds if hold.kind is Reason.LEGAL)
        stands = any(finding.until is None for finding in findings)
        age = (now - self.end(room)) / DAY
        if age < 30 or ordered or (age < 90 and (open_now or stands)):
            assert not computed.due, "never early"
        elif age >= 90:
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
    (Case.acts_at_once.rel.related_model, ("at", "due_at", "settled_at")),
)


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
