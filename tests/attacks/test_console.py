"""Attacks on the console: by parties, by moderators without the right, by reporters who flood, and by doing two things
at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.db import transaction
from django.test import Client
from django.utils import timezone

from core import bus
from ledger.models import Entry
from ledger.queries import visible_entries
from ledger.verify import verify
from moderation.actions import sweep
from moderation.actions.alarms import receivers_of
from moderation.actions.at_once import end_room_at_once, reopen_copy, restrict_at_once
from moderation.actions.claims import claim
from moderation.actions.decisions import approve, decide, turn_down, undo_decision
from moderation.actions.evidence import mark_range, note_look
from moderation.actions.looks import note_sound
from moderation.measures import MEASURES
from moderation.models import ActAtOnce, Case, CaseParty, Decision, Look, Report
from moderation.queries.access import facts_of, has_looked, visible_cases
from moderation.queries.case_page import load_case
from moderation.refusals import ModerationRefused
from people.actions.standing import impose_sanction
from people.models import User
from rooms import channels
from rooms.actions.staff_listening import note_staff_listening
from rooms.actions.stage import leave_seat, take_seat
from rooms.models import Restriction, Room
from rooms.rules.restrictions import is_restricted
from tests.support.cases import draft, kept_room, open_case, staff, violation, worked_on
from tests.support.messages import written
from tests.support.people import person
from tests.support.races import at_once
from tests.support.reports import message_report, report, stranger_report
from tests.support.rooms import consented, open_room, seated
from tests.support.staff import sign_in_staff

pytestmark = pytest.mark.django_db
ALL = ("view_case", "claim_case", "decide_case", "approve_decision", "ordinary_case", "senior_case", "open_case")


def refused(act: Callable[..., Any], *args: Any, **named: Any) -> str:
    with pytest.raises(ModerationRefused) as caught, transaction.atomic():
        act(*args, **named)
    return caught.value.code


def code_of(act: Callable[[], Any]) -> str:
    """ "ok", or the code of the refusal."""
    try:
        act()
    except ModerationRefused as caught:
        return caught.code
    return "ok"


def superuser(handle: str = "") -> User:
    user = person(handle, is_staff=True)
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    return User.objects.get(pk=user.pk)


def case_pages(case: Case) -> list[str]:
    """Every address that names a case."""
    names = ("", "claim/", "mark/", "quote/", "note/", "ask/", "transcribe/", "show/", "split/", "at-once/", "decide/")
    more = ("second/", "look/", "lines/", "peaks/", "stage/", "sound.m3u8", "sound/mix.m4a", "picture/1/", "delete/")
    return [f"/admin/moderation/case/{case.pk}/{tail}" for tail in (*names, *more, "change/", "history/")]


# --- parties ----------------------------------------------------------------------------------------------------------


def test_a_superuser_who_is_party_gets_the_answer_of_a_case_that_never_was() -> None:
    host = superuser("host")
    case = open_case(kept_room(host))
    assert CaseParty.objects.filter(case=case, user=host).exists()
    browser = sign_in_staff(Client(), host)
    none = Case(pk=case.pk + 1000)
    for own, other in zip(case_pages(case), case_pages(none), strict=True):
        for ask in (browser.get, browser.post):
            answers = [ask(own), ask(other)]
            assert answers[0].status_code == answers[1].status_code, own
            assert answers[0].status_code in (302, 404, 405), own
            assert "claim" not in str(answers[0].content.decode()).lower(), own
    queue = browser.get("/admin/moderation/case/")
    assert f"case/{case.pk}/" not in queue.content.decode() and queue.context["rows"] == []
    assert browser.get(f"/admin/moderation/case/?q={case.pk}").context["rows"] == []
    assert browser.get("/admin/moderation/case/?q=host").context["rows"] == []
    assert browser.post("/admin/moderation/case/queue/next/").headers["Location"] == "/admin/moderation/case/"
    listed = browser.get(f"/admin/ledger/entry/?q=case:{case.pk}").content.decode()
    entry = Entry.objects.get(subject=case.ledger_subject)
    assert "0 " in listed and f"entry/{entry.pk}/" not in listed
    assert browser.get(f"/admin/ledger/entry/{entry.pk}/change/").status_code == 302, "as one that is not there"
    case.refresh_from_db()
    assert case.claimed_by is None and not Look.objects.exists()


def test_acts_at_once_answer_a_party_as_if_nobody_had_reported() -> None:
    host = superuser("host")
    room = _live_room_of(host)
    case, other = open_case(room), open_room("another")
    browser = sign_in_staff(Client(), host)
    answers = [browser.post(f"/admin/moderation/case/queue/end-room/{one.slug}/") for one in (room, other)]
    assert [answer.status_code for answer in answers] == [409, 409] and answers[0].json() == answers[1].json()
    case.refresh_from_db()
    assert case.room is not None and case.room.is_live


def _live_room_of(user: User) -> Room:
    room = open_room("standin")
    Room.objects.filter(pk=room.pk).update(host=user)
    return Room.objects.get(pk=room.pk)


def test_parties_read_no_entry_of_what_staff_did_in_their_room_or_imposed() -> None:
    """An auditor who hosted, and one who reported, read neither the case nor its effects under other subjects."""
    room = kept_room(person("host"), 10, person("ada"))
    ada, host = User.objects.get(handle="ada"), room.host
    reporter, stranger = person("reporter"), person("stranger")
    case = open_case(room, reporter, subject=ada)
    note_staff_listening(room, staff("senior").pk)
    mara = staff()
    restrict_at_once(room, mara)
    decision = violation(case, ("suspend", 3), ("restrict", None), ("profile", None), by=mara)
    undo_decision(decision, None, "a mistake")
    told = {
        *("staff_listening", "recording_restricted", "restriction_lifted", "sanction_imposed", "sanction_lifted"),
        *("profile_taken_down", "profile_put_back", "decided", "measure_applied", "act_at_once"),
    }
    assert told <= set(visible_entries(stranger.pk).values_list("kind", flat=True))
    for reader in (host, ada, reporter):
        assert not told & set(visible_entries(reader.pk).values_list("kind", flat=True)), reader.handle


def test_both_sides_of_a_reported_message_read_nothing_of_its_removal() -> None:
    ada, bert = person("ada"), person("bert")
    message = written(ada, bert)
    case = message_report(bert, message).case
    violation(case, ("message", None))
    assert visible_entries(person().pk).filter(kind="message_taken_down").exists()
    for reader in (ada, bert):
        assert not visible_entries(reader.pk).filter(subject=f"message:{message.pk}").exists()


def test_a_senior_who_sat_down_later_gets_no_alarm() -> None:
    senior, other = staff("senior"), staff("senior")
    room = open_room()
    case = open_case(room)
    assert set(receivers_of(case)) == {senior, other}
    take_seat(room.pk, consented(senior, room))
    assert list(receivers_of(case)) == [other]


def test_a_case_about_somebody_who_became_staff_is_for_seniors() -> None:
    ada, mara = person("ada"), staff()
    case = open_case(kept_room("", 10, ada), subject=ada)
    assert not case.for_seniors
    ada.user_permissions.add(Permission.objects.get(codename="view_case"))
    assert refused(claim, case, mara) == "unknown_case"
    claim(case, staff("senior"))
    assert Case.objects.get(pk=case.pk).for_seniors and not visible_cases(mara).exists()


def heard_by_staff(act: Callable[[], Any]) -> list[dict[str, Any]]:
    """Messages on the channel of staff that an act sends."""
    with bus.client().pubsub(ignore_subscribe_messages=True) as heard:  # type: ignore[no-untyped-call]
        heard.subscribe(channels.staff_channel())
        heard.get_message(timeout=1)
        act()
        messages = []
        while (message := heard.get_message(timeout=0.5)) is not None:
            messages.append(json.loads(message["data"]))
    return messages


@pytest.mark.django_db(transaction=True)
def test_staff_for_whom_a_case_is_not_hear_nothing_of_it() -> None:
    mara, senior, safety = staff(), staff("senior"), staff("child_safety")
    room = kept_room()
    (told,) = heard_by_staff(lambda: report(person(), room, category="child_safety"))
    assert {mara.pk, senior.pk} <= set(told["not_to"]) and safety.pk not in told["not_to"] and told["room"] == ""
    about_staff = kept_room(staff("moderator", "host"))
    (told,) = heard_by_staff(lambda: report(person(), about_staff))
    assert {mara.pk, safety.pk} <= set(told["not_to"]) and senior.pk not in told["not_to"]


# --- looking, deciding ------------------------------------------------------------------------------------------------


def test_marking_where_nobody_reported_is_no_look_at_the_report() -> None:
    mara, case = staff(), open_case()
    claim(case, mara)
    note_sound(case, mara, 1000, 1001)
    mark_range(case, mara, 1000, 1001)
    assert refused(decide, case, mara, draft()) == "not_looked"
    assert not load_case(mara, case.pk, timezone.now()).facts.looked
    note_look(case, mara, "lines", 0, 10)
    assert load_case(mara, case.pk, timezone.now()).facts.looked
    decide(case, mara, draft())


def test_without_a_report_of_a_range_the_marked_one_counts() -> None:
    mara, case = staff(), open_case()
    Report.objects.filter(case=case).update(case=open_case())
    claim(case, mara)
    note_sound(case, mara, 1000, 2000)
    assert not has_looked(case, mara)
    mark_range(case, mara, 1500, 1600)
    assert has_looked(case, mara) and load_case(mara, case.pk, timezone.now()).facts.looked


def test_an_approval_does_not_open_a_copy_that_a_child_abuse_report_closed_meanwhile() -> None:
    """Nor does one who only moderates approve it then: it is for child safety alone."""
    mara, second, safety = staff(), staff(), staff("child_safety")
    case = open_case()
    proposal = violation(case, ("suspend", None), by=mara)
    assert case.room is not None
    report(person(), case.room, category="child_safety")
    assert is_restricted(case.room)
    assert refused(approve, proposal, second) == "unknown_case"
    assert refused(approve, proposal, safety) == "copy_closed"
    assert is_restricted(case.room) and Decision.objects.get().state == "proposed"
    reopen_copy(case, safety)
    approve(proposal, safety)
    assert Decision.objects.get().state == "standing" and not is_restricted(case.room) and verify().ok


def test_an_approval_that_restricts_keeps_the_copy_closed() -> None:
    safety = staff("child_safety")
    case = open_case()
    proposal = violation(case, ("suspend", None), ("restrict", None))
    assert case.room is not None
    report(person(), case.room, category="child_safety")
    approve(proposal, safety)
    assert is_restricted(case.room)
    assert [row.reason for row in Restriction.objects.filter(lifted_at=None)] == ["decision"]


def test_a_restriction_at_once_is_not_renewed_for_ever() -> None:
    mara, case = staff(), open_case()
    assert case.room is not None
    restrict_at_once(case.room, mara)
    sweep.sweep(timezone.now() + timedelta(hours=25))
    assert not is_restricted(case.room)
    assert refused(restrict_at_once, case.room, mara) == "act_was_late"
    violation(case, ("restrict", None), by=mara)
    assert is_restricted(case.room), "a decision does"


def test_an_act_from_a_case_page_belongs_to_that_case() -> None:
    ada = person("ada")
    room = kept_room("", 10, ada)
    whole, about_ada = open_case(room), open_case(room, subject=ada)
    browser = sign_in_staff(Client(), staff())
    answer = browser.post(f"/admin/moderation/case/{about_ada.pk}/at-once/", {"do": "restrict", "sure": "yes"})
    assert answer.status_code == 302 and ActAtOnce.objects.get().case == about_ada
    assert refused(restrict_at_once, kept_room(), staff(), whole) == "no_case"
    title = open_case(room, kind="title")
    assert refused(end_room_at_once, room, staff(), title) == "no_case"


# --- floods -----------------------------------------------------------------------------------------------------------


def test_a_crowd_of_child_abuse_reports_about_what_has_no_copy_mails_once() -> None:
    staff("child_safety")
    ada = person("ada")
    for number in range(4):
        report(person(), kind="profile", subject=ada, category="child_safety", words=f"{number}")
    assert len(mail.outbox) == 1 and Case.objects.get().child_safety


def test_nobody_signed_out_gets_another_receipt_by_its_mark() -> None:
    """The mark of a form finds the reporter's own report, and a stranger's only for who has its random mark."""
    room = kept_room()
    own = report(person("ada"), room, once="x")
    theirs = stranger_report(room, once="x")
    assert own.pk != theirs.pk and report(person("bert"), room, once="x").pk != own.pk


# --- two at once ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_staff_who_decide_about_each_other_while_claiming_never_wait_in_a_circle() -> None:
    """Two seniors are subjects of the cases that two others decide, and claim cases meanwhile."""
    senior, other = staff("senior"), staff("senior")
    subjects = [staff("senior"), staff("senior")]
    for _round in range(4):
        cases = [open_case(kept_room("", 10, user), subject=user) for user in subjects]
        for case, by in zip(cases, (senior, other), strict=True):
            worked_on(case, by)
        suspended = [
            lambda case=case, by=by: code_of(lambda: decide(case, by, draft(("suspend", 1))))
            for case, by in zip(cases, (senior, other), strict=True)
        ]
        crossed = [
            lambda case=case, by=by: code_of(lambda: claim(case, by))
            for case, by in zip(cases, reversed(subjects), strict=True)
        ]
        own = [
            lambda case=case, by=by: code_of(lambda: claim(case, by)) for case, by in zip(cases, subjects, strict=True)
        ]
        assert set(at_once(*suspended, *crossed, *own)) == {"ok"}
    assert Decision.objects.count() == 8 and verify().ok


@pytest.mark.django_db(transaction=True)
def test_filing_deciding_listening_and_the_stage_end_without_a_deadlock() -> None:
    """Every order of locks at once, on one room and its cases; all end, and the ledger verifies."""
    room = open_room()
    ada, mara = seated("ada", room), staff()
    case = worked_on(open_case(room, subject=ada), mara)
    second = staff("child_safety")
    people = [person() for _number in range(4)]
    reporters = [lambda who=who: code_of(lambda: report(who, room, subject=ada)) for who in people[:2]]
    abuse = [lambda who=who: code_of(lambda: report(who, room, category="child_safety")) for who in people[2:]]

    def stage() -> None:
        for _number in range(5):
            leave_seat(room.pk, ada)
            try:
                take_seat(room.pk, ada)
            except Exception as error:  # the suspension, or the end of the room, came first
                assert "Refused" in type(error).__name__, error
                return

    at_once(
        lambda: code_of(lambda: decide(case, mara, draft(("suspend", 1), ("restrict", None), ("end_room", None)))),
        *reporters,
        *abuse,
        stage,
        lambda: code_of(lambda: reopen_copy(case, second)),
        lambda: impose_sanction(ada, "no_hosting", None, "by hand"),
        sweep.sweep,
    )
    assert Decision.objects.get().state == "standing" and verify().ok, verify().problems
    assert Report.objects.count() == 5 and not Case.objects.filter(state="open", claimed_by=mara).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turns", [("approve", "turn_down"), ("approve", "approve"), ("turn_down", "lapse")])
def test_of_two_ends_of_a_proposal_one_counts(turns: tuple[str, str]) -> None:
    case = open_case()
    proposal = violation(case, ("suspend", None), ("restrict", None))
    now = timezone.now()

    def end(turn: str) -> str:
        by = staff()
        if turn == "approve":
            return code_of(lambda: approve(proposal, by))
        if turn == "turn_down":
            return code_of(lambda: turn_down(proposal, by, "no"))
        sweep.sweep(now + timedelta(days=91))
        return "ok"

    at_once(*(lambda turn=turn: end(turn) for turn in turns))
    decision = Decision.objects.get()
    assert decision.state in ("standing", "turned_down", "lapsed")
    ends = ("decision_approved", "decision_turned_down", "decision_lapsed")
    assert Entry.objects.filter(kind__in=ends).count() == 1 and verify().ok
    suspended = [row for row in decision.measures.all() if row.applied_at]
    assert bool(suspended) is (decision.state == "standing")
    assert set(MEASURES) >= {row.kind for row in decision.measures.all()}
    assert facts_of(Case.objects.get(pk=case.pk), staff()).state == {"turned_down": "open"}.get(
        decision.state, "decided"
    )
