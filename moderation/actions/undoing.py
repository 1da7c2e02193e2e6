"""Undoing of decisions: exactly what one decision imposed is lifted, and what stood before stands again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from core.text import REASON
from ledger.actions import Act, record_all
from moderation.actions.force import clock_data
from moderation.actions.locking import locked_case, refuse
from moderation.actions.telling import case_changed
from moderation.actions.typed import cleaned_text
from moderation.measures import MEASURES
from moderation.models import Decision, Measure, Report
from moderation.queries.access import is_party
from people.models import User


def undo_decision(decision: Decision, by: User | None, reason: str) -> bool:
    """Undo a standing decision; its case stays decided. `by` is None for an act of no person. Returns whether it stood.

    What a live room lost by it does not come back. Raises bad_value, unknown_case (a party), own_proposal (who decided
    or approved it), not_standing (one that never came into force).
    """
    reason = cleaned_text(REASON, "reason", reason)
    with locked_case(decision.case_id, with_room=True) as case:
        row = Decision.objects.select_for_update(no_key=True).get(pk=decision.pk)
        row.case = case
        if row.state == Decision.State.UNDONE:
            return False
        refuse("not_standing" if row.state != Decision.State.STANDING else None)
        if by is not None:
            refuse("unknown_case" if is_party(case, by.pk) else None)
            refuse("own_proposal" if by.pk in (row.by_id, row.second_by_id) else None)
        now = timezone.now()
        ended = end_standing(row, by, now)
        Report.objects.filter(case=case).update(outcome="")
        acts = undo_measures(ended, now)
        data = {"decision": row.pk, **clock_data(case, now)}
        acts.append(Act("decision_undone", case.ledger_subject, _pk(by), data, {"reason": reason}))
        case_changed(case)
        record_all(acts)
    return True


def end_standing(row: Decision, by: User | None, now: datetime) -> list[Measure]:
    """End a standing decision of a locked case, and lock what its measures state. Returns those to be undone, which
    `undo_measures` does once all else is locked."""
    row.state, row.ended_at, row.undone_by = Decision.State.UNDONE, now, by
    row.save(update_fields=["state", "ended_at", "undone_by"])
    measures = list(row.measures.filter(applied_at__isnull=False, undone_at=None))
    for measure in measures:
        measure.decision = row
        MEASURES[measure.kind].lock_again(measure)
    return measures


def undo_measures(measures: Sequence[Measure], now: datetime) -> list[Act]:
    """Undo measures of a decision that was ended. Returns entries for the ledger."""
    acts = []
    for measure in reversed(measures):
        MEASURES[measure.kind].undo(measure)
        measure.undone_at = now
        measure.save(update_fields=["undone_at"])
        data = {"decision": measure.decision_id, "measure": measure.kind}
        acts.append(Act("measure_undone", measure.decision.ledger_subject, measure.decision.undone_by_id, data))
    return acts


def _pk(by: User | None) -> int | None:
    return None if by is None else by.pk
