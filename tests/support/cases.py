"""Cases for tests: opened by reports as the site opens them, decided through the actions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import transaction
from django.utils import timezone

from moderation.actions.appeals import file_appeal
from moderation.actions.claims import claim
from moderation.actions.decisions import Draft, decide
from moderation.actions.evidence import mark_range, note_look
from moderation.actions.reviews import ReviewDraft, claim_review, decide_review
from moderation.models import ActAtOnce, Appeal, Case, Decision, Report, Review, Rule, RuleVersion, Statement
from moderation.models.cases import WITH_SOUND
from moderation.queries.appeals import concerned_right, reporter_right
from moderation.refusals import ModerationRefused
from people.models import User
from retention.clocks import clock_of
from rooms.models import Recording, Room, Seat
from tests.support.people import person
from tests.support.reports import report
from tests.support.staff import with_fresh_step

MODERATOR = ("view_case", "claim_case", "decide_case", "approve_decision", "ordinary_case", "review_appeal")
SENIOR = (
    *("senior_case", "open_case", "add_legalhold", "change_legalhold", "change_rulebook", "assign_reviewer"),
    "watch_live",
)
ROLES: dict[str, tuple[str, ...]] = {
    "moderator": MODERATOR,
    "senior": (*MODERATOR, *SENIOR),
    "child_safety": (
        *("view_case", "claim_case", "decide_case", "approve_decision", "child_safety_case"),
        "review_appeal",
    ),
    "administrator": ("assign_reviewer",),
    "outside": ("review_assigned",),
    "auditor": ("view_roomclock",),
    "nobody": (),
}
FACTS = "Said at 0:01 that somebody should be hit."
PUBLIC = "A call to violence against a person."


def staff(role: str = "moderator", handle: str = "", **values: Any) -> User:
    """A member of staff of this role, as an action is given one whose session used a second step."""
    user = person(handle, is_staff=True, **values)
    wanted = Permission.objects.filter(content_type__app_label="moderation", codename__in=ROLES[role])
    user.user_permissions.add(*wanted)
    return with_fresh_step(User.objects.get(pk=user.pk))


def kept_room(host: str | User = "", minutes: int = 10, *speakers: User, **values: Any) -> Room:
    """A room that ended just now after so many minutes, with a recording of no files and these speakers' seats."""
    if not isinstance(host, User):
        host = person(host, creator=True)
    now = timezone.now()
    room = Room.objects.create(
        **{
            "host": host,
            "title": "Regulars",
            "status": Room.Status.ENDED,
            "started_at": now - timedelta(minutes=minutes),
            "ended_at": now,
            "end_reason": Room.EndReason.HOST,
            **values,
        }
    )
    assert room.started_at is not None
    Recording.objects.create(room=room, state=Recording.State.READY, finished_at=now, opened_policy=room.entry_policy)
    for place, user in enumerate(speakers, start=1):
        Seat.objects.create(
            room=room,
            user=user,
            role=Seat.Role.SPEAKER,
            place=place,
            taken_at=room.started_at or now,
            left_at=room.ended_at,
            left_reason=Seat.LeftReason.ROOM_ENDED,
        )
    return room


def open_case(room: Room | None = None, reporter: User | None = None, **values: Any) -> Case:
    """The open case that a report of harassment opens or joins: about the room as a whole, about `subject` in it, or of
    another `kind`."""
    if room is None and values.get("kind", "room") in WITH_SOUND:
        room = kept_room()
    return Case.objects.get(pk=report(reporter or person(), room, **values).case_id)


def rule(key: str = "no-violence") -> RuleVersion:
    """The version of a rule that is in force."""
    version = Rule.objects.get(pk=key).versions.order_by("-number").first()
    assert version is not None
    return version


def draft(*measures: tuple[str, int | None], outcome: str = "violation", **values: Any) -> Draft:
    """A whole draft: a violation with these measures (default: a warning), or no violation."""
    if outcome != Decision.Outcome.VIOLATION:
        return Draft(outcome=outcome)
    given = measures or (("warning", None),)
    base: dict[str, Any] = {"rule_version": rule(), "facts": FACTS, "public_facts": PUBLIC, "measures": given}
    return Draft(outcome=outcome, **{**base, **values})


def worked_on(case: Case, by: User) -> Case:
    """A case that somebody claimed and looked at, with a marked range where it has sound."""
    claim(case, by)
    if case.kind in WITH_SOUND:
        ranges = [(row.from_ms, row.to_ms) for row in case.reports.all()] or [(0, 10)]
        gone = Case.objects.filter(pk=case.pk, room__purged_at__isnull=False).exists()
        for from_ms, to_ms in ranges:
            note_look(case, by, *(("shown",) if gone else ("lines", from_ms, to_ms)))
            mark_range(case, by, from_ms or 0, to_ms or 10)
    else:
        note_look(case, by, "shown")
    return case


def violation(case: Case, *measures: tuple[str, int | None], by: User | None = None, **values: Any) -> Decision:
    """A violation that a moderator found, with these measures (default: a warning)."""
    by = by or staff()
    return decide(worked_on(case, by), by, draft(*measures, **values))


def no_violation(case: Case, by: User | None = None) -> Decision:
    """A case in which a moderator found nothing."""
    by = by or staff()
    return decide(worked_on(case, by), by, draft(outcome="no_violation"))


def refused(act: Callable[..., Any], *args: Any, **named: Any) -> str:
    """The code with which an act is refused."""
    with pytest.raises(ModerationRefused) as caught, transaction.atomic():
        act(*args, **named)
    return caught.value.code


def wrong(case: Case, by: User, **values: Any) -> set[str]:
    """Fields of a draft that are refused."""
    with pytest.raises(ModerationRefused) as caught, transaction.atomic():
        decide(case, by, draft(*values.pop("measures", ()), **values))
    assert caught.value.code == "bad_value" and all(caught.value.fields.values())
    return set(caught.value.fields)


def purge_at(room: Room) -> tuple[float, str]:
    """Day and reason of a room's clock."""
    room.refresh_from_db()
    its = clock_of(room)
    assert its is not None and its.purge_at is not None and room.ended_at is not None
    return round((its.purge_at - room.ended_at) / timedelta(days=1), 3), str(its.reason)


def aged(room: Room, days: float) -> Room:
    """Move the end of a room into the past, with everything that happened to it."""
    by = timedelta(days=days)
    for model, names in (
        (Room, ("started_at", "ended_at")),
        (Case, ("opened_at", "decided_at")),
        (Decision, ("at", "ended_at")),
    ):
        for row in model._default_manager.all():
            values = {name: getattr(row, name) - by for name in names if getattr(row, name) is not None}
            model._default_manager.filter(pk=row.pk).update(**values)
    room.refresh_from_db()
    return room


def proposed() -> tuple[Decision, User, Room]:
    """A suspension for good that waits for a second moderator, with the person and the room."""
    ada = person("ada")
    room = kept_room("", 10, ada)
    return violation(open_case(room, subject=ada), ("suspend", None), ("restrict", None)), ada, room


def overdue_acts() -> None:
    """Let the time of all acts at once run out."""
    ActAtOnce.objects.update(due_at=timezone.now() - timedelta(seconds=1))


def told(case: Case) -> None:
    """Let everybody have been told of what was decided in a case, as the sending of notifications does."""
    now = timezone.now()
    until = now + timedelta(days=settings.REPORT_WORDS_DAYS)
    Statement.objects.filter(decision__case=case, told_at=None).update(told_at=now)
    Report.objects.filter(case=case, appeal_until=None).exclude(outcome="").update(appeal_until=until)


def concerned_appeal(decision: Decision, words: str = "It was a quote.") -> Appeal:
    """The appeal of the person whom a violation concerns."""
    told(decision.case)
    return file_appeal(concerned_right(Statement.objects.get(decision=decision), timezone.now()), words)


def reporter_appeal(report_pk: int, words: str = "Listen again.") -> Appeal:
    """The appeal of a reporter in whose range nothing was found."""
    row = Report.objects.select_related("case", "reporter").get(pk=report_pk)
    told(row.case)
    right = reporter_right(row, timezone.now())
    assert right is not None
    return file_appeal(right, words)


def reviewed(review: Review, by: User) -> Review:
    """A review that somebody claimed, who has looked at its case."""
    claim_review(review, by)
    case = Case.objects.select_related("room").get(pk=review.decision.case_id)
    gone = case.room is not None and case.room.purged_at is not None
    if case.kind in WITH_SOUND and not gone:
        row = case.reports.order_by("pk").first() or case.ranges.order_by("pk").first()
        assert row is not None
        note_look(case, by, "lines", row.from_ms, row.to_ms)
    else:
        note_look(case, by, "shown")
    return review


def review_decided(review: Review, outcome: str, by: User | None = None, new: Draft | None = None) -> Review:
    """A review with its outcome, by somebody who had no part in the case."""
    by = by or staff()
    return decide_review(reviewed(review, by), by, ReviewDraft(outcome, "I listened to it again.", new))
