"""Real processes, killed at any step of a claim, a decision, an approval or a purge. Started again it ends right, and
nothing happens twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import models

from ledger.models import Entry
from moderation.actions.claims import claim
from moderation.actions.decisions import approve, decide
from moderation.models import Case, Decision, EvidenceRange, Measure, Report, Statement
from moderation.refusals import ModerationRefused
from people.models import Sanction, User
from people.standing import standing_of, why_not_enter
from retention import purge
from retention.models import PurgeReceipt
from rooms import actions
from rooms.models import Recording, Restriction, Room
from tests.flows.line import DAY, acts, assert_sound_ledger, ended_at, is_kept_until
from tests.support.cases import draft, kept_room, open_case, staff, worked_on
from tests.support.killed import Place, Workers, running
from tests.support.people import person
from tests.support.rooms import open_room
from tests.support.traces import marked_room
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
# After the commit, before anything that follows it: what the bus tells, what a changed standing ends.
COMMITTED: Place = ("django.db.backends.base.base:BaseDatabaseWrapper.run_and_clear_commit_hooks", "before", 1)
MEASURES = (("suspend", 7), ("restrict", None))
ROWS: tuple[type[models.Model], ...] = (Decision, Measure, Statement, Sanction, Restriction, EvidenceRange)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with running("tests.flows.moderator") as started:
        yield started


def kill(workers: Workers, place: Place, *values: object) -> None:
    """Have a worker act, and die at a place."""
    ((status, wrong),) = workers.run((values, place))
    assert status == -9, f"it was to be killed at {place}: {wrong[-3000:]}"


def again(act: Any, *args: Any) -> str:
    """Do what the killed worker was at; returns "ok", or the code of the refusal."""
    try:
        act(*args)
    except ModerationRefused as refused:
        return refused.code
    return "ok"


def rows() -> dict[str, int]:
    """Number of rows of all that a decision makes; of the suspensions and restrictions, those in force."""
    return {model.__name__: model._default_manager.count() for model in ROWS} | {
        "in force": Sanction.objects.in_force().count() + Restriction.objects.filter(lifted_at=None).count()
    }


def made(
    measures: int, sanctions: int, restrictions: int, in_force: int, statements: int = 1, decisions: int = 1
) -> dict[str, int]:
    numbers = (decisions, measures, statements, sanctions, restrictions, 1)
    return dict(zip((model.__name__ for model in ROWS), numbers, strict=True)) | {"in force": in_force}


def case_of_ada() -> tuple[Case, User, Room]:
    ada = person("ada")
    room = kept_room("", 10, ada)
    return open_case(room, subject=ada), ada, room


# --- a claim ----------------------------------------------------------------------------------------------------------

CLAIM: list[tuple[Place, bool]] = [
    (("moderation.actions.claims:refresh_parties", "after", 1), False),
    (("moderation.actions.claims:_set", "after", 1), False),
    (("moderation.actions.claims:_record", "after", 1), False),  # all is done and nothing is committed
    (COMMITTED, True),
]


@pytest.mark.parametrize(("place", "committed"), CLAIM)
def test_a_claim(workers: Workers, place: Place, committed: bool) -> None:
    mara, bert = staff("moderator", "mara"), staff("moderator", "bert")
    before, _ada, _room = case_of_ada()
    case = open_case()
    claim(before, mara)
    kill(workers, place, "claim", case.pk, mara.pk)
    has = {row.pk: row.claimed_by_id for row in Case.objects.all()}
    assert has == ({before.pk: None, case.pk: mara.pk} if committed else {before.pk: mara.pk, case.pk: None})
    assert again(claim, case, mara) == "ok" and again(claim, case, bert) == "claimed_by_another"
    assert acts(case.ledger_subject) == ["case_opened", "case_claimed"]
    assert acts(before.ledger_subject) == ["case_opened", "case_claimed", "case_released"]
    assert_sound_ledger()


@pytest.mark.parametrize("place", [("moderation.actions.claims:_set", "after", 1), COMMITTED])
def test_two_take_the_next_case_while_one_is_killed(workers: Workers, place: Place) -> None:
    first, second = open_case(), open_case()
    mara, bert = staff("moderator", "mara"), staff("moderator", "bert")
    (killed, _said), (ended, said) = workers.run((("claim_next", mara.pk), place), (("claim_next", bert.pk), ()))
    assert (killed, ended) == (-9, 0), said
    holders = list(Case.objects.exclude(claimed_by=None).values_list("claimed_by", flat=True))
    assert holders.count(bert.pk) == 1 and len(holders) == len(set(holders)) == (2 if place == COMMITTED else 1)
    ((ended, said),) = workers.run((("claim_next", mara.pk), ()))
    assert ended == 0, said
    assert sorted(row.claimed_by_id or 0 for row in Case.objects.all()) == sorted([mara.pk, bert.pk])
    assert {first.pk, second.pk} == set(Case.objects.values_list("pk", flat=True))
    assert_sound_ledger()


# --- a decision -------------------------------------------------------------------------------------------------------

DECIDE: list[tuple[Place, bool]] = [
    (("moderation.actions.decisions:new_decision", "after", 1), False),
    (("moderation.actions.force:judge_reports", "after", 1), False),
    (("moderation.measures.account:impose_sanction", "after", 1), False),
    (("moderation.measures.restrict:restrict", "after", 1), False),
    (("moderation.actions.force:make_statement", "after", 1), False),
    (("moderation.actions.decisions:record_all", "before", 1), False),
    (("moderation.actions.decisions:record_all", "after", 1), False),
    (COMMITTED, True),
]


@pytest.mark.parametrize(("place", "committed"), DECIDE)
def test_a_decision(workers: Workers, place: Place, committed: bool) -> None:
    mara = staff("moderator", "mara")
    case, ada, room = case_of_ada()
    worked_on(case, mara)
    entries = Entry.objects.count()
    kill(workers, place, "decide", case.pk, mara.pk, *MEASURES)
    if not committed:
        assert rows() == made(0, 0, 0, 0, 0, 0) and Entry.objects.count() == entries
        assert why_not_enter(standing_of(ada)) is None and is_kept_until(room, 90, "case")
    case.refresh_from_db()
    assert again(decide, case, mara, draft(*MEASURES)) == ("decided_already" if committed else "ok")
    assert rows() == made(2, 1, 1, 2) and Report.objects.get().outcome == "founded"
    assert why_not_enter(standing_of(ada)) == "account_suspended" and is_kept_until(room, 90, "violation")
    assert acts(case.ledger_subject)[-4:] == ["decided", "measure_applied", "measure_applied", "statement_made"]
    assert acts(f"person:{ada.pk}") == ["sanction_imposed"]
    assert_sound_ledger()


def test_what_follows_a_commit_is_made_up_for_by_the_sweep_of_rooms(workers: Workers) -> None:
    room, mara = open_room(), staff("moderator", "mara")
    case = open_case(room, subject=room.host, from_ms=0, to_ms=1)
    worked_on(case, mara)
    kill(workers, COMMITTED, "decide", case.pk, mara.pk, ("suspend", 7))
    room.refresh_from_db()
    assert room.is_live, "nobody was told"
    actions.sweep_rooms()
    room.refresh_from_db()
    assert (room.status, room.end_reason) == ("ended", "staff")
    assert Sanction.objects.count() == 1
    assert_sound_ledger()


# --- an approval ------------------------------------------------------------------------------------------------------

APPROVE: list[tuple[Place, bool]] = [
    (("moderation.actions.decisions:_proposal", "after", 1), False),
    (("moderation.measures.account:impose_sanction", "after", 1), False),
    (("moderation.actions.decisions:close_with", "after", 1), False),
    (("moderation.measures.suspend:Suspend.end_for_now", "after", 1), False),
    (("moderation.actions.decisions:record_all", "after", 1), False),
    (COMMITTED, True),
]


@pytest.mark.parametrize(("place", "committed"), APPROVE)
def test_an_approval(workers: Workers, place: Place, committed: bool) -> None:
    mara, nils = staff("moderator", "mara"), staff("moderator", "nils")
    case, ada, room = case_of_ada()
    decision = decide(worked_on(case, mara), mara, draft(("suspend", None), ("restrict", None)))
    entries = Entry.objects.count()
    kill(workers, place, "approve", decision.pk, nils.pk)
    if not committed:
        assert rows() == made(2, 1, 0, 1, 0) and Entry.objects.count() == entries
    assert again(approve, decision, nils) == ("ok" if not committed else again(approve, decision, nils))
    assert rows() == made(2, 2, 1, 2), "the suspension for 72 hours has ended, the one for good runs"
    assert Sanction.objects.in_force().get().ends_at is None and Decision.objects.get().state == "standing"
    kinds = acts(case.ledger_subject)
    assert kinds.count("decision_approved") == kinds.count("statement_made") == 1
    assert is_kept_until(room, 90, "violation") and why_not_enter(standing_of(ada)) == "account_suspended"
    assert_sound_ledger()


# --- a purge ----------------------------------------------------------------------------------------------------------

PURGE: list[Place] = [
    ("retention.purge:begin", "after", 1),
    ("os:unlink", "after", 2),
    ("retention.artefacts:delete_rows", "after", 3),
    ("retention.purge:record_all", "after", 1),
    ("retention.purge:finish", "after", 1),
]


@pytest.mark.parametrize("place", PURGE)
def test_the_purge_of_a_room_with_a_violation(workers: Workers, place: Place) -> None:
    room, mara = marked_room("quixotry"), staff("moderator", "mara")
    case = open_case(room, subject=room.seats.exclude(user=room.host)[0].user, to_ms=1)
    decision = decide(worked_on(case, mara), mara, draft(("restrict", None)))
    due = ended_at(room) + 90 * DAY
    ((status, said),) = workers.run((("purge", (due - DAY).isoformat()), ()))
    assert status == 0 and not PurgeReceipt.objects.exists(), said
    kill(workers, place, "purge", due.isoformat())

    def is_gone() -> bool:
        purge.sweep(due)
        return PurgeReceipt.objects.filter(room=room.pk, finished_at__isnull=False).exists()

    wait_until(is_gone, 20, "the purge of what a killed process left")
    assert PurgeReceipt.objects.get().rule == "violation-90-days"
    assert Recording.objects.get(room=room).state == Recording.State.PURGED
    assert acts(f"room:{room.pk}").count("purged") == 1
    decision.refresh_from_db()
    statement = Statement.objects.get(decision=decision)
    assert decision.state == "standing" and case.ranges.count() == 1 and statement.body
    assert_sound_ledger()
