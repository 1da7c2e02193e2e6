"""Draw docs/clock.svg, the retention clock in examples, out of the policy (`retention/policy.py`).

`--check` writes nothing and exits 1 when the picture is not what it would be.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from retention.policy import Finding, Hold, Reason, Rules, clock, told_clock  # noqa: E402

TARGET = ROOT / "docs/clock.svg"
RULES = Rules()
END = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LEFT, SCALE, TOP, ROW = 350, 3.2, 54, 44  # pixels: where day 0 is, a day, where the first row begins, a row
WIDTH = LEFT + int(240 * SCALE) + 20
STYLE = """\
text{font:14px system-ui,sans-serif;fill:#2b211b}.soft{fill:#6b5d52;font-size:12px}
.day{stroke:#8d7d6f;stroke-dasharray:2 4}
.review{fill:#6b5d52}.violation{fill:#b9481a}.case,.appeal,.legal{fill:#b9a897}
@media(prefers-color-scheme:dark){text{fill:#f4ebe0}.soft{fill:#b8a999}.day{stroke:#85766a}.review{fill:#b8a999}
.violation{fill:#f08a4b}.case,.appeal,.legal{fill:#6e6055}}"""


def day(number: float) -> datetime:
    return END + timedelta(days=number)


@dataclass(frozen=True)
class Example:
    """Facts of a room, by day after its end; all of them are known from the day on which they begin."""

    title: str
    findings: tuple[Finding, ...] = ()
    holds: tuple[Hold, ...] = ()


CASE = Hold(Reason.CASE, "case", day(10))
FOUND = Finding("decision", day(12), told_at=day(12))
EXAMPLES = (
    Example("Nothing"),
    Example("Case opened on day 10, still open", holds=(CASE,)),
    Example("… decided on day 45: no violation", holds=(Hold(Reason.CASE, "case", day(10), day(45)),)),
    Example("Violation decided and told on day 12", (FOUND,)),
    Example("Violation proposed on day 20, nobody approves", (Finding("proposal", day(20), proposed=True),)),
    Example("Violation overturned on day 60", (Finding("decision", day(12), day(60), told_at=day(12)),)),
    Example("Violation, appeal on day 85, decided on day 99", (FOUND,), (Hold(Reason.APPEAL, "a", day(85), day(99)),)),
    Example("Violation, appeal on day 85, never decided", (FOUND,), (Hold(Reason.APPEAL, "appeal", day(85)),)),
    Example("Legal order from day 5 to day 220", holds=(Hold(Reason.LEGAL, "order", day(5), day(220)),)),
)


def spans(example: Example) -> list[tuple[int, int, Reason, str]]:
    """Return the days on which the copy is kept for one reason, as (from, to, reason, what the host is told)."""
    found: list[tuple[int, int, Reason, str]] = []
    number = 0
    while True:
        at = clock(END, day(number), example.findings, example.holds, RULES)
        if at.due:
            return found
        told = told_clock(at, END, example.findings, RULES)
        said = "kept longer" if told.purge_at is None else f"day {(told.purge_at - END).days}"
        if found and found[-1][2:] == (at.reason, said):
            found[-1] = (found[-1][0], number + 1, at.reason, said)
        else:
            found.append((number, number + 1, at.reason, said))
        number += 1


def row(place: int, example: Example) -> list[str]:
    """Draw one example: a bar for each reason, and below it what the host is told meanwhile."""
    top = TOP + place * ROW
    parts = [f'<text x="8" y="{top + 14}">{escape(example.title)}</text>']
    last = 0
    told: list[tuple[int, str]] = []
    for begin, end, reason, said in spans(example):
        x, width = LEFT + begin * SCALE, (end - begin) * SCALE
        parts.append(f'<rect class="{reason}" x="{x:.1f}" y="{top}" width="{width:.1f}" height="16"/>')
        if not told or told[-1][1] != said:
            told.append((begin, said))
        last = end
    parts.append(f'<text x="{LEFT + last * SCALE + 6:.1f}" y="{top + 13}">day {last}</text>')
    host = " · ".join(said if not begin else f"from day {begin}: {said}" for begin, said in told)
    parts.append(f'<text class="soft" x="{LEFT}" y="{top + 30}">host reads: {escape(host)}</text>')
    return parts


def picture() -> str:
    """Return the whole picture as SVG."""
    height = TOP + len(EXAMPLES) * ROW + 8
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="t">',
        '<title id="t">How long a room’s copy is kept, by what is found and what holds it</title>',
        f"<style>{STYLE}</style>",
        '<text class="soft" x="8" y="22">days from the end of the room</text>',
    ]
    for number in (0, RULES.review_days, RULES.violation_days, RULES.appeal_days):
        x = LEFT + number * SCALE
        lines.append(f'<text class="soft" x="{x:.1f}" y="22" text-anchor="middle">{number}</text>')
        lines.append(f'<line class="day" x1="{x:.1f}" x2="{x:.1f}" y1="28" y2="{height - 8}"/>')
    reasons = (Reason.REVIEW, Reason.VIOLATION, Reason.CASE)
    for place, (reason, name) in enumerate(zip(reasons, ("review", "violation", "held"), strict=True)):
        x = LEFT + 8 + place * 84
        lines.append(f'<rect class="{reason}" x="{x}" y="32" width="10" height="10"/>')
        lines.append(f'<text class="soft" x="{x + 14}" y="41">{name}</text>')
    for place, example in enumerate(EXAMPLES):
        lines += row(place, example)
    return "\n".join([*lines, "</svg>"]) + "\n"


def main() -> int:
    """1 with `--check` when the picture is out of date."""
    text = picture()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    print(f"{TARGET.relative_to(ROOT)} is not up to date: run script/clock_diagram.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
