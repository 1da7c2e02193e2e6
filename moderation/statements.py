"""Statements of reasons: what the person concerned reads, and the fields that Europe's Digital Services Act wants.

A body holds `parts` (headings and lines, in the person's language), `rule`, `measures`, `evidence`, `until` and
`export` (one object of the EU Transparency Database; None for a bare warning). It is frozen when a decision is in
force; built from unsaved rows it is the preview.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from core.text import isolated
from moderation.measures import MEASURES
from moderation.models import Case, Decision, EvidenceLine, Measure, SubjectKind
from moderation.rules.evidence import overlaps
from retention.policy import Clock
from rooms.models import RecordingFile
from rooms.rules.room_time import clock_time

CONTENT = {
    SubjectKind.ROOM: "CONTENT_TYPE_AUDIO",
    SubjectKind.PERSON: "CONTENT_TYPE_AUDIO",
    SubjectKind.MESSAGE: "CONTENT_TYPE_TEXT",
    SubjectKind.TITLE: "CONTENT_TYPE_TEXT",
    SubjectKind.PICTURE: "CONTENT_TYPE_IMAGE",
    SubjectKind.PROFILE: "CONTENT_TYPE_TEXT",
}
CATEGORIES = {
    "protect-children": "STATEMENT_CATEGORY_PROTECTION_OF_MINORS",
    "old-enough": "STATEMENT_CATEGORY_PROTECTION_OF_MINORS",
    "no-violence": "STATEMENT_CATEGORY_VIOLENCE",
    "no-hate": "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH",
    "no-harassment": "STATEMENT_CATEGORY_CYBER_VIOLENCE",
    "no-fraud": "STATEMENT_CATEGORY_SCAMS_AND_FRAUD",
}
OTHER_CATEGORY = "STATEMENT_CATEGORY_OTHER_VIOLATION_TC"
END_DATES = {
    "decision_visibility": "end_date_visibility_restriction",
    "decision_provision": "end_date_service_restriction",
    "decision_account": "end_date_account_restriction",
}


CUT_SHORT = frozenset({"end_room", "suspend", "no_stage", "no_hosting"})  # measures that act on live rooms


def body_of(
    decision: Decision,
    measures: Sequence[Measure],
    language: str,
    now: datetime,
    clock: Clock | None,
    replaced: datetime | None = None,
) -> dict[str, Any]:
    """Build the body of a violation's statement. `clock` is the room's as the decision leaves it; None for what has no
    recording, or a room that is live. `replaced` is when the person got the statement whose place this one takes."""
    case, rule = decision.case, decision.rule
    assert rule is not None
    appeal = appeal_until(now)
    sound = clock.purge_at if clock is not None else None
    evidence = evidence_of(decision)
    with translation.override(language):
        parts = [
            part("about", _("What this is about"), [about(case)]),
            part("facts", _("What happened"), decision.facts.splitlines()),
            part("measures", _("What follows"), [MEASURES[row.kind].describe(row, language) for row in measures]),
            part("evidence", _("Where it was said"), evidence_lines(evidence)),
            part("rule", _("The rule"), [rule.title(language), rule.text(language)]),
            part("law", _("The law"), [decision.law]),
            part("decided", _("Who decided"), decided_by(decision, replaced)),
            part("until", _("What you can do"), rights(sound, appeal)),
        ]
    return {
        "parts": [each for each in parts if each["lines"]],
        "rule": {"key": rule.rule_id, "version": rule.number},
        "measures": [_measure(row, language) for row in measures],
        "evidence": evidence,
        "until": {"sound": _iso(sound), "appeal": _iso(appeal)},
        "export": export_of(decision, measures, now),
    }


def appeal_until(told: datetime) -> datetime:
    """Return the last moment for an appeal of somebody who is told of a decision now."""
    return told + timedelta(days=settings.REPORT_WORDS_DAYS)


def cut_short(body: dict[str, Any]) -> bool:
    """Whether what a statement tells of may have cost a live room something, which nothing gives back."""
    return any(measure["key"] in CUT_SHORT for measure in body.get("measures", []))


def part(key: str, title: str, lines: Sequence[str]) -> dict[str, Any]:
    return {"key": key, "title": title, "lines": [line for line in lines if line.strip()]}


def about(case: Case) -> str:
    """Say what a case is about, in the active language."""
    if case.kind == SubjectKind.MESSAGE:
        return _("A message that you sent.")
    if case.kind == SubjectKind.PICTURE:
        return _("The picture of your account.")
    if case.kind == SubjectKind.PROFILE:
        return _("Your profile: its name and text.")
    room = case.room
    assert room is not None
    begun = room.started_at or room.starts_at
    names = {"title": isolated(room.shown_title), "day": "" if begun is None else date_format(begun, "j F Y")}
    if case.kind == SubjectKind.TITLE:
        return _("The title of your room “%(title)s”, %(day)s.") % names
    if case.kind == SubjectKind.ROOM:
        return _("Your room “%(title)s”, %(day)s, as a whole.") % names
    return _("What you said in the room “%(title)s”, %(day)s.") % names


def evidence_of(decision: Decision) -> dict[str, Any]:
    """Collect a decision's evidence: ranges of room time in ms, quoted lines as they stood, checksums of the room's
    files. It is all that of its case, unless the decision names ranges."""
    case = decision.case
    lines = list(EvidenceLine.objects.filter(case=case))
    ranges = [[row.from_ms, row.to_ms] for row in case.ranges.all()]
    if decision.ranges is not None:
        ranges = [list(each) for each in decision.ranges]
        lines = [row for row in lines if overlaps((row.start_ms, row.end_ms), decision.ranges)]
    sums = RecordingFile.objects.filter(recording__room=case.room_id).order_by("path") if case.room_id else ()
    return {
        "ranges": ranges,
        "lines": [
            {"name": row.speaker_name, "start_ms": row.start_ms, "end_ms": row.end_ms, "text": row.text}
            for row in lines
        ],
        "sha256": [file.sha256 for file in sums],
    }


def evidence_lines(evidence: dict[str, Any]) -> list[str]:
    """Word the evidence in the active language."""
    ranges = [
        _("From %(start)s to %(end)s of the room.") % {"start": clock_time(start), "end": clock_time(end)}
        for start, end in evidence["ranges"]
    ]
    quotes = [
        f"{clock_time(line['start_ms'])} {isolated(line['name'])}: “{isolated(line['text'])}”"
        for line in evidence["lines"]
    ]
    return ranges + quotes


def decided_by(decision: Decision, replaced: datetime | None = None) -> list[str]:
    """Say that people decided, in the active language, how it came up, and what it takes the place of."""
    lines = [
        _("A moderator decided this: a person, not a program."),
        _("Nobody reported it: moderators looked on their own initiative.")
        if decision.case.source == Case.Source.VOLUNTARY
        else _("It was reported to moderators."),
    ]
    if decision.case.suggested:
        lines.append(_("A program had found a word of a list in the captions; a moderator judged what was said."))
    if decision.second_by_id is not None:
        lines.insert(1, _("A second moderator approved it."))
    if replaced is not None:
        day = {"day": date_format(replaced.astimezone(UTC), "j F Y")}
        lines.append(
            _("Another moderator looked at it again: this takes the place of what we told you on %(day)s.") % day
        )
    return lines


def rights(sound: datetime | None, appeal: datetime) -> list[str]:
    """Say until when the sound is kept and an appeal is possible, in the active language."""
    lines = []
    if sound is not None:
        lines.append(_("The recording is kept until %(day)s.") % {"day": date_format(sound.astimezone(UTC), "j F Y")})
    day = date_format(appeal.astimezone(UTC), "j F Y")
    lines.append(
        _("You can appeal until %(day)s: another moderator looks at it again, and it costs nothing.") % {"day": day}
    )
    lines.append(_("You can also go to a certified body for out-of-court settlement, or to a court."))
    return lines


def export_of(decision: Decision, measures: Sequence[Measure], now: datetime) -> dict[str, Any] | None:
    """Build the statement as the EU Transparency Database takes it; None where no measure is one that it knows."""
    fields = measure_fields(measures)
    rule, case = decision.rule, decision.case
    if not fields or rule is None:
        return None
    law = decision.ground == Decision.Ground.LAW
    happened = case.opened_at if case.room is None else case.room.started_at or case.opened_at
    ground = "ILLEGAL" if law else "INCOMPATIBLE"
    name = "illegal_content_legal_ground" if law else "incompatible_content_ground"
    return fields | {
        "decision_ground": f"DECISION_GROUND_{ground}_CONTENT",
        name: (decision.law if law else rule.title("en"))[:500],
        f"{ground.lower()}_content_explanation": rule.text("en")[:2000],
        "content_type": [CONTENT[SubjectKind(case.kind)]],
        "category": CATEGORIES.get(rule.rule_id, OTHER_CATEGORY),
        "content_date": f"{happened.astimezone(UTC):%Y-%m-%d}",
        "application_date": f"{now.astimezone(UTC):%Y-%m-%d}",
        "decision_facts": decision.public_facts[:5000],
        "source_type": source_type(case, law=law),
        "automated_detection": "Yes" if case.suggested else "No",
        "automated_decision": "AUTOMATED_DECISION_NOT_AUTOMATED",
        "puid": f"decision-{decision.pk}",
    }


def source_type(case: Case, *, law: bool) -> str:
    if case.source == Case.Source.VOLUNTARY:
        return "SOURCE_VOLUNTARY"
    return "SOURCE_ARTICLE_16" if law else "SOURCE_TYPE_OTHER_NOTIFICATION"


def measure_fields(measures: Sequence[Measure]) -> dict[str, Any]:
    """Return the export's fields of what was imposed, with the end where each of a field has one."""
    fields: dict[str, Any] = {}
    ends: dict[str, list[datetime | None]] = {}
    for row in measures:
        exported = MEASURES[row.kind].exported_as
        if exported is None:
            continue
        name, limited, for_good = exported
        value = for_good if row.ends_at is None else limited
        if name == "decision_visibility":
            fields[name] = sorted({*fields.get(name, []), value})
        else:
            fields[name] = max(fields.get(name, ""), value)  # …_TERMINATION is more than …_SUSPENSION
        ends.setdefault(name, []).append(row.ends_at)
    for name, moments in ends.items():
        known = [moment for moment in moments if moment is not None]
        if len(known) == len(moments):
            fields[END_DATES[name]] = f"{max(known).astimezone(UTC):%Y-%m-%d}"
    return fields


def _measure(row: Measure, language: str) -> dict[str, Any]:
    text = MEASURES[row.kind].describe(row, language)
    return {"key": row.kind, "text": text, "until": _iso(row.ends_at)}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
