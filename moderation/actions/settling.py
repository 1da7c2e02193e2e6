"""Acts before a decision (`ActAtOnce`): what becomes of them when the case is decided, or when no decision comes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ledger.actions import Act
from moderation.measures.base import remembered
from moderation.models import ActAtOnce, Case, Decision
from people.models import User
from rooms.actions.restrictions import lift_restriction
from rooms.models import Restriction

WITHIN = timedelta(hours=24)  # rule and facts of an act at once


def settle_acts(case: Case, decision: Decision | None, now: datetime) -> list[Act]:
    """Settle the acts of a case that ends. What they closed is open again: a decision that restricts has a restriction
    of its own. The caller has the case and its room locked. Returns entries for the ledger."""
    how = ActAtOnce.Settled.LIFTED if decision is None else ActAtOnce.Settled.DECIDED
    by = None if decision is None else decision.second_by or decision.by
    return settle(ActAtOnce.objects.filter(case=case, settled_at=None), how, by, now)


def settle(acts: Iterable[ActAtOnce], how: str, by: User | None, now: datetime) -> list[Act]:
    """Settle these acts, lifting what they closed. Returns entries for the ledger."""
    entries = []
    rows = list(acts)
    for act in rows:
        act.settled_at, act.settled = now, how
        act.save(update_fields=["settled_at", "settled"])
        data = {"act": act.pk, "kind": str(act.kind), "how": str(how)}
        entries.append(Act("act_settled", f"case:{act.case_id}", None if by is None else by.pk, data))
    for act in rows:
        closed = Restriction.objects.filter(pk=remembered(act.memory, "restriction")).first()
        if closed is not None:
            lift_restriction(closed, by)
    return entries


def keep_acts_open(case: Case, now: datetime) -> None:
    """Give the acts of a case whose proposal was turned down another day for rule and facts."""
    acts = ActAtOnce.objects.filter(case=case, settled_at=None).exclude(kind=ActAtOnce.Kind.CLOSE_COPY)
    acts.filter(due_at__lt=now + WITHIN).update(due_at=now + WITHIN)
