"""Text and sound of a decision for one of its sides, as its pages show them. Nothing here says who reported, who
decided, or what the other side wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.dateparse import parse_datetime

from moderation.actions.clips import clip_address
from moderation.measures import MEASURES
from moderation.models import AppealLink, Decision, Side, Statement
from moderation.notified import outcome_for
from moderation.queries.appeals import AppealRight
from moderation.queries.clips import clips_of as heard_by
from moderation.refusals import TABLE
from moderation.statements import cut_short
from rooms.rules.room_time import clock_time


@dataclass(frozen=True)
class Clip:
    """A range that a side may hear: its label, and the address of its sound."""

    label: str
    address: str


@dataclass(frozen=True)
class Told:
    """The statement of reasons as its person reads it. Of the `parts` in human words measures and quoted lines also
    stand by themselves, so that a page can show moments in the reader's zone. `sound_until` is None where the sound is
    gone, and where the decision no longer keeps it."""

    statement: Statement
    parts: Sequence[dict[str, Any]]
    measures: Sequence[dict[str, Any]]
    rule: dict[str, Any] | None
    sound_until: datetime | None
    quoted: Sequence[dict[str, Any]]
    sums: Sequence[str]

    @property
    def erased(self) -> bool:
        return self.statement.erased_at is not None

    @property
    def cut_short(self) -> bool:
        """Whether it may have cost a live room something, which nothing gives back."""
        return cut_short(self.statement.body)


def told_of(statement: Statement) -> Told:
    """Read a frozen statement."""
    body, decision = statement.body, statement.decision
    evidence = body.get("evidence", {})
    lines = evidence.get("lines", [])
    return Told(
        statement,
        [_without_quotes(part, len(lines)) for part in body.get("parts", []) if part["key"] != "until"],
        [_measure(row, statement.language) for row in body.get("measures", [])],
        body.get("rule"),
        _sound_until(decision, body.get("until", {}).get("sound")),
        [{**line, "at": clock_time(line["start_ms"])} for line in lines],
        evidence.get("sha256", []),
    )


def _without_quotes(part: dict[str, Any], quoted: int) -> dict[str, Any]:
    """Leave the ranges in a statement's part of evidence: the quoted lines come after them."""
    return {**part, "lines": part["lines"][:-quoted]} if part["key"] == "evidence" and quoted else part


def _measure(row: dict[str, Any], language: str) -> dict[str, Any]:
    kind = MEASURES[row["key"]]
    until = parse_datetime(row["until"]) if row["until"] else None
    with translation.override(language):
        title = kind.words()
    return {"key": row["key"], "title": title, "until": until, "for_good": kind.takes_days and until is None}


def _sound_until(decision: Decision, said: str | None) -> datetime | None:
    room = decision.case.room
    is_kept = room is not None and room.purged_at is None and decision.state == Decision.State.STANDING
    return parse_datetime(said) if said and is_kept else None


def shown_right(right: AppealRight) -> dict[str, Any]:
    """Return what pages say of a right: its state, why there can be no appeal, and the days that things take."""
    is_plain = right.refusal is None or right.refusal == "nothing_to_appeal"
    return {
        "right": right,
        "state": state_of(right),
        "why_not": "" if is_plain else TABLE[str(right.refusal)].text,
        "answer_days": settings.APPEAL_DUE_DAYS,
        "hold_days": settings.APPEAL_HOLD_DAYS,
    }


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
    about: str  # what it is about; "" where that was erased


def own_rows(rights: Sequence[AppealRight]) -> list[OwnRow]:
    """Rows of what was decided about a person, and of their reports, from their rights."""
    subjects = _subjects([right.decision.pk for right in rights if right.report is None])
    rows = []
    for right in rights:
        if right.report is not None:
            url = reverse("pages:receipt", args=[right.report.receipt])
        elif right.until is None:
            continue  # not told yet
        else:
            url = reverse("pages:decision", args=[right.decision.pk])
        outcome = "" if right.report is None else str(right.report.outcome)
        room = right.decision.case.room
        title = "" if room is None else room.shown_title
        about = subjects.get(right.decision.pk, "") if right.report is None else title
        rows.append(OwnRow(right, state_of(right), url, right.side == Side.REPORTER, outcome, about))
    return rows


def _subjects(decisions: Sequence[int]) -> dict[int, str]:
    """Return what each of these decisions is about, as its statement says."""
    found = {}
    for decision, body in Statement.objects.filter(decision__in=decisions).values_list("decision", "body"):
        parts = [part for part in body.get("parts", []) if part["key"] == "about"]
        found[decision] = " ".join(line for part in parts for line in part["lines"])
    return found
