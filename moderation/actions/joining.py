"""Join reports into cases: one open case a subject, with its parties and its place in the queue.

Locks are taken in this order: case, room or thread, ledger. So a crowd that reports one moment waits in one line, and
never for each other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from redis.exceptions import RedisError

from moderation.models import Case, CaseParty, Report, ReportedMessage, SubjectKind
from moderation.models.cases import OPEN_STATES
from moderation.rulebook import current_categories
from moderation.rules.priority import accuracy_of, mean_accuracy, priority
from people.models import User
from rooms import presence
from rooms.models import Room, Seat
from social.models import Follow, Message


def case_for(kind: str, room: Room | None, subject: User | None, message: int | None, *, now: datetime) -> Case:
    """Lock the open case about a subject, or open one that is linked to the last decided one.

    A case that was opened now has `opened_at == now`. Runs in the caller's transaction. One case at a time: whoever
    needs a second locks the one with the lower key first.
    """
    columns: dict[str, Any] = {"kind": kind, "room": room, "subject": subject, "message": message}
    while True:
        if case := open_case(kind, room, subject, message):
            return case
        try:
            with transaction.atomic():
                return Case.objects.create(
                    **columns, opened_at=now, earlier=_earlier(columns), for_seniors=_is_about_staff(room, subject)
                )
        except IntegrityError as error:
            # Another transaction opened it meanwhile: it is found now.
            if "case_one_open" not in str(error):
                raise


def open_case(kind: str, room: Room | None, subject: User | None, message: int | None) -> Case | None:
    """Lock the open case about a subject; None where there is none."""
    rows = Case.objects.select_for_update(no_key=True, of=("self",))
    columns = {"room": room, "subject": subject, "message": message}
    return rows.filter(kind=kind, state__in=OPEN_STATES, **columns).first()


def _earlier(columns: dict[str, Any]) -> Case | None:
    return Case.objects.filter(state=Case.State.DECIDED, **columns).order_by("-decided_at", "-pk").first()


def for_child_safety(case: Case) -> None:
    """Leave a case to child-safety staff alone, also where a moderator was at work on it. The caller has it locked."""
    if not case.child_safety:
        case.child_safety, case.claimed_by, case.claimed_until = True, None, None
        case.save(update_fields=["child_safety", "claimed_by", "claimed_until"])


# --- parties ----------------------------------------------------------------------------------------------------------


def refresh_parties(case: Case) -> None:
    """Add whoever is a party of a case by now: host, all who sat on the stage, reporters, whom it is about, sender and
    receiver of a message. Nobody stops being one. A case about somebody who is staff by now is for seniors. The caller
    has the case locked; a party loses their claim."""
    if not case.for_seniors and _is_about_staff(case.room, case.subject):
        case.for_seniors = True
        case.save(update_fields=["for_seniors"])
    known = set(case.parties.values_list("user_id", flat=True))
    new = sorted(_people(case) - known)
    if new:
        CaseParty.objects.bulk_create([CaseParty(case=case, user_id=pk) for pk in new], ignore_conflicts=True)
        if case.claimed_by_id in new:
            case.refresh_from_db(fields=["claimed_by", "claimed_until"])


def _people(case: Case) -> set[int]:
    pks: set[int | None] = {case.subject_id}
    pks.update(Report.objects.filter(case=case).values_list("reporter", flat=True))
    if case.room_id is not None:
        pks.update(Room.objects.filter(pk=case.room_id).values_list("host", flat=True))
        pks.update(Seat.objects.filter(room=case.room_id).values_list("user", flat=True))
    if case.message is not None:
        for sides in Message.objects.filter(pk=case.message).values_list("sender", "receiver"):
            pks.update(sides)
        pks.update(ReportedMessage.objects.filter(report__case=case).values_list("sender", flat=True))
    return {pk for pk in pks if pk is not None}


def with_right(codename: str) -> Q:
    """The condition on accounts that a permission of this app was given to them or to a group of theirs."""
    wanted = {"content_type__app_label": "moderation", "codename": codename}
    by_group = Q(**{f"groups__permissions__{name}": value for name, value in wanted.items()})
    return by_group | Q(**{f"user_permissions__{name}": value for name, value in wanted.items()})


_STAFF = Q(is_superuser=True) | Q(groups__permissions__isnull=False) | Q(user_permissions__isnull=False)


def staff_among(pks: Iterable[int]) -> set[int]:
    """Select the accounts that have any right of staff, by their keys."""
    return set(User.objects.filter(_STAFF, pk__in=list(pks)).values_list("pk", flat=True))


def staff_parties(case: Case) -> Collection[int]:
    """Keys of the staff who are parties of a case, and must not learn of it."""
    known = set(case.parties.values_list("user_id", flat=True))
    return staff_among(known | set(Seat.objects.filter(room=case.room_id).values_list("user", flat=True)))


def kept_from(case: Case) -> Collection[int]:
    """Keys of the staff who must not learn of a case: its parties, and all for whom a case for few is not."""
    parties = staff_parties(case)
    if not (case.child_safety or case.for_seniors):
        return parties
    right = with_right("child_safety_case" if case.child_safety else "senior_case") | Q(is_superuser=True)
    few = User.objects.filter(right).values("pk")
    return {*parties, *User.objects.filter(_STAFF).exclude(pk__in=few).values_list("pk", flat=True)}


def _is_about_staff(room: Room | None, subject: User | None) -> bool:
    """Whether a case is about staff: the person, or the host of a room as a whole."""
    pk = subject.pk if subject else room.host_id if room else None
    return pk is not None and bool(staff_among([pk]))


# --- priority ---------------------------------------------------------------------------------------------------------


def refresh_priority(case: Case) -> None:
    """Compute the parts of a case's priority anew, and store them. The caller has the case locked.

    Severity and reach only grow: a room that is over reached those who were in it.
    """
    reporters = _reporters(case)
    case.reporter_count = reporters
    case.accuracy = mean_accuracy(reporters, _accuracies(case))
    case.severity = max(case.severity, _severity(case))
    case.reach = max(case.reach, _reach(case))
    parts = priority(severity=case.severity, reporters=reporters, reach=case.reach, accuracy=case.accuracy)
    case.priority = parts.total
    case.save(update_fields=["reporter_count", "accuracy", "severity", "reach", "priority"])


def _reporters(case: Case) -> int:
    """Number of people who reported it; reports without a name count as one each."""
    signed_out = Q(reporter=None)
    counts = Report.objects.filter(case=case).aggregate(
        accounts=Count("reporter", distinct=True),
        addresses=Count("reporter_email", distinct=True, filter=signed_out & ~Q(reporter_email="")),
        others=Count("pk", filter=signed_out & Q(reporter_email="")),
    )
    return sum(counts.values())


def _accuracies(case: Case) -> list[int]:
    """Accuracy of each of the reporters about whose earlier reports something was decided."""
    reporters = Report.objects.filter(case=case, reporter__isnull=False).values("reporter")
    decided = Report.objects.filter(reporter__in=reporters).exclude(outcome="").values("reporter").order_by()
    rows = decided.annotate(
        founded=Count("pk", filter=Q(outcome=Report.Outcome.FOUNDED)),
        unfounded=Count("pk", filter=Q(outcome=Report.Outcome.UNFOUNDED)),
    )
    return [accuracy_of(row["founded"], row["unfounded"]) for row in rows]


def _severity(case: Case) -> int:
    keys = set(Report.objects.filter(case=case).order_by().values_list("category", flat=True).distinct())
    return max((version.severity for version in current_categories() if version.category_id in keys), default=0)


def _reach(case: Case) -> int:
    """Number of people who heard it, or could see it."""
    if case.kind == SubjectKind.MESSAGE:
        return 1
    if case.subject_id is not None and case.kind != SubjectKind.PERSON:
        return Follow.objects.filter(followed=case.subject_id).count()
    room = case.room
    seats = Seat.objects.filter(room=room).values("user").distinct().count()
    if room is None or not room.is_live:
        return seats
    try:
        return max(seats, presence.look(room.pk, [])[0])
    except RedisError:
        return seats
