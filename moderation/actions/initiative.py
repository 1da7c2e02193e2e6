"""Own initiative: a senior opens a case that nobody reported, with a reason; its source is "voluntary"."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from ledger.actions import Act, record_all
from moderation.actions.joining import case_for, for_child_safety, refresh_parties, refresh_priority
from moderation.actions.locking import refuse
from moderation.actions.routes import follow_route
from moderation.actions.telling import case_changed
from moderation.actions.typed import cleaned_text
from moderation.models import Case, CaseNote, Category
from moderation.models.cases import NOTE
from moderation.queries.access import visible_cases
from moderation.queries.rooms import is_party_of_room, reported_there
from moderation.refusals import ModerationRefused
from moderation.rulebook import current_category
from moderation.rules.initiative import InitiativeFacts, why_not_open
from people.models import User
from retention.clocks import still_holdable
from rooms.models import Room, Seat


def open_on_own_initiative(
    by: User, room: Room, kind: str, subject: User | None, reason: str, category: str = "other"
) -> Case:
    """Open a case on a live or kept room (`kind` "room"), a person who was on its stage ("person", with `subject`), or
    its title ("title"). The reason is the case's first note. One of a category with a way of its own goes that way: the
    copy of a child-safety case is closed at once, and only that role sees the case.

    Refuses bad_value, the codes of `why_not_open`, case_is_open, and not_allowed where a case is open that is not for
    this person to see.
    """
    with transaction.atomic():
        case, acts = begin_on_own_initiative(by, room, kind, subject, reason, category)
        record_all(acts)
    return case


def begin_on_own_initiative(
    by: User, room: Room, kind: str, subject: User | None, reason: str, category: str, *, suggested: bool = False
) -> tuple[Case, list[Act]]:
    """Do all that `open_on_own_initiative` does but the entries, which the caller records as the last step of its
    transaction. `suggested`: a program had pointed at the place."""
    reason = cleaned_text(NOTE, "reason", reason)
    version = current_category(category)
    if version is None:
        raise ModerationRefused("bad_value", {"category": category})
    refuse(why_not_open(_facts(by, room, kind, subject)))
    now = timezone.now()
    case = case_for(kind, room, room.host if kind == "title" else subject, None, now=now)
    if case.opened_at != now:
        raise ModerationRefused("case_is_open" if visible_cases(by).filter(pk=case.pk).exists() else "not_allowed")
    locked = Room.objects.select_for_update(no_key=True).get(pk=room.pk)  # so that the purge sees the case
    refuse(None if still_holdable(locked) else "copy_gone")
    case.source, case.opened_by, case.severity = Case.Source.VOLUNTARY, by, version.severity
    case.suggested = suggested
    case.save(update_fields=["source", "opened_by", "severity", "suggested"])
    refresh_parties(case)
    # Somebody who is party of it only now, by a seat taken meanwhile, does not open it.
    refuse("party_of_room" if case.parties.filter(user=by).exists() else None)
    refresh_priority(case)
    note = CaseNote.objects.create(case=case, author=by, text=reason)
    if version.category.route == Category.Route.CHILD_SAFETY:
        for_child_safety(case)
    acts = _acts(case, by, note, category)
    follow_route(case, version.category)
    case_changed(case)
    return case, acts


def _facts(by: User, room: Room, kind: str, subject: User | None) -> InitiativeFacts:
    seats = Seat.objects.filter(room=room, user=subject)
    return InitiativeFacts(
        may_open=by.has_perm("moderation.open_case"),
        party=is_party_of_room(by, room),
        kind=kind,
        has_subject=subject is not None,
        was_there=subject is None or subject.pk == room.host_id or seats.exists(),
        kept=room.started_at is not None and still_holdable(room),
        reported=reported_there(by, room),
    )


def _acts(case: Case, by: User, note: CaseNote, category: str) -> list[Act]:
    values = {"source": str(case.source), "category": category, "earlier": case.earlier_id}
    values |= {"suggested": True} if case.suggested else {}
    opened = {name: value for name, value in values.items() if value is not None}
    return [
        Act("case_opened", case.ledger_subject, by.pk, opened, {"reason": note.text}),
        Act("note_added", case.ledger_subject, by.pk, {"note": note.pk}, {"text": note.text}),
    ]
