"""Acts before a decision: ending a room, restricting its recording, closing a copy that a child-abuse report is
about."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from ledger.actions import Act, record, record_all
from moderation.actions.alarms import alert
from moderation.actions.joining import refresh_parties
from moderation.actions.locking import checked, lock_room, locked_case
from moderation.actions.settling import WITHIN, settle
from moderation.actions.telling import case_changed
from moderation.models import ActAtOnce, Case
from moderation.models.cases import WITH_SOUND
from moderation.queries.rooms import case_in_room
from moderation.refusals import ModerationRefused
from moderation.rules.access import why_not_act_at_once, why_not_reopen
from people.models import User
from rooms.actions.restrictions import restrict
from rooms.actions.staff import end_by_staff
from rooms.models import Restriction, Room

LOOK_WITHIN = timedelta(hours=1)  # target for the child-safety role


def end_room_at_once(room: Room, by: User, about: Case | None = None) -> ActAtOnce:
    """End a live room before a decision, which needs rule and facts within 24 hours: in the case `about`, or without
    one in that which `case_in_room` finds.

    Raises no_case (nobody reported the room, as far as this person may see), not_live, and the codes of
    `why_not_act_at_once`.
    """
    with locked_case(_case_in(room, by, about).pk, with_room=True) as case:
        if act := _done(case, ActAtOnce.Kind.END_ROOM, by):
            return act
        if case.room is None or not case.room.is_live:
            raise ModerationRefused("not_live")
        act = _make(case, ActAtOnce.Kind.END_ROOM, by, timezone.now() + WITHIN)
        end_by_staff(case.room, by)
        case_changed(case)
        record("act_at_once", case.ledger_subject, by.pk, {"act": act.pk, "kind": str(act.kind)})
    return act


def restrict_at_once(room: Room, by: User, about: Case | None = None) -> ActAtOnce:
    """Close the recording of a room before a decision, which needs rule and facts within 24 hours; else it is lifted,
    and not closed a second time. `about` as in `end_room_at_once`.

    Raises no_case, copy_gone, act_was_late, and the codes of `why_not_act_at_once`.
    """
    with locked_case(_case_in(room, by, about).pk, with_room=True) as case:
        if act := _done(case, ActAtOnce.Kind.RESTRICT, by):
            return act
        if case.room is None or case.room.purged_at is not None:
            raise ModerationRefused("copy_gone")
        if ActAtOnce.objects.filter(case=case, kind=ActAtOnce.Kind.RESTRICT, settled=ActAtOnce.Settled.LATE).exists():
            raise ModerationRefused("act_was_late")
        act = _make(case, ActAtOnce.Kind.RESTRICT, by, timezone.now() + WITHIN)
        closed = restrict(case.room, Restriction.Reason.AT_ONCE, by, once=f"act:{act.pk}")
        act.memory = {"restriction": closed.pk}
        act.save(update_fields=["memory"])
        case_changed(case)
        record("act_at_once", case.ledger_subject, by.pk, {"act": act.pk, "kind": str(act.kind)})
    return act


def close_copy(case: Case) -> ActAtOnce | None:
    """Close the copy that a child-abuse report is about, and alert the child-safety role. Nothing is closed where there
    is no copy, where it is closed already, and where that role opened it again in this case.

    Runs in the transaction of the report, which has the case locked, and records its own entries last.
    """
    room = None
    if case.room_id is not None and case.kind in WITH_SOUND:
        room = lock_room(case.room_id)
    alert(case, "child_safety")  # after the room, as everywhere: alarms of a kind wait for each other
    kind = ActAtOnce.Kind.CLOSE_COPY
    known = ActAtOnce.objects.filter(case=case, kind=kind).order_by("-pk").first()
    if known is not None:
        return None if known.settled_at is not None else known
    if room is None or room.purged_at is not None:
        return None
    act = _make(case, kind, None, timezone.now() + LOOK_WITHIN)
    closed = restrict(room, Restriction.Reason.CHILD_SAFETY, None, once=f"act:{act.pk}")
    act.memory = {"restriction": closed.pk}
    act.save(update_fields=["memory"])
    record("copy_closed", case.ledger_subject, None, {"act": act.pk})
    return act


def reopen_copy(case: Case, by: User) -> bool:
    """Open a copy again that a child-abuse report closed. Returns whether it was closed. Raises the codes of
    `why_not_reopen`."""
    with locked_case(case.pk, with_room=True) as row:
        checked(row, by, why_not_reopen)
        acts = list(ActAtOnce.objects.filter(case=row, kind=ActAtOnce.Kind.CLOSE_COPY, settled_at=None))
        if not acts:
            return False
        settled = settle(acts, ActAtOnce.Settled.LIFTED, by, timezone.now())
        case_changed(row)
        record_all([*settled, Act("copy_reopened", row.ledger_subject, by.pk, {"act": acts[0].pk})])
    return True


def _case_in(room: Room, by: User, about: Case | None) -> Case:
    """The open case by which a person may act in a room. Moderators reach reported rooms only. Raises no_case."""
    case = about or case_in_room(by, room)
    if case is not None and (case.room_id != room.pk or case.kind not in WITH_SOUND):
        raise ModerationRefused("no_case")
    if case is None:
        raise ModerationRefused("no_case")
    return case


def _done(case: Case, kind: str, by: User) -> ActAtOnce | None:
    """Ask whether a person may act, in a locked case, and return the act where it is done already."""
    refresh_parties(case)
    checked(case, by, why_not_act_at_once)
    return ActAtOnce.objects.filter(case=case, kind=kind, settled_at=None).first()


def _make(case: Case, kind: str, by: User | None, due_at: datetime) -> ActAtOnce:
    return ActAtOnce.objects.create(case=case, kind=kind, by=by, due_at=due_at)
