"""Acts on decisions at the same moment: one of them wins, and nothing happens twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.models import Entry
from ledger.verify import verify
from moderation.actions import sweep
from moderation.actions.at_once import restrict_at_once
from moderation.actions.decisions import approve, decide, turn_down, undo_decision
from moderation.models import Decision
from moderation.refusals import ModerationRefused
from people.standing import standing_of, why_not_enter
from retention.purge import purge
from rooms.models import Restriction
from rooms.rules.restrictions import is_restricted
from tests.support.cases import (
    aged,
    draft,
    kept_room,
    open_case,
    overdue_acts,
    proposed,
    purge_at,
    staff,
    violation,
    worked_on,
)
from tests.support.races import at_once

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_decided_twice_at_once_is_decided_once() -> None:
    mara, case = staff(), open_case()
    worked_on(case, mara)
    codes: list[str] = []

    def act() -> None:
        try:
            decide(case, mara, draft(("restrict", None)))
        except ModerationRefused as known:
            codes.append(known.code)

    at_once(act, act, act)
    assert codes == ["decided_already"] * 2 and Decision.objects.count() == Restriction.objects.count() == 1
    assert verify().ok, verify().problems


@pytest.mark.django_db(transaction=True)
def test_approving_and_turning_down_at_once_do_one_of_both() -> None:
    decision, ada, _room = proposed()
    one, two = staff(), staff()
    outcomes: list[str] = []

    def act(name: str, do: Callable[[], object]) -> None:
        try:
            do()
            outcomes.append(name)
        except ModerationRefused as known:
            assert known.code in ("not_proposed", "decided_already")

    at_once(
        lambda: act("standing", lambda: approve(decision, one)),
        lambda: act("turned_down", lambda: turn_down(decision, two, "No")),
    )
    decision.refresh_from_db()
    assert outcomes == [decision.state]
    assert (why_not_enter(standing_of(ada)) == "account_suspended") == (decision.state == "standing")
    assert verify().ok, verify().problems


@pytest.mark.django_db(transaction=True)
def test_deciding_and_purging_at_once_keep_the_copy_or_purge_it_whole() -> None:
    mara, room = staff(), kept_room()
    case = open_case(room)
    worked_on(case, mara)
    aged(room, 31)
    at_once(lambda: purge([room.pk]), lambda: decide(case, mara, draft()))
    room.refresh_from_db()
    assert room.purged_at is None and Decision.objects.get().state == "standing" and purge_at(room) == (90, "violation")


@pytest.mark.django_db(transaction=True)
def test_undoing_and_the_sweep_at_once() -> None:
    room, mara = kept_room(), staff()
    decision = violation(open_case(room), ("restrict", None), by=mara)
    other = open_case(kept_room())
    assert other.room is not None
    restrict_at_once(other.room, mara)
    overdue_acts()
    assert set(
        at_once(lambda: undo_decision(decision, None, "No"), lambda: undo_decision(decision, None, "No"), sweep.sweep)
    ) == {"ok"}
    assert not is_restricted(room) and not is_restricted(other.room)
    assert Entry.objects.filter(kind="decision_undone").count() == 1 and verify().ok, verify().problems
