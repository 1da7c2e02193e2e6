"""The form of a review: what a reviewer typed, and the draft that it means."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from django.http import QueryDict

from moderation.actions.reviews import ReviewDraft
from moderation.console.drafts import TypedDraft
from moderation.console.times import read_time
from moderation.measures import MeasureKind
from moderation.models import Decision, Review

UPHELD, OVERTURNED, REPLACED = "upheld", "overturned", "replaced"
NO_RANGE = (0, 0)  # times that are none: refused as no evidence


def verdicts_of(decision: Decision) -> tuple[str, ...]:
    """The ways in which a review of this decision can end: where nothing was found, overturning it is finding one."""
    if decision.outcome == Decision.Outcome.NO_VIOLATION:
        return UPHELD, REPLACED
    return UPHELD, OVERTURNED, REPLACED


@dataclass(frozen=True)
class TypedReview:
    """The fields of the form as they were typed. `decision` are those of a new decision, which rests on the range
    `start`–`end`, or on all evidence of the case where these are empty."""

    verdict: str = ""
    reasons: str = ""
    start: str = ""
    end: str = ""
    decision: TypedDraft = field(default_factory=TypedDraft)

    @classmethod
    def begun(cls, start: str, end: str) -> TypedReview:
        """The form before anything was typed."""
        return cls(start=start, end=end)

    @classmethod
    def read(cls, data: QueryDict) -> TypedReview:
        typed = TypedDraft.read(data)
        violation = {**typed.texts, "outcome": Decision.Outcome.VIOLATION.value}
        return cls(
            verdict=data.get("verdict", ""),
            reasons=data.get("reasons", ""),
            start=data.get("range_from", ""),
            end=data.get("range_to", ""),
            decision=replace(typed, texts=violation),
        )

    def draft(self, *, with_sound: bool) -> ReviewDraft:
        """The draft that this means."""
        outcome = Review.Outcome.UPHELD.value if self.verdict == UPHELD else ""
        if self.verdict in (OVERTURNED, REPLACED):
            outcome = Review.Outcome.OVERTURNED.value
        if self.verdict != REPLACED:
            return ReviewDraft(outcome=outcome, reasons=self.reasons, replacement=None)
        ranges = [self._range()] if with_sound and (self.start or self.end) else None
        made = replace(self.decision.draft(), ranges=ranges)
        return ReviewDraft(outcome=outcome, reasons=self.reasons, replacement=made)

    def _range(self) -> tuple[int, int]:
        start, end = read_time(self.start), read_time(self.end)
        return NO_RANGE if start is None or end is None or start >= end else (start, end)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Name and value of every field, for a form that carries the draft on."""
        own = {"verdict": self.verdict, "reasons": self.reasons, "range_from": self.start, "range_to": self.end}
        return [*((name, value) for name, value in own.items() if value), *self.decision.fields]

    @property
    def confirmed_kinds(self) -> list[type[MeasureKind]]:
        """Chosen measures that need a step of confirming."""
        return self.decision.confirmed_kinds if self.verdict == REPLACED else []
