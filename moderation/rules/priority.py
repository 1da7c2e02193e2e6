"""The priority of a case: a pure function of its severity and of who reported it, in parts that add up.

One step of severity is worth more than all other parts together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import log2, log10

NEUTRAL = 50  # accuracy, in per cent, of somebody none of whose reports was decided
STEP = 200
MOST_REPORTERS, MOST_REACH, MOST_ACCURACY = 100, 49, 50


@dataclass(frozen=True)
class Priority:
    """Parts of a priority, in points."""

    severity: int
    reporters: int
    reach: int
    accuracy: int

    @property
    def total(self) -> int:
        return self.severity + self.reporters + self.reach + self.accuracy


def priority(*, severity: int, reporters: int, reach: int, accuracy: int) -> Priority:
    """Compute a priority: `severity` from 1 to 4 (0 where unknown), numbers of `reporters` and of people reached, and
    the reporters' mean `accuracy` in per cent."""
    return Priority(
        severity=STEP * severity,
        reporters=min(MOST_REPORTERS, round(15 * log2(max(1, reporters)))),
        reach=min(MOST_REACH, round(12 * log10(1 + reach))),
        accuracy=min(MOST_ACCURACY, accuracy // 2),
    )


def accuracy_of(founded: int, unfounded: int) -> int:
    """Per cent of somebody's decided reports that were founded, as if one more of each kind had been decided."""
    return round(100 * (founded + 1) / (founded + unfounded + 2))


def mean_accuracy(reporters: int, known: Iterable[int]) -> int:
    """Mean accuracy of a number of reporters, of whom some are `known`; the others count as NEUTRAL."""
    values = list(known)
    others = max(0, reporters - len(values))
    return round((sum(values) + NEUTRAL * others) / (len(values) + others)) if values or others else NEUTRAL
