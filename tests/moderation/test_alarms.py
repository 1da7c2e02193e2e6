"""Alarms: who is told at once, also where nobody has the role."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.db.models import F
from django.utils import timezone

from moderation.actions.alarms import MOST_AN_HOUR, alert, receivers_of, tell_of_more
from moderation.models import Alarm, Report
from people.models import User
from social.models import Message
from tests.support.cases import kept_room, open_case, staff
from tests.support.people import person
from tests.support.reports import report

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


def threatened(number: int, reporter: User | None = None) -> Report:
    """A report of a life in danger about the room of somebody new."""
    return report(reporter or person(), kept_room(), category="life_in_danger", words=f"He has a knife ({number})")


def alarms_of(user: User) -> list[str | None]:
    rows = Message.objects.filter(receiver=user, data__text="moderation_alarm").order_by("pk")
    return [row.data["values"]["kind"] for row in rows]


def older(minutes: int) -> None:
    by = timedelta(minutes=minutes)
    Alarm.objects.update(at=F("at") - by)
    Alarm.objects.exclude(told_at=None).update(told_at=F("told_at") - by)


def test_a_flood_of_lives_in_danger_is_told_up_to_a_limit_and_then_that_there_are_more() -> None:
    """Many people, many rooms: twelve alarms an hour, and a word every quarter of an hour that there are more."""
    senior = staff("senior")
    for number in range(MOST_AN_HOUR + 20):
        threatened(number)
    assert alarms_of(senior) == ["life_in_danger"] * MOST_AN_HOUR
    assert tell_of_more(timezone.now()) == 20 and alarms_of(senior)[MOST_AN_HOUR:] == ["more"]
    threatened(100)
    assert tell_of_more(timezone.now()) == 0, "a quarter of an hour has not passed"
    older(16)
    assert tell_of_more(timezone.now()) == 1 and alarms_of(senior)[MOST_AN_HOUR:] == ["more", "more"]
    assert tell_of_more(timezone.now() + timedelta(days=1)) == 0 and not Alarm.objects.filter(told_at=None).exists()
    older(61)
    threatened(101)
    assert alarms_of(senior)[-1] == "life_in_danger", "the next hour begins anew"


def test_a_real_one_after_a_flood_is_never_swallowed() -> None:
    senior, special = staff("senior"), staff("child_safety")
    for number in range(MOST_AN_HOUR):
        threatened(number)
    real = threatened(99)
    assert Alarm.objects.get(case=real.case).told_at is None
    tell_of_more(timezone.now())
    assert Alarm.objects.get(case=real.case).told_at is not None and alarms_of(senior)[-1] == "more"
    report(person(), kept_room(), category="child_safety")
    assert alarms_of(special) == ["child_safety"], "other alarms have a limit of their own"


def test_reports_of_one_case_are_one_alarm_an_hour_and_those_of_a_room_one_and_a_word_that_there_are_more() -> None:
    ada, bert = person("ada"), person("bert")
    room, senior = kept_room("", 10, ada, bert), staff("senior")
    for _reporter in range(5):
        report(person(), room, subject=ada, category="life_in_danger")
    assert alarms_of(senior) == ["life_in_danger"] and not Alarm.objects.filter(told_at=None).exists()
    report(person(), room, subject=bert, category="life_in_danger")
    assert len(alarms_of(senior)) == 1 and tell_of_more(timezone.now()) == 1 and alarms_of(senior)[1:] == ["more"]
    older(61)
    report(person(), room, subject=ada, category="life_in_danger")
    assert alarms_of(senior)[2:] == ["life_in_danger"], "an hour later it is an alarm again"


def test_that_there_are_more_is_told_to_nobody_who_is_party_of_all_of_them() -> None:
    senior, other = staff("senior"), staff("senior")
    for number in range(MOST_AN_HOUR):
        threatened(number)
    threatened(99, reporter=senior)
    before = len(alarms_of(senior))
    mail.outbox.clear()
    tell_of_more(timezone.now())
    assert len(alarms_of(senior)) == before and alarms_of(other)[-1] == "more"
