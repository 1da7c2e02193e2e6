"""What one side of a decision may read and hear of it, for its pages. Nothing here says who reported, who decided, or
what the other side wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core import signing
from django.urls import reverse
from django.utils.dateparse import parse_datetime

from moderation.models import Side, Statement
from moderation.models.cases import WITH_SOUND
from moderation.notified import outcome_for
from moderation.queries.appeals import AppealRight
from moderation.statements import clock_time

AROUND_MS = 5_000  # of what came before and after, so that one understands it
ADDRESS_SECONDS = 30 * 60  # for which the address of a clip opens
_SALT = "pages.clip"


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


def ranges_of(right: AppealRight) -> list[tuple[int, int]]:
    """Ranges of room time, in ms, that a side may hear: those of the statement, or the one that it reported. None of a
    child-safety case, nor where there is no sound (any more)."""
    case = right.decision.case
    if case.child_safety or case.kind not in WITH_SOUND or case.room is None or case.room.purged_at is not None:
        return []
    report = right.report
    if report is not None:
        return [] if report.from_ms is None or report.to_ms is None else [(report.from_ms, report.to_ms)]
    body = Statement.objects.filter(decision=right.decision).values_list("body", flat=True).first() or {}
    return [(start, end) for start, end in body.get("evidence", {}).get("ranges", [])]


def clips_of(right: AppealRight) -> list[Clip]:
    """Ranges that a side may hear, each with an address that opens for some minutes."""
    return [
        Clip(f"{clock_time(start)}–{clock_time(end)}", reverse("pages:clip", args=[_signed(right, place)]))
        for place, (start, end) in enumerate(ranges_of(right))
    ]


def _signed(right: AppealRight, place: int) -> str:
    report = 0 if right.report is None else right.report.pk
    return signing.dumps([right.decision.pk, report, place], salt=_SALT)


def read_clip(text: str) -> tuple[int, int, int] | None:
    """Return decision, report (0 for the person concerned) and place of a range, by their keys; None for an address
    that is not ours or is over."""
    try:
        decision, report, place = signing.loads(text, salt=_SALT, max_age=ADDRESS_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return int(decision), int(report), int(place)


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
