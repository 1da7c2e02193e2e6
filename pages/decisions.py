"""Text and sound of a decision for one of its sides, as its pages show them. Nothing here says who reported, who
decided, or what the other side wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.dateparse import parse_datetime

from moderation.actions.clips import clip_address
from moderation.models import AppealLink, Side, Statement
from moderation.notified import outcome_for
from moderation.queries.appeals import AppealRight
from moderation.queries.clips import clips_of as heard_by
from moderation.statements import clock_time


@dataclass(frozen=True)
class Clip:
    """A range that a side may hear: its label, and the address of its sound."""

    label: str
    address: str


@dataclass(frozen=True)
class Told:
    """The statement of reasons as its person reads it: `parts` in human words, `formal` the fields below."""

    statement: Statement
    parts: Sequence[dict[str, Any]]
    rule: dict[str, Any] | None
    sound_until: datetime | None
    appeal_until: datetime
    quoted: Sequence[dict[str, Any]] = field(default_factory=tuple)
    sums: Sequence[str] = field(default_factory=tuple)

    @property
    def erased(self) -> bool:
        return self.statement.erased_at is not None


def told_of(statement: Statement) -> Told:
    """Read a frozen statement."""
    body = statement.body
    evidence, until = body.get("evidence", {}), body.get("until", {})
    return Told(
        statement,
        [part for part in body.get("parts", []) if part["key"] != "until"],
        body.get("rule"),
        parse_datetime(until["sound"]) if until.get("sound") else None,
        statement.appeal_until,
        [{**line, "at": clock_time(line["start_ms"])} for line in evidence.get("lines", [])],
        evidence.get("sha256", []),
    )


def state_of(right: AppealRight) -> str:
    """Where a side's appeal is: "none", "waiting", or what became of it ("granted", "replaced", "dismissed"); "changed"
    where another review changed what was decided."""
    review = right.review
    if right.appeal is None:
        return "changed" if review is not None and not review.is_open else "none"
    if review is None or review.is_open:
        return "waiting"
    return outcome_for(review, right.report, changed=right.later is not None)


def clips_of(right: AppealRight, link: AppealLink | None, *, by_code: bool = False) -> list[Clip]:
    """Ranges that a side may hear, each with an address that opens for some minutes: by its link, or for its account.
    Whoever has neither, but the receipt of a report, hears nothing."""
    if link is None and right.person is None:
        return []
    return [
        Clip(
            f"{clock_time(part.range[0])}–{clock_time(part.range[1])}",
            clip_address(right, part, link, by_code=by_code),
        )
        for part in heard_by(right).clips
    ]


@dataclass(frozen=True)
class OwnRow:
    """One decision about somebody, or one report of theirs, on their own page."""

    right: AppealRight
    state: str
    url: str
    is_reporter: bool
    outcome: str  # of a report: founded, unfounded; "" where it concerns the reader


def own_rows(rights: Sequence[AppealRight]) -> list[OwnRow]:
    """Rows of what was decided about a person, and of their reports, from their rights."""
    rows = []
    for right in rights:
        if right.report is not None:
            url = reverse("pages:receipt", args=[right.report.receipt])
        elif right.until is None:
            continue  # not told yet
        else:
            url = reverse("pages:decision", args=[right.decision.pk])
        outcome = "" if right.report is None else str(right.report.outcome)
        rows.append(OwnRow(right, state_of(right), url, right.side == Side.REPORTER, outcome))
    return rows
