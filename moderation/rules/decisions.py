"""Rules of decisions: what a draft needs, and when a second moderator is needed. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

LONGEST_ALONE = 30  # days of a suspension that one moderator decides
MOST_DAYS = 3650
SUSPEND, RESTRICT = "suspend", "restrict"


@dataclass(frozen=True)
class Imposed:
    """A measure of a draft, and what is known of its kind."""

    key: str
    days: int | None
    known: bool = True
    applies: bool = True
    takes_days: bool = False


@dataclass(frozen=True)
class DraftFacts:
    """Facts of a draft on which it depends whether it can be a decision."""

    violation: bool
    rule_in_force: bool
    facts: str
    has_evidence: bool  # a marked range or a quoted line; for a message, title, picture or profile what was reported
    concerns_somebody: bool
    measures: Sequence[Imposed] = field(default_factory=tuple)
    law: str = ""
    ground: str = "rule"
    copy_closed: bool = False  # by a child-abuse report, and not opened again
    public_facts: str = ""
    exported: bool = False  # a measure is one that the public database of statements wants
    named: Sequence[str] = field(default_factory=tuple)  # names of parties that the public facts contain


def what_is_missing(draft: DraftFacts) -> dict[str, str]:
    """Return the code of what is wrong, by field; empty for a draft that can be a decision."""
    if not draft.violation:
        return {"measures": "no_measures"} if draft.measures else {}
    wrong: dict[str, str] = {}
    if not draft.rule_in_force:
        wrong["rule"] = "rule_not_in_force"
    if not draft.facts:
        wrong["facts"] = "facts_missing"
    if not draft.has_evidence:
        wrong["evidence"] = "evidence_missing"
    if not draft.concerns_somebody:
        wrong["case"] = "concerns_nobody"
    if (draft.ground == "law") != bool(draft.law):
        wrong["law"] = "law_missing" if draft.ground == "law" else "law_without_ground"
    if draft.exported and not draft.public_facts:
        wrong["public_facts"] = "public_facts_missing"
    elif draft.named:
        wrong["public_facts"] = "names_somebody"
    if code := wrong_measures(draft.measures):
        wrong["measures"] = code
    elif draft.copy_closed and RESTRICT not in {measure.key for measure in draft.measures}:
        wrong["measures"] = "copy_closed"
    return wrong


def wrong_measures(measures: Sequence[Imposed]) -> str | None:
    """Return the code of what is wrong with the measures of a violation; a warning is the least."""
    if not measures:
        return "measures_missing"
    if len({measure.key for measure in measures}) < len(measures):
        return "measure_twice"
    for measure in measures:
        if not measure.known or not measure.applies:
            return "measure_does_not_apply"
        if measure.days is not None and not (measure.takes_days and 1 <= measure.days <= MOST_DAYS):
            return "wrong_days"
        if measure.takes_days and measure.days is None and measure.key != SUSPEND:
            return "wrong_days"  # only an account is suspended for good
    return None


def needs_second(measures: Iterable[tuple[str, int | None]]) -> bool:
    """Whether a second moderator is needed: a suspension for good or over 30 days."""
    return any(key == SUSPEND and (days is None or days > LONGEST_ALONE) for key, days in measures)


def names_in(text: str, names: Iterable[str]) -> list[str]:
    """List the names that a text contains, whatever their case; those of one letter could be anything."""
    plain = text.casefold()
    wanted = [name.strip() for name in names if len(name.strip()) > 1]
    return [name for name in wanted if re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", plain)]
