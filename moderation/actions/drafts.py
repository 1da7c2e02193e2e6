"""Drafts of decisions: their texts, what they lack, and on what they were written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.text import Text
from moderation.measures import MEASURES, person_of
from moderation.models import ActAtOnce, Case, CaseParty, Decision, EvidenceLine, EvidenceRange, Report, RuleVersion
from moderation.models.cases import WITH_SOUND
from moderation.models.decisions import FACTS, LAW
from moderation.refusals import ModerationRefused
from moderation.rules.decisions import DraftFacts, Imposed, names_in, what_is_missing
from moderation.rules.evidence import within_room

WRONG: Mapping[str, str | Promise] = {
    "no_measures": _("Without a violation there are no measures."),
    "rule_not_in_force": _("Choose a rule that is in force."),
    "facts_missing": _("Say what happened."),
    "evidence_missing": _("Mark a range, or quote a line: a violation needs evidence."),
    "concerns_nobody": _("There is nobody whom a decision in this case could concern."),
    "law_missing": _("Say which law."),
    "law_without_ground": _("Name a law only where the ground is the law."),
    "names_somebody": _("The facts for the public export must not name anybody."),
    "public_facts_missing": _("Say what happened without personal data, for the public export."),
    "measures_missing": _("Choose a measure; a warning is the least."),
    "measure_twice": _("A measure was chosen twice."),
    "measure_does_not_apply": _("One of these measures is not possible in this case."),
    "wrong_days": _("Give a number of days from 1 to 3650; only an account is suspended for good."),
    "copy_closed": _("A report closed the recording. Restrict it, or open it again first."),
    "outcome": _("Choose what you found."),
    "ground": _("Choose on which ground."),
}


@dataclass(frozen=True)
class Draft:
    """A decision as a moderator writes it. `measures` are (key, days); days is None where there is no end or none is
    taken."""

    outcome: str
    rule_version: RuleVersion | None = None
    ground: str = Decision.Ground.RULE
    law: str = ""
    facts: str = ""
    public_facts: str = ""
    measures: Sequence[tuple[str, int | None]] = field(default_factory=tuple)
    # Of a review's new decision: the ranges, in ms of room time, on which it rests; None for all evidence of the case.
    ranges: Sequence[tuple[int, int]] | None = None

    @property
    def violation(self) -> bool:
        return self.outcome == Decision.Outcome.VIOLATION


def checked_draft(case: Case, draft: Draft) -> Draft:
    """Return a draft with its texts cleaned. Raises bad_value with a text for each field that is wrong."""
    cleaned, wrong = cleaned_draft(case, draft)
    if wrong:
        raise ModerationRefused("bad_value", wrong)
    return cleaned


def cleaned_draft(case: Case, draft: Draft) -> tuple[Draft, dict[str, str]]:
    """Clean the texts of a draft, and return what is wrong with it, by field."""
    wrong: dict[str, str] = {}
    if draft.outcome not in Decision.Outcome.values:
        return draft, {"outcome": str(WRONG["outcome"])}
    if draft.ground not in Decision.Ground.values:
        wrong["ground"] = str(WRONG["ground"])
    if not draft.violation:
        draft = replace(draft, rule_version=None, ground=Decision.Ground.RULE, law="", ranges=None)
    draft = replace(draft, ranges=ranges_within(case, draft.ranges))
    draft = replace(
        draft,
        facts=_clean(FACTS, "facts", draft.facts, wrong),
        public_facts=_clean(FACTS, "public_facts", draft.public_facts, wrong),
        law=_clean(LAW, "law", draft.law, wrong),
    )
    codes = what_is_missing(draft_facts(case, draft))
    return draft, {name: str(WRONG[code]) for name, code in codes.items()} | wrong


def stamp_of(case: Case) -> str:
    """Compute a mark of all on which a decision of a case depends: another one where something changed since. It holds
    for as long as the case is locked."""
    values: list[Any] = [case.state]
    for model in (Report, EvidenceRange, EvidenceLine, Decision):
        values.append(list(model.objects.filter(case=case).order_by("pk").values_list("pk", flat=True)))
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:32]


def draft_facts(case: Case, draft: Draft) -> DraftFacts:
    """Load the facts by which a draft is judged."""
    kinds = {key: MEASURES.get(key) for key, _days in draft.measures}
    measures = [_imposed(case, key, days) for key, days in draft.measures]
    parties = CaseParty.objects.filter(case=case).values_list("user__handle", "user__display_name")
    names = {name for pair in parties for name in pair}
    return DraftFacts(
        violation=draft.violation,
        rule_in_force=draft.rule_version is not None and is_in_force(draft.rule_version),
        facts=draft.facts,
        has_evidence=case.kind not in WITH_SOUND or bool(evidence_ranges(case, draft.ranges)),
        concerns_somebody=person_of(case) is not None,
        measures=measures,
        law=draft.law,
        ground=draft.ground,
        copy_closed=is_copy_closed(case),
        public_facts=draft.public_facts,
        exported=any(kind is not None and kind.exported_as is not None for kind in kinds.values()),
        named=names_in(draft.public_facts, names) if draft.public_facts else (),
    )


def is_copy_closed(case: Case) -> bool:
    """Whether a child-abuse report closed the copy, and nobody opened it again."""
    return ActAtOnce.objects.filter(case=case, kind=ActAtOnce.Kind.CLOSE_COPY, settled_at=None).exists()


def evidence_ranges(case: Case, chosen: Sequence[Sequence[int]] | None = None) -> list[tuple[int, int]]:
    """List the ranges of a case's evidence: marked ones, and those of quoted lines; or those that were `chosen`."""
    if chosen is not None:
        return sorted((start, end) for start, end in chosen)
    marked = EvidenceRange.objects.filter(case=case).values_list("from_ms", "to_ms")
    quoted = EvidenceLine.objects.filter(case=case).values_list("start_ms", "end_ms")
    return sorted({*marked, *quoted})


def ranges_within(case: Case, ranges: Sequence[tuple[int, int]] | None) -> list[tuple[int, int]] | None:
    """Limit chosen ranges to the room of a case; what is not in it is left out. None for a case without sound."""
    if ranges is None or case.kind not in WITH_SOUND or case.room is None:
        return None
    room_ms = case.room.room_time(case.room.ended_at)
    cut = (within_room(start, end, room_ms=room_ms) for start, end in ranges)
    return sorted({each for each in cut if each is not None})


def is_in_force(version: RuleVersion) -> bool:
    """Whether this is the last version of a rule that is not retired."""
    last = RuleVersion.objects.filter(rule=version.rule_id, rule__retired_at=None).order_by("-number").first()
    return last is not None and last.pk == version.pk


def _imposed(case: Case, key: str, days: int | None) -> Imposed:
    kind = MEASURES.get(key)
    if kind is None:
        return Imposed(key, days, known=False)
    return Imposed(key, days, applies=kind.applies_to(case), takes_days=kind.takes_days)


def _clean(text: Text, name: str, typed: str, wrong: dict[str, str]) -> str:
    try:
        return text.clean(typed, required=False)
    except ValidationError as error:
        wrong[name] = " ".join(error.messages)
        return typed
