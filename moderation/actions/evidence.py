"""Work on the evidence of a case: looking, marking ranges, quoting lines, notes, splitting by person."""

from __future__ import annotations

from django.utils import timezone

from ledger.actions import Act, record, record_all
from moderation.actions.claims import renew
from moderation.actions.joining import case_for, refresh_parties
from moderation.actions.locking import checked, locked_case
from moderation.actions.telling import case_changed
from moderation.actions.typed import cleaned_text
from moderation.models import Case, CaseNote, CaseParty, EvidenceLine, EvidenceRange, Look, SubjectKind
from moderation.models.cases import NOTE, OPEN_STATES, WITH_SOUND
from moderation.queries.lines import spoken_line
from moderation.refusals import ModerationRefused
from moderation.rules.access import why_not_see, why_not_work
from moderation.rules.evidence import within_room
from people.models import User
from rooms.models import Seat

OPENED = (Look.What.LINES, Look.What.SHOWN)


def note_look(case: Case, by: User, what: str, from_ms: int | None = None, to_ms: int | None = None) -> Look:
    """Store that a person opens the lines of a range, or what was reported; call it before it is shown. What they
    played is not theirs to say: `note_sound` notes what was sent.

    Once the copy is gone, opening the record of the case is what is left ("shown"). Raises unknown_case, bad_value,
    copy_gone.
    """
    if what not in OPENED:
        raise ModerationRefused("bad_value", {"what": ", ".join(OPENED)})
    with locked_case(case.pk) as row:
        checked(row, by, why_not_see)
        limits: tuple[int | None, int | None] = (None, None)
        if what != Look.What.SHOWN:
            limits = evidence_range(row, from_ms, to_ms)
        look = Look.objects.create(case=row, user=by, what=what, from_ms=limits[0], to_ms=limits[1])
        renew(row, by)
        values = {"what": what} if limits[0] is None else {"what": what, "from": limits[0], "to": limits[1]}
        record("evidence_read", row.ledger_subject, by.pk, values)
    return look


def mark_range(case: Case, by: User, from_ms: int, to_ms: int) -> EvidenceRange:
    """Mark a range of room time as evidence; the same one twice is one. Raises bad_value, no_sound, and the codes of
    `why_not_work`."""
    with locked_case(case.pk) as row:
        checked(row, by, why_not_work)
        start, end = _range(row, from_ms, to_ms)
        marked, new = EvidenceRange.objects.get_or_create(
            case=row, from_ms=start, to_ms=end, defaults={"marked_by": by}
        )
        if new:
            _recorded(row, by, "range_marked", {"from": start, "to": end})
    return marked


def unmark_range(marked: EvidenceRange, by: User) -> bool:
    """Take a range out of the evidence. Returns whether it was in it. Raises the codes of `why_not_work`."""
    with locked_case(marked.case_id) as row:
        checked(row, by, why_not_work)
        gone, _rows = EvidenceRange.objects.filter(pk=marked.pk, case=row).delete()
        if gone:
            _recorded(row, by, "range_unmarked", {"from": marked.from_ms, "to": marked.to_ms})
    return bool(gone)


def quote_line(case: Case, by: User, cue: str) -> EvidenceLine:
    """Quote a line as it stands now, by its reference ("cue:12", "range:7"); the same one twice is one. Raises
    bad_value for a line that this room does not have, no_sound, and the codes of `why_not_work`."""
    with locked_case(case.pk) as row:
        checked(row, by, why_not_work)
        if row.kind not in WITH_SOUND or row.room is None:
            raise ModerationRefused("no_sound")
        spoken = spoken_line(row.room, cue)
        if spoken is None:
            raise ModerationRefused("bad_value", {"cue": cue[:30]})
        values = {
            "speaker_id": spoken.speaker,
            "speaker_name": spoken.name,
            "start_ms": spoken.start_ms,
            "end_ms": spoken.end_ms,
            "text": spoken.text,
            "quoted_by": by,
        }
        line, new = EvidenceLine.objects.get_or_create(case=row, cue=cue, defaults=values)
        if new:
            data = {"cue": cue, "from": spoken.start_ms, "to": spoken.end_ms, "speaker": spoken.speaker}
            _recorded(row, by, "line_quoted", data, {"text": spoken.text})
    return line


def unquote_line(line: EvidenceLine, by: User) -> bool:
    """Take a line out of the evidence. Returns whether it was in it. Raises the codes of `why_not_work`."""
    with locked_case(line.case_id) as row:
        checked(row, by, why_not_work)
        gone, _rows = EvidenceLine.objects.filter(pk=line.pk, case=row).delete()
        if gone:
            _recorded(row, by, "line_unquoted", {"cue": line.cue})
    return bool(gone)


def add_note(case: Case, by: User, text: str) -> CaseNote:
    """Write a note for moderators, with or without the claim. Raises unknown_case, bad_value."""
    cleaned = cleaned_text(NOTE, "text", text)
    with locked_case(case.pk) as row:
        checked(row, by, why_not_see)
        note = CaseNote.objects.create(case=row, author=by, text=cleaned)
        renew(row, by)
        _recorded(row, by, "note_added", {"note": note.pk}, {"text": cleaned})
    return note


def split_case(case: Case, by: User, person: User) -> Case:
    """Open, or find, the case about one person out of a case about a room as a whole, with its marked ranges. Raises
    bad_value (somebody who was not on the stage), and the codes of `why_not_work`."""
    with locked_case(case.pk) as row:  # it holds the copy: that of a case more changes nothing
        checked(row, by, why_not_work)
        room = row.room
        if row.kind != SubjectKind.ROOM or room is None:
            raise ModerationRefused("bad_value", {"case": str(SubjectKind.ROOM)})
        if person.pk != room.host_id and not Seat.objects.filter(room=room, user=person).exists():
            raise ModerationRefused("bad_value", {"person": person.handle})
        now = timezone.now()
        # The lower key is locked first: an earlier case about the person is only found, and changed by its own acts.
        split = Case.objects.filter(kind=SubjectKind.PERSON, room=room, subject=person, state__in=OPEN_STATES).first()
        if split is not None:
            return split
        split = case_for(SubjectKind.PERSON, room, person, None, now=now)
        if split.opened_at != now:
            return split
        split.child_safety = row.child_safety
        split.severity, split.accuracy, split.reach = row.severity, row.accuracy, row.reach
        split.priority, split.suggested = row.priority, row.suggested
        split.save(update_fields=["child_safety", "severity", "accuracy", "reach", "priority", "suggested"])
        EvidenceRange.objects.bulk_create(
            EvidenceRange(case=split, from_ms=each.from_ms, to_ms=each.to_ms, marked_by=by) for each in row.ranges.all()
        )
        parties = row.parties.values_list("user_id", flat=True)
        CaseParty.objects.bulk_create([CaseParty(case=split, user_id=pk) for pk in parties], ignore_conflicts=True)
        refresh_parties(split)
        renew(row, by)
        case_changed(row)
        case_changed(split)
        of_list = {"suggested": True} if split.suggested else {}
        opened = Act("case_opened", split.ledger_subject, by.pk, {"from": row.pk} | of_list)
        data = {"into": split.pk, "person": person.pk}
        record_all([Act("case_split", row.ledger_subject, by.pk, data), opened])
    return split


def evidence_range(case: Case, from_ms: int | None, to_ms: int | None) -> tuple[int, int]:
    """Limit a range to the room of a case whose copy is there. Raises bad_value, no_sound, copy_gone."""
    if case.room is not None and case.room.purged_at is not None:
        raise ModerationRefused("copy_gone")
    return _range(case, from_ms, to_ms)


def _range(case: Case, from_ms: int | None, to_ms: int | None) -> tuple[int, int]:
    if case.kind not in WITH_SOUND or case.room is None:
        raise ModerationRefused("no_sound")
    limits = within_room(from_ms, to_ms, room_ms=case.room.room_time(case.room.ended_at))
    if limits is None:
        raise ModerationRefused("bad_value", {"from_ms": "0 <= from_ms < to_ms", "to_ms": "0 <= from_ms < to_ms"})
    return limits


def _recorded(case: Case, by: User, kind: str, data: dict[str, object], texts: dict[str, str] | None = None) -> None:
    renew(case, by)
    case_changed(case)
    record(kind, case.ledger_subject, by.pk, data, texts)
