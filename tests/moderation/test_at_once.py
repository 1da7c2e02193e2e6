"""Acts before a decision: ended rooms, closed recordings, copies that a child-abuse report closes."""

from __future__ import annotations

import pytest
from django.core import mail

from ledger.verify import verify
from moderation.actions import sweep
from moderation.actions.at_once import close_copy, end_room_at_once, reopen_copy, restrict_at_once
from moderation.actions.decisions import decide, turn_down, undo_decision
from moderation.measures import measures_for
from moderation.models import ActAtOnce, Case
from rooms.rules.restrictions import is_restricted
from tests.support.cases import (
    draft,
    kept_room,
    no_violation,
    open_case,
    overdue_acts,
    refused,
    staff,
    violation,
    worked_on,
    wrong,
)
from tests.support.rooms import open_room

pytestmark = pytest.mark.django_db


def test_a_room_is_ended_at_once_and_its_recording_opened_again_where_no_decision_comes() -> None:
    mara, senior, room = staff(), staff("senior"), open_room()
    assert refused(end_room_at_once, room, mara) == "no_case"
    case = open_case(room)
    for by in (staff("auditor"), room.host):
        assert refused(end_room_at_once, room, by) == "no_case"
    act = end_room_at_once(room, mara)
    assert end_room_at_once(room, mara) == act
    room.refresh_from_db()
    assert (room.status, room.end_reason, act.case) == ("ended", "staff", case)
    restrict_at_once(room, mara)
    assert is_restricted(room) and sweep.sweep() == 0
    overdue_acts()
    mail.outbox.clear()
    assert (sweep.sweep(), sweep.sweep()) == (2, 0)
    assert not is_restricted(room) and {each.to[0] for each in mail.outbox} == {senior.email}
    assert set(ActAtOnce.objects.values_list("settled", flat=True)) == {"late"} and verify().ok, verify().problems


def test_a_decision_settles_acts_and_keeps_what_it_restricts_itself() -> None:
    mara, room = staff(), open_room()
    case = open_case(room)
    end_room_at_once(room, mara)
    restrict_at_once(room, mara)
    assert {kind.key for kind in measures_for(case)} >= {"end_room", "restrict", "suspend"}
    decision = violation(case, ("end_room", None), ("restrict", None), by=mara)
    assert is_restricted(room) and not ActAtOnce.objects.filter(settled_at=None).exists()
    undo_decision(decision, None, "No")
    assert not is_restricted(room) and verify().ok, verify().problems


def test_a_proposal_keeps_an_act_open_and_turning_it_down_gives_another_day() -> None:
    mara, room = staff(), kept_room()
    case = open_case(room)
    restrict_at_once(room, mara)
    decision = violation(case, ("suspend", None), by=mara)
    overdue_acts()
    assert sweep.sweep() == 0 and is_restricted(room)
    turn_down(decision, staff(), "No")
    assert sweep.sweep() == 0 and is_restricted(room)
    no_violation(case)
    assert not is_restricted(room)


def test_a_child_abuse_report_closes_the_copy_until_its_role_opens_it() -> None:
    anna, room = staff("child_safety", "anna"), kept_room()
    mail.outbox.clear()
    case = open_case(room, category="child_safety")
    assert is_restricted(room) and [each.to for each in mail.outbox] == [[anna.email]]
    open_case(room, category="child_safety")
    assert ActAtOnce.objects.count() == 1 and len(mail.outbox) == 1
    overdue_acts()
    assert (sweep.sweep(), sweep.sweep()) == (1, 0) and len(mail.outbox) == 2 and is_restricted(room)
    assert refused(reopen_copy, case, staff("senior")) == "unknown_case"
    worked_on(case, anna)
    assert wrong(case, anna) == {"measures"}, "a violation restricts what is closed"
    assert reopen_copy(case, anna) and not reopen_copy(case, anna) and not is_restricted(room)
    open_case(room, category="child_safety")
    assert not is_restricted(room), "the role has looked"
    assert decide(Case.objects.get(pk=case.pk), anna, draft()).state == "standing" and verify().ok, verify().problems


def test_a_life_in_danger_pages_seniors_who_are_no_party() -> None:
    senior, host = staff("senior"), staff("senior")
    mail.outbox.clear()
    case = open_case(kept_room(host), category="life_in_danger")
    assert [each.to for each in mail.outbox] == [[senior.email]] and f"/case/{case.pk}/" in str(mail.outbox[0].body)
    assert close_copy(case) is not None
