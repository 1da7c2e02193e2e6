"""Own initiative: seniors open cases on kept and live rooms, with a reason; nobody else does, and no party."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from ledger.hooks import line_checks
from ledger.models import Entry
from moderation.actions.initiative import open_on_own_initiative
from moderation.models import ActAtOnce, Case, CaseNote
from moderation.queries.access import visible_cases
from moderation.refusals import ModerationRefused
from people.groups import AUDITORS, CHILD_SAFETY, MODERATORS, SENIORS
from people.models import User
from rooms.models import Room
from tests.support.people import person
from tests.support.rooms import ended_room, open_room, prepared_room, seated
from tests.support.staff import with_fresh_step

pytestmark = pytest.mark.django_db


def staff(*groups: str, handle: str = "") -> User:
    user = with_fresh_step(person(handle, is_staff=True))
    user.groups.set(Group.objects.filter(name__in=groups or [SENIORS]))
    return user


def code_of(*args: Any) -> str:
    before = Entry.objects.count(), Case.objects.count()
    with pytest.raises(ModerationRefused) as caught:
        open_on_own_initiative(*args)
    assert before == (Entry.objects.count(), Case.objects.count())
    return caught.value.code


def test_a_case_on_a_person_and_on_a_live_room_with_its_reason() -> None:
    senior, room = staff(), open_room("anna")
    bert = seated("bert", room)
    case = open_on_own_initiative(senior, room, "person", bert, "Heard it on the way in.", "hate")
    assert (case.source, case.opened_by, case.subject, case.severity) == ("voluntary", senior, bert, 3)
    assert set(case.parties.values_list("user__handle", flat=True)) == {"anna", "bert"}
    assert case.priority > 0 and case.reporter_count == 0 and not case.child_safety
    assert CaseNote.objects.get(case=case).text == "Heard it on the way in."
    rows = Entry.objects.filter(subject=case.ledger_subject).order_by("seq")
    assert [(row.kind, row.actor) for row in rows] == [("case_opened", senior.pk), ("note_added", senior.pk)]
    assert rows[0].data == {"source": "voluntary", "category": "hate"} and "reason" in rows[0].commitments
    assert visible_cases(senior).filter(pk=case.pk).exists()
    whole = open_on_own_initiative(senior, room, "room", None, "All of it.")
    title = open_on_own_initiative(senior, room, "title", None, "The title.")
    assert (whole.subject, title.subject) == (None, room.host)
    assert code_of(senior, room, "person", bert, "Again.") == "case_is_open"


def test_a_kept_room_can_be_opened_until_its_copy_is_due() -> None:
    senior, room = staff(), ended_room("anna")
    ended = timezone.now() - timedelta(days=29)
    Room.objects.filter(pk=room.pk).update(started_at=ended - timedelta(hours=1), ended_at=ended)
    room.refresh_from_db()
    assert open_on_own_initiative(senior, room, "room", None, "Late.").room == room
    gone = ended_room("bert")
    ended -= timedelta(days=2)
    Room.objects.filter(pk=gone.pk).update(started_at=ended - timedelta(hours=1), ended_at=ended)
    gone.refresh_from_db()
    assert code_of(senior, gone, "room", None, "Too late.") == "copy_gone"
    assert code_of(senior, prepared_room("carl"), "room", None, "Not yet.") == "copy_gone"


def test_wrong_values_are_refused() -> None:
    senior, room, stranger = staff(), open_room("anna"), person("stranger")
    assert code_of(senior, room, "room", None, "  ") == "bad_value"
    assert code_of(senior, room, "person", None, "x") == "bad_value"
    assert code_of(senior, room, "room", stranger, "x") == "bad_value"
    assert code_of(senior, room, "message", None, "x") == "bad_value"
    assert code_of(senior, room, "room", None, "x", "nothing") == "bad_value"
    assert code_of(senior, room, "person", stranger, "x") == "not_in_room"


@pytest.mark.parametrize("groups", [(MODERATORS,), (AUDITORS,), (CHILD_SAFETY,), (MODERATORS, CHILD_SAFETY)])
def test_nobody_but_seniors(groups: tuple[str, ...]) -> None:
    assert code_of(staff(*groups), open_room("anna"), "room", None, "x") == "not_allowed"


def test_no_party_opens_one() -> None:
    room = open_room("anna")
    sat = seated("sat", room)
    sat.groups.add(Group.objects.get(name=SENIORS))
    assert code_of(with_fresh_step(sat), room, "room", None, "x") == "party_of_room"


def test_a_case_about_staff_is_for_seniors() -> None:
    room = open_room("anna")
    mod = seated("mod", room)
    mod.groups.add(Group.objects.get(name=MODERATORS))
    case = open_on_own_initiative(staff(), room, "person", mod, "x")
    assert case.for_seniors and not visible_cases(staff(MODERATORS)).exists()


def test_a_child_safety_case_closes_the_copy_and_is_for_that_role_alone() -> None:
    senior, room = staff(), open_room("anna")
    case = open_on_own_initiative(senior, room, "room", None, "A child is in danger.", "child_safety")
    assert case.child_safety and case.severity == 4
    assert ActAtOnce.objects.get(case=case).kind == "close_copy"
    assert not visible_cases(senior).exists() and visible_cases(staff(CHILD_SAFETY)).exists()
    assert code_of(senior, room, "room", None, "Again.") == "not_allowed", "one that is not for seniors to see"


def test_the_ledger_s_line_has_every_step_of_it() -> None:
    room = open_room("anna")
    open_on_own_initiative(staff(), room, "room", None, "Why.")
    open_on_own_initiative(staff(), room, "title", None, "Why.", "child_safety")
    assert [fault for check in line_checks.values() for fault in check()] == []
