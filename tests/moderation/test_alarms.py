"""Alarms: who is told at once, also where nobody has the role."""

from __future__ import annotations

import pytest

from moderation.actions.alarms import alert, receivers_of
from social.models import Message
from tests.support.cases import kept_room, open_case, staff
from tests.support.people import person

pytestmark = pytest.mark.django_db


def test_seniors_are_told_of_a_life_in_danger_and_of_child_abuse_its_own_role_alone() -> None:
    senior, special = staff("senior"), staff("child_safety")
    staff("moderator")
    case = open_case(kept_room())
    assert list(receivers_of(case)) == [senior]
    before = Message.objects.count()
    assert alert(case) == 1
    assert Message.objects.count() == before + 1
    case.child_safety = True
    assert list(receivers_of(case)) == [special]


def test_superusers_who_are_no_party_are_told_where_nobody_has_the_role() -> None:
    boss, other = (person(name, is_staff=True, is_superuser=True) for name in ("boss", "other"))
    case = open_case(kept_room())
    case.child_safety = True
    case.parties.create(user=other)
    assert list(receivers_of(case)) == [boss] and alert(case, "child_safety") == 1
    staff("child_safety")
    assert boss not in receivers_of(case)
