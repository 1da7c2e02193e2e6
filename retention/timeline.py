"""The clock as a picture: positions on a bar from day 0 to 30 to 90 (to 180 where it goes on), pure.

Positions are percent of the bar's width as text ("33.33%"), as SVG takes them whatever the reader's language.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from retention.policy import Rules

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Mark:
    """A day of the rule on the bar, 0, 30 or 90. `anchor` keeps the first and last number inside of the bar."""

    day: int
    x: str
    anchor: str


@dataclass(frozen=True)
class Timeline:
    """Positions on the bar. `kept` is the width from the end of the room to the purge, `past` how much of it is over.

    `now` is None once the copy is purged, `purge` where the day is not known or lies beyond the bar (`beyond`).
    `day` counts from 0, a begun day not counted.
    """

    marks: tuple[Mark, ...]
    past: str
    kept: str
    now: str | None
    purge: str | None
    day: int
    beyond: bool


def timeline(
    ended_at: datetime, now: datetime, purge_at: datetime | None, rules: Rules, *, purged: bool = False
) -> Timeline:
    """Place a clock on its bar. `purge_at` is None where it is kept on and its day may not be said.

    The bar ends with the day of a violation, so that one looks like any other; with the last day of an appeal where the
    copy is or was kept beyond it.
    """
    age = max(0.0, (now - ended_at) / DAY)
    kept = age if purge_at is None else max(0.0, (purge_at - ended_at) / DAY)
    age = min(age, kept)
    days = [0, rules.review_days, rules.violation_days]
    if kept > rules.violation_days:
        days.append(rules.appeal_days)
    days = sorted(set(days))
    span = days[-1]
    return Timeline(
        marks=tuple(Mark(day, percent(day, span), anchor(day, span)) for day in days),
        past=percent(age, span),
        kept=percent(kept, span),
        now=None if purged else percent(age, span),
        purge=None if purge_at is None or kept > span else percent(kept, span),
        day=int(age),
        beyond=kept > span,
    )


def percent(days: float, span: int) -> str:
    """Return a position on a bar of `span` days, at most its end, as percent with two digits."""
    return f"{min(1.0, days / span) * 100:.2f}%"


def anchor(day: int, span: int) -> str:
    """Return SVG's text-anchor for the number of a day."""
    return {0: "start", span: "end"}.get(day, "middle")
