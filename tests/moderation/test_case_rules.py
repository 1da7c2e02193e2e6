"""Rules of cases without a database: access, drafts, ranges."""

from __future__ import annotations

from dataclasses import replace

import pytest

from moderation.rules.access import (
    CaseFacts,
    Rights,
    sees_ordinary,
    why_not_act_at_once,
    why_not_approve,
    why_not_claim,
    why_not_decide,
    why_not_reopen,
    why_not_see,
    why_not_work,
)
from moderation.rules.decisions import DraftFacts, Imposed, names_in, needs_second, what_is_missing
from moderation.rules.evidence import overlaps, within_room

MODERATOR = Rights(view=True, claim=True, decide=True, approve=True, ordinary=True)
SENIOR = replace(MODERATOR, senior=True, open=True)
CHILD_SAFETY = Rights(view=True, claim=True, decide=True, approve=True, child_safety=True)
ROLES = {"nobody": Rights(), "moderator": MODERATOR, "senior": SENIOR, "child safety": CHILD_SAFETY}
RULES = (why_not_see, why_not_claim, why_not_work, why_not_decide, why_not_approve, why_not_act_at_once, why_not_reopen)


@pytest.mark.parametrize(
    ("case", "seen_by"),
    [
        (CaseFacts(Rights()), {"moderator", "senior"}),
        (CaseFacts(Rights(), for_seniors=True), {"senior"}),
        (CaseFacts(Rights(), child_safety=True), {"child safety"}),
        (CaseFacts(Rights(), child_safety=True, for_seniors=True), {"child safety"}),
        (CaseFacts(Rights(), party=True), set()),
        (CaseFacts(Rights(), party=True, child_safety=True), set()),
    ],
)
def test_each_case_is_seen_by_its_role_alone(case: CaseFacts, seen_by: set[str]) -> None:
    assert {name for name, rights in ROLES.items() if why_not_see(replace(case, rights=rights)) is None} == seen_by


def test_whoever_does_not_see_a_case_does_nothing_in_it() -> None:
    for rights in ROLES.values():
        for state in ("open", "proposed", "decided"):
            facts = CaseFacts(rights, party=True, state=state, mine=True, looked=True)
            assert {rule(facts) for rule in RULES} == {"unknown_case"}


def test_somebody_of_both_roles_sees_both() -> None:
    both = replace(MODERATOR, child_safety=True)
    assert sees_ordinary(both) and why_not_see(CaseFacts(both, child_safety=True)) is None
    assert why_not_see(CaseFacts(both)) is None
    assert not sees_ordinary(CHILD_SAFETY)


def test_working_and_deciding_need_the_claim_and_deciding_a_look() -> None:
    free = CaseFacts(MODERATOR)
    assert why_not_claim(free) is None and why_not_claim(replace(free, taken=True)) == "claimed_by_another"
    assert why_not_claim(replace(free, taken=True, mine=True)) is None
    assert (why_not_work(free), why_not_decide(free)) == ("not_claimed", "not_claimed")
    assert why_not_decide(replace(free, taken=True)) == "claimed_by_another"
    mine = replace(free, mine=True, taken=True)
    assert (why_not_work(mine), why_not_decide(mine)) == (None, "not_looked")
    assert why_not_decide(replace(mine, looked=True)) is None
    assert why_not_decide(replace(mine, looked=True, state="decided")) == "decided_already"
    assert why_not_decide(replace(mine, looked=True, state="proposed")) == "waits_for_second"
    viewer = replace(mine, looked=True, rights=Rights(view=True))
    assert {rule(viewer) for rule in (why_not_claim, why_not_decide, why_not_act_at_once)} == {"not_allowed"}


def test_a_proposal_is_approved_by_another() -> None:
    waiting = CaseFacts(MODERATOR, state="proposed")
    assert why_not_approve(waiting) is None
    assert why_not_approve(replace(waiting, own_proposal=True)) == "own_proposal"
    assert why_not_approve(replace(waiting, state="open")) == "not_proposed"
    assert why_not_approve(replace(waiting, rights=replace(MODERATOR, approve=False))) == "not_allowed"


def test_a_copy_is_opened_again_by_child_safety_alone() -> None:
    assert why_not_reopen(CaseFacts(CHILD_SAFETY, child_safety=True)) is None
    assert why_not_reopen(CaseFacts(SENIOR)) == "not_allowed"


WARNING = Imposed("warning", None)
WHOLE = DraftFacts(True, True, "They did.", True, True, [WARNING])


def test_a_whole_draft_lacks_nothing() -> None:
    assert what_is_missing(WHOLE) == {}
    assert what_is_missing(DraftFacts(False, False, "", False, False)) == {}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"rule_in_force": False}, {"rule": "rule_not_in_force"}),
        ({"facts": ""}, {"facts": "facts_missing"}),
        ({"has_evidence": False}, {"evidence": "evidence_missing"}),
        ({"concerns_somebody": False}, {"case": "concerns_nobody"}),
        ({"ground": "law"}, {"law": "law_missing"}),
        ({"law": "Article 1"}, {"law": "law_without_ground"}),
        ({"exported": True}, {"public_facts": "public_facts_missing"}),
        ({"public_facts": "Bert did", "named": ["Bert"]}, {"public_facts": "names_somebody"}),
        ({"measures": []}, {"measures": "measures_missing"}),
        ({"measures": [WARNING, WARNING]}, {"measures": "measure_twice"}),
        ({"measures": [Imposed("x", None, known=False)]}, {"measures": "measure_does_not_apply"}),
        ({"measures": [Imposed("title", None, applies=False)]}, {"measures": "measure_does_not_apply"}),
        ({"measures": [Imposed("warning", 3)]}, {"measures": "wrong_days"}),
        ({"measures": [Imposed("no_stage", None, takes_days=True)]}, {"measures": "wrong_days"}),
        ({"measures": [Imposed("no_stage", 0, takes_days=True)]}, {"measures": "wrong_days"}),
        ({"measures": [Imposed("suspend", 3651, takes_days=True)]}, {"measures": "wrong_days"}),
        ({"copy_closed": True}, {"measures": "copy_closed"}),
        ({"violation": False}, {"measures": "no_measures"}),
    ],
)
def test_what_a_draft_lacks(change: dict[str, object], wrong: dict[str, str]) -> None:
    assert what_is_missing(replace(WHOLE, **change)) == wrong  # type: ignore[arg-type]


def test_a_second_moderator_is_needed_for_long_suspensions_alone() -> None:
    assert needs_second([("suspend", None)]) and needs_second([("warning", None), ("suspend", 31)])
    assert not needs_second([("suspend", 30)]) and not needs_second([("no_stage", 365), ("restrict", None)])


def test_names_are_found_as_words() -> None:
    assert names_in("Then bert said so.", ["Bert", "An", "B"]) == ["Bert"]
    assert names_in("Bertha and Ann", ["Bert", "An"]) == []


def test_ranges_are_limited_to_the_room_and_compared() -> None:
    assert within_room(-5, 20, room_ms=10) == (0, 10)
    assert within_room(5, 5, room_ms=10) is within_room(10, 20, room_ms=10) is within_room(None, 3, room_ms=10) is None
    assert overlaps((0, 10), [(9, 12)]) and not overlaps((0, 10), [(10, 12)]) and not overlaps((0, 10), [])
