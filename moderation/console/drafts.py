"""The form of a decision: what a moderator typed, and the draft that it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.http import QueryDict

from moderation.actions.drafts import Draft
from moderation.measures import MEASURES, MeasureKind, measures_for
from moderation.models import Case, Decision, RuleVersion

SUSPEND = "suspend"
NO_NUMBER = -1  # days that are no number: refused as such
TEXTS = ("outcome", "rule", "ground", "law", "facts", "public_facts")


@dataclass(frozen=True)
class TypedDraft:
    """The fields of the form as they were typed."""

    texts: Mapping[str, str] = field(default_factory=dict)
    measures: Sequence[str] = ()
    days: Mapping[str, str] = field(default_factory=dict)
    for_good: bool = False

    @classmethod
    def read(cls, data: QueryDict) -> TypedDraft:
        return cls(
            texts={name: data.get(name, "") for name in TEXTS},
            measures=tuple(dict.fromkeys(data.getlist("measure"))),
            days={key: data.get(f"days_{key}", "") for key in MEASURES},
            for_good=data.get("for_good") == "yes",
        )

    def draft(self) -> Draft:
        """The draft that this means; a rule that is unknown is none."""
        get = self.texts.get
        violation = get("outcome") == Decision.Outcome.VIOLATION
        return Draft(
            outcome=get("outcome", ""),
            rule_version=_rule(get("rule", "")),
            ground=get("ground") or Decision.Ground.RULE,
            law=get("law", ""),
            facts=get("facts", "") if violation else "",
            public_facts=get("public_facts", "") if violation else "",
            measures=[(key, self._days(key)) for key in self.measures] if violation else [],
        )

    def _days(self, key: str) -> int | None:
        kind = MEASURES.get(key)
        if kind is None or not kind.takes_days or (key == SUSPEND and self.for_good):
            return None
        typed = self.days.get(key, "").strip()
        return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else NO_NUMBER

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Name and value of every field, for a form that carries the draft on."""
        pairs = [(name, value) for name, value in self.texts.items() if value]
        pairs += [("measure", key) for key in self.measures]
        pairs += [(f"days_{key}", value) for key, value in self.days.items() if value]
        return pairs + ([("for_good", "yes")] if self.for_good else [])

    @property
    def confirmed_kinds(self) -> list[type[MeasureKind]]:
        """Chosen measures that need a step of confirming."""
        if self.texts.get("outcome") != Decision.Outcome.VIOLATION:
            return []
        return [MEASURES[key] for key in self.measures if key in MEASURES and MEASURES[key].needs_confirming]


@dataclass(frozen=True)
class Choice:
    """A measure in the form."""

    kind: type[MeasureKind]
    chosen: bool
    days: str


def choices_of(case: Case, typed: TypedDraft) -> list[Choice]:
    """List the measures that are possible in a case, as they were chosen."""
    return [Choice(kind, kind.key in typed.measures, typed.days.get(kind.key, "")) for kind in measures_for(case)]


def _rule(typed: str) -> RuleVersion | None:
    if not (typed.isascii() and typed.isdigit() and len(typed) < 19):
        return None
    return RuleVersion.objects.select_related("rule").filter(pk=int(typed)).first()
