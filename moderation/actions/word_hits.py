"""Presses on a place where captions had a word of the list: open a case with its range, or dismiss it.

The place is locked after case and room, before the ledger, as the purge does, which deletes it with the room locked.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from ledger.actions import Act, record, record_all
from moderation.actions.evidence import evidence_range
from moderation.actions.initiative import begin_on_own_initiative
from moderation.actions.locking import checked, lock_room, locked_case
from moderation.actions.telling import case_changed
from moderation.models import Case, CaseNote, EvidenceRange, SubjectKind, WordHit
from moderation.models.cases import OPEN_STATES
from moderation.queries.access import visible_cases
from moderation.queries.live_rooms import hits_in_reach
from moderation.queries.rooms import case_in_room
from moderation.refusals import ModerationRefused
from moderation.rulebook import word_category
from moderation.rules.access import why_not_act_at_once
from people.models import User
from rooms.rules.room_time import clock_time

MARGIN_MS = 10_000  # of the range, on each side
OTHER = "other"  # the category where the word's is retired, or none for words


def open_case_on(pk: int, by: User) -> Case:
    """Put a place into a case, with its range and a note that a list suggested it: the open case about the speaker,
    else a new one on own initiative, else, for those who open none, the case about the room.

    Joining is no work on a case and needs no claim, as a report needs none. Refuses unknown_hit, hit_handled,
    not_allowed, decided_already, waits_for_second, and the codes of `open_on_own_initiative`.
    """
    hit = _found(pk, by)
    person = visible_cases(by).filter(room=hit.room, kind=SubjectKind.PERSON, subject=hit.speaker)
    case = person.filter(state__in=OPEN_STATES).first()
    if case is None and not by.has_perm("moderation.open_case"):
        case = case_in_room(by, hit.room)
        if case is None or case.kind != SubjectKind.ROOM:
            raise ModerationRefused("not_allowed")
    return _open(hit, by) if case is None else _join(hit, case, by)


def dismiss(pk: int, by: User) -> None:
    """Find no violation in a place. Refuses unknown_hit, hit_handled, not_allowed."""
    hit = _found(pk, by)
    with transaction.atomic():
        lock_room(hit.room_id)
        act = _handle(hit, by, WordHit.Outcome.DISMISSED)
        record(act.kind, act.subject, act.actor, act.data)


def _found(pk: int, by: User) -> WordHit:
    """Get a place that this person may look at and decide about."""
    hit = hits_in_reach(by, timezone.now()).select_related("room", "speaker", "word").filter(pk=pk).first()
    if hit is None:
        raise ModerationRefused("unknown_hit")
    if not by.has_perm("moderation.decide_case"):
        raise ModerationRefused("not_allowed")
    return hit


def _open(hit: WordHit, by: User) -> Case:
    category = hit.word.category_id if word_category(hit.word.category_id) else OTHER
    with transaction.atomic():
        case, acts = begin_on_own_initiative(
            by, hit.room, SubjectKind.PERSON, hit.speaker, _reason(hit), category, suggested=True
        )
        handled = _handle(hit, by, WordHit.Outcome.CASE, case)
        record_all([*acts, *_mark(hit, case, by), handled])
    return case


def _join(hit: WordHit, known: Case, by: User) -> Case:
    with locked_case(known.pk, with_room=True) as case:
        checked(case, by, why_not_act_at_once)
        handled = _handle(hit, by, WordHit.Outcome.CASE, case)
        note = CaseNote.objects.create(case=case, author=by, text=_reason(hit))
        noted = Act("note_added", case.ledger_subject, by.pk, {"note": note.pk}, {"text": note.text})
        marked = _mark(hit, case, by)
        case.suggested = True
        case.save(update_fields=["suggested"])
        case_changed(case)
        record_all([noted, *marked, handled])
    return case


def _mark(hit: WordHit, case: Case, by: User) -> list[Act]:
    """Mark the range of a place as evidence, unless the same one is."""
    start, end = evidence_range(case, hit.from_ms - MARGIN_MS, hit.to_ms + MARGIN_MS)
    marked = EvidenceRange.objects.get_or_create(case=case, from_ms=start, to_ms=end, defaults={"marked_by": by})
    return [Act("range_marked", case.ledger_subject, by.pk, {"from": start, "to": end})] if marked[1] else []


def _handle(hit: WordHit, by: User, outcome: str, case: Case | None = None) -> Act:
    """Note what became of a place; the caller has its room locked. Refuses hit_handled."""
    values = {"outcome": outcome, "handled_by": by, "handled_at": timezone.now(), "case": case}
    if not WordHit.objects.filter(pk=hit.pk, outcome="").update(**values):
        raise ModerationRefused("hit_handled")
    data: dict[str, object] = {"hit": hit.pk, "word": hit.word_id, "outcome": str(outcome)}
    return Act("word_hit_handled", f"room:{hit.room_id}", by.pk, data if case is None else {**data, "case": case.pk})


def _reason(hit: WordHit) -> str:
    times = {"phrase": hit.word.phrase, "from": clock_time(hit.from_ms), "to": clock_time(hit.to_ms)}
    return gettext("Suggested by a word list: “%(phrase)s”, %(from)s–%(to)s. Automatic, may be wrong.") % times
