"""Clips of an appeal: of which ranges one side hears the sound, and why not where it hears none.

The person concerned hears the ranges that the statement names, a reporter their own and no other's: how wide others'
reports are shows nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moderation.models import ActAtOnce, Case, Decision, EvidenceRange, Report, Side, Statement
from moderation.models.cases import OPEN_STATES, WITH_SOUND
from moderation.queries.appeals import AppealRight
from moderation.rules.evidence import Range, overlaps, within_room
from rooms.models import Room
from rooms.recording.delivery.clips import LONGEST_MS

CONTEXT_MS = 5_000  # on both sides of a range


@dataclass(frozen=True)
class Clip:
    """A range of room time, in ms, and what is sent of it: with its context, within the room, in parts of at most
    LONGEST_MS."""

    range: Range
    sent: Range


@dataclass(frozen=True)
class Clips:
    """The sound for one side. `why_none` is "" where there is something; else `no_sound` (it is not about sound),
    `closed` (nobody hears it here) or `gone` (the copy was deleted: decided on the record)."""

    clips: tuple[Clip, ...] = ()
    why_none: str = ""


def clips_of(right: AppealRight) -> Clips:
    """Return what one side of a decision may hear now."""
    case = right.decision.case
    room, ranges = case.room, _ranges(right)
    if case.kind not in WITH_SOUND or room is None or not ranges:
        return Clips(why_none="no_sound")
    if case.child_safety:
        return Clips(why_none="closed")
    if room.purged_at is not None or room.started_at is None:
        return Clips(why_none="gone")
    room_ms = room.room_time(room.ended_at)
    parts = tuple(part for each in ranges for part in _parts(each, room_ms))
    if _is_closed(room, [part.sent for part in parts]):
        return Clips(why_none="closed")
    return Clips(parts) if parts else Clips(why_none="no_sound")


def _ranges(right: AppealRight) -> list[Range]:
    """The ranges of the side's own statement or report."""
    if right.side == Side.REPORTER:
        report = right.report
        if report is None or report.from_ms is None or report.to_ms is None:
            return []
        return [(report.from_ms, report.to_ms)]
    body: dict[str, Any] = (
        Statement.objects.filter(decision=right.decision).values_list("body", flat=True).first() or {}
    )
    return [(start, end) for start, end in body.get("evidence", {}).get("ranges", [])]


def _parts(whole: Range, room_ms: int) -> list[Clip]:
    """Widen a range by its context, and cut it where one clip would be too long."""
    wide = within_room(whole[0] - CONTEXT_MS, whole[1] + CONTEXT_MS, room_ms=room_ms)
    if wide is None:
        return []
    starts = range(wide[0], wide[1], LONGEST_MS)
    return [Clip(whole, (start, min(start + LONGEST_MS, wide[1]))) for start in starts]


def _is_closed(room: Room, sent: list[Range]) -> bool:
    """Whether a report of child abuse closes the sound: all of the room's while nobody of child safety has looked or
    decided, and for good the ranges in which a violation was found. The case itself may be another one."""
    cases = Case.objects.filter(room=room, child_safety=True)
    acts = ActAtOnce.objects.filter(case__room=room, kind=ActAtOnce.Kind.CLOSE_COPY, settled_at=None)
    if cases.filter(state__in=OPEN_STATES).exists() or acts.exists():
        return True
    outcome = Decision.Outcome.VIOLATION
    found = cases.filter(decisions__outcome=outcome, decisions__state=Decision.State.STANDING)
    marked = [
        *EvidenceRange.objects.filter(case__in=found).values_list("from_ms", "to_ms"),
        *Report.objects.filter(case__in=found, from_ms__isnull=False).values_list("from_ms", "to_ms"),
    ]
    known = [(start, end) for start, end in marked if start is not None and end is not None]
    return any(overlaps(part, known) for part in sent)
