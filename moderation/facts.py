"""Findings and holds of rooms, as the retention clock wants them: cases, violations, appeals, legal holds. One
query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Least

from moderation.models import Appeal, Case, CaseParty, Decision, LegalHold
from moderation.models.appeals import UNDECIDED
from moderation.models.cases import WITH_SOUND
from retention.hooks import hidden_facts, retention_facts
from retention.policy import Finding, Hold, Reason

# (what, room, key, since, until, told, is proposed)
Row = tuple[str, int, int, datetime, datetime | None, datetime | None, str]


@retention_facts.register("moderation")
def facts(rooms: Sequence[int]) -> Iterator[tuple[int, Finding | Hold]]:
    """Yield the facts of these rooms, also those that have ended."""
    for what, room, key, since, until, told, state in _rows(rooms):
        if what == "case":
            yield room, Hold(Reason.CASE, f"case:{key}", since, until)
        elif what == "appeal":
            yield room, Hold(Reason.APPEAL, f"appeal:{key}", since, until)
        elif what == "legal":
            yield room, Hold(Reason.LEGAL, f"legal:{key}", since, until)
        else:
            proposed = state == Decision.State.PROPOSED
            yield room, Finding(f"decision:{key}", since, until, proposed=proposed, told_at=told)


@hidden_facts.register("moderation")
def facts_of_own_cases(reader: int, rooms: Sequence[int]) -> frozenset[str]:
    """The holds and findings of cases that a reader is a party of: a listener who was reported must not see by a clock
    that there is a case. What was hidden from them as host or on the stage they are told instead. Appeals that are
    open, also where the reader had a part in the decision: they learn nothing of its review."""
    own = CaseParty.objects.filter(user=reader, case__room__in=rooms).order_by()
    appeals = Appeal.objects.filter(holds=True, decision__case__room__in=rooms).order_by()
    party = Q(Exists(CaseParty.objects.filter(case=OuterRef("decision__case"), user=reader)))
    had = Q(by=reader) | Q(second_by=reader) | Q(reviews__reviewer=reader)
    part = Decision.objects.filter(had, case=OuterRef("decision__case")).exclude(made_by=OuterRef("review"))
    known = appeals.filter(party | Q(Exists(part), review__state__in=UNDECIDED))
    rows = own.annotate(what=_text("case")).values_list("what", "case", "case__decisions")
    rows = rows.union(known.annotate(what=_text("appeal")).values_list("what", "pk", "decision"), all=True)
    found = list(rows)
    cases = (f"{what}:{key}" for what, key, _decision in found)
    return frozenset([*cases, *(f"decision:{decision}" for what, _key, decision in found if what == "case")])


def _rows(rooms: Sequence[int]) -> QuerySet[Any, Row]:
    never = Value(None, output_field=LegalHold._meta.get_field("lifted_at"))
    cases = Case.objects.filter(room__in=rooms, kind__in=WITH_SOUND).order_by()
    violations = Decision.objects.filter(
        case__room__in=rooms, case__kind__in=WITH_SOUND, outcome=Decision.Outcome.VIOLATION
    ).order_by()
    appeals = Appeal.objects.filter(decision__case__room__in=rooms, holds=True).order_by()
    legal = LegalHold.objects.filter(room__in=rooms).order_by()
    return (
        cases.annotate(what=_text("case"), told=never)
        .values_list("what", "room_id", "pk", "opened_at", "decided_at", "told", "state")
        .union(
            violations.annotate(what=_text("finding"), told=F("statement__told_at")).values_list(
                "what", "case__room_id", "pk", "at", "ended_at", "told", "state"
            ),
            appeals.annotate(what=_text("appeal"), told=never, state=_text("")).values_list(
                "what", "decision__case__room_id", "pk", "filed_at", "review__decided_at", "told", "state"
            ),
            legal.annotate(
                what=_text("legal"), until=Least("expires_at", "lifted_at"), told=never, state=_text("")
            ).values_list("what", "room_id", "pk", "set_at", "until", "told", "state"),
            all=True,
        )
    )


def _text(value: str) -> Value:
    return Value(value, output_field=CharField())
