"""The plot of a room's reactions on its replay page, for the host."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.utils.functional import Promise

from rooms.models import ReactionCount, Room
from rooms.rules.reactions import KINDS
from rooms.wording import REACTION_WORDS

STEP = 10  # seconds that a bar counts, unless the room is so long that there would be more than MOST_BARS
MOST_BARS = 360
HEIGHT = 100  # of the highest bar, in the plot's own units


@dataclass(frozen=True)
class Bar:
    """One bar: its place from the left, its top and its height, in the plot's own units."""

    x: int
    y: float
    height: float


@dataclass(frozen=True)
class Total:
    """How often people reacted with one kind of emoji."""

    emoji: str
    word: str | Promise
    count: int


@dataclass(frozen=True)
class ReactionPlot:
    """Reactions of a room: bars of `step` seconds each, `width` of them; the totals by kind, the most first. In the
    stretch that begins at `peak_ms` of room time there were most: `peak`."""

    width: int
    step: int
    bars: list[Bar]
    totals: list[Total]
    total: int
    peak_ms: int
    peak: int


def reaction_plot(room: Room, duration_ms: int) -> ReactionPlot | None:
    """Build the plot over the length of a recording; None where nobody reacted."""
    rows = list(ReactionCount.objects.filter(room=room).values_list("second", "kind", "count"))
    if not rows:
        return None
    seconds = max(-(-duration_ms // 1000), 1 + max(second for second, _kind, _count in rows))
    step = STEP * max(1, -(-seconds // (STEP * MOST_BARS)))
    by_bar: Counter[int] = Counter()
    by_kind: Counter[str] = Counter()
    for second, kind, count in rows:
        by_bar[second // step] += count
        by_kind[kind] += count
    at, peak = max(sorted(by_bar.items()), key=lambda bar: bar[1])
    heights = {x: round(HEIGHT * count / peak, 1) for x, count in sorted(by_bar.items())}
    return ReactionPlot(
        width=-(-seconds // step),
        step=step,
        bars=[Bar(x, round(HEIGHT - height, 1), height) for x, height in heights.items()],
        totals=[
            Total(KINDS[kind].emoji, REACTION_WORDS[kind], count)
            for kind, count in by_kind.most_common()
            if kind in KINDS  # a kind that is offered no longer counts in the sums alone
        ],
        total=sum(by_kind.values()),
        peak_ms=at * step * 1000,
        peak=peak,
    )
