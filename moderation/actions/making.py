"""Rows of decisions: the decision itself, its measures, and a proposal that begins and ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from ledger.actions import Act
from moderation.actions.drafts import Draft
from moderation.measures import MEASURES, person_of
from moderation.measures.base import PERSON
from moderation.measures.suspend import Suspend
from moderation.models import Case, Decision, Measure, SubjectKind
from people.models import User
from retention.clocks import rules
from retention.policy import lapses_at


def new_decision(case: Case, by: User, draft: Draft, now: datetime, *, proposed: bool) -> Decision:
    return Decision.objects.create(
        case=case,
        outcome=draft.outcome,
        state=Decision.State.PROPOSED if proposed else Decision.State.STANDING,
        rule=draft.rule_version,
        ground=draft.ground,
        law=draft.law,
        facts=draft.facts,
        public_facts=draft.public_facts,
        ranges=None if draft.ranges is None else [list(each) for each in draft.ranges],
        by=by,
        at=now,
    )


def new_measures(decision: Decision, draft: Draft) -> list[Measure]:
    """Make the rows of a draft's measures, in the order of MEASURES, for whom they concern now."""
    person = person_of(decision.case)
    days = dict(draft.measures)
    memory = {} if person is None else {PERSON: person.pk}
    rows = [
        Measure(decision=decision, kind=key, days=days[key], memory=dict(memory)) for key in MEASURES if key in days
    ]
    Measure.objects.bulk_create(rows)
    for row in rows:
        MEASURES[row.kind].lock(decision.case)
    return rows


def suspend_for_now(measures: list[Measure], now: datetime) -> None:
    """Begin the suspension that runs while a proposal waits, 72 hours at most."""
    for measure in measures:
        if measure.kind == Suspend.key:
            Suspend.apply_for_now(measure, now)
            measure.save(update_fields=["memory"])


def decided_act(kind: str, decision: Decision, measures: list[Measure], clock: Mapping[str, object]) -> Act:
    """Return the entry of a decision that was made or proposed."""
    rule = decision.rule
    data: dict[str, object] = {
        "decision": decision.pk,
        "outcome": str(decision.outcome),
        "measures": [[row.kind, row.days] for row in measures],
    }
    if rule is not None:
        data |= {"rule": rule.rule_id, "version": rule.number, "ground": str(decision.ground)}
    if decision.ranges is not None:
        data["ranges"] = decision.ranges
    data.update(clock)
    texts = {"facts": decision.facts, "public_facts": decision.public_facts, "law": decision.law}
    texts = {name: text for name, text in texts.items() if text}
    return Act(kind, decision.ledger_subject, decision.by_id, data, texts)


def end_proposal(row: Decision, state: str, now: datetime) -> None:
    """End a proposal that was turned down or lapsed, with the suspension that ran."""
    measures = list(row.measures.filter(kind=Suspend.key))
    row.state, row.ended_at = state, now
    row.save(update_fields=["state", "ended_at", "second_by", "second_at", "second_reason"])
    for measure in measures:
        measure.decision = row
        Suspend.lock_again(measure)
    for measure in measures:
        Suspend.end_for_now(measure)


def lapse_of(decision: Decision) -> datetime:
    """When a proposal lapses: with the violation period of its room; that of a room which has not ended, or of what has
    no copy, counts from the proposal."""
    room = decision.case.room
    from_proposal = decision.at + timedelta(days=rules().violation_days)
    if room is None or room.over_at is None or decision.case.kind not in (SubjectKind.ROOM, SubjectKind.PERSON):
        return from_proposal
    lapses = lapses_at(room.over_at, rules())
    return lapses if decision.at < lapses else from_proposal  # one on the record, after the copy
