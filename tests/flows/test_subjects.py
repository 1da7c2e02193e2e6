"""A message that is decided, a report of child abuse, and staff who are party of a case."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from core.once import new_once
from ledger.models import Entry
from ledger.queries import visible_entries
from moderation.actions import sweep
from moderation.actions.at_once import reopen_copy
from moderation.actions.claims import claim, claim_next
from moderation.actions.decisions import approve, decide, undo_decision
from moderation.actions.evidence import note_look, split_case
from moderation.actions.looks import note_sound
from moderation.models import ActAtOnce, Case, Decision, Report, ReportedMessage, Statement
from moderation.queries.access import visible_cases
from moderation.refusals import ModerationRefused
from people.models import User
from rooms import actions
from rooms.models import Room
from rooms.rules.refusals import RoomRefused
from rooms.rules.restrictions import is_restricted
from social.models import Message, MessageTakedown
from tests.flows.line import (
    ADA_SPOKE,
    acts,
    assert_sound_ledger,
    is_kept_until,
    is_purged_on,
    quoted,
    reported,
    signed_in,
)
from tests.support.cases import draft, staff, worked_on
from tests.support.messages import texts, written
from tests.support.people import api_client, person
from tests.support.recordings import talked_room
from tests.support.rooms import consented, open_room, published, seated

pytestmark = pytest.mark.django_db
INSULT = "You are a quixotryzebra"


def refused(act: Any, *args: Any) -> str:
    with pytest.raises(ModerationRefused) as caught:
        act(*args)
    return caught.value.code


def begun_earlier(room: Room) -> None:
    """Let a room have begun a minute earlier, so that there is something to report."""
    room.refresh_from_db()
    assert room.started_at is not None
    Room.objects.filter(pk=room.pk).update(started_at=room.started_at - timedelta(minutes=1))


def sees(user: User, case: Case) -> bool:
    return visible_cases(user).filter(pk=case.pk).exists()


# --- a message --------------------------------------------------------------------------------------------------------


def test_a_message_is_taken_down_on_both_sides_and_put_back() -> None:
    bert, anna, mara = person("bert"), person("anna"), staff("moderator", "mara")
    thread = written(bert, anna, *(f"Line {number}" for number in range(8)), INSULT)
    message = Message.objects.get(thread=thread, body=INSULT)
    form = {"category": "harassment", "words": "", "good_faith": "on", "once": new_once()}
    answer = signed_in(anna).post(f"/messages/bert/{message.pk}/report/", form)
    assert answer.status_code == 302
    report = Report.objects.get()
    copies = list(ReportedMessage.objects.filter(report=report).values_list("line", "reported"))
    assert copies == [*((f"Line {number}", False) for number in range(3, 8)), (INSULT, True)], "its neighbours alone"
    case = report.case
    claim(case, mara)
    assert refused(decide, case, mara, draft(("message", None))) == "not_looked"
    note_look(case, mara, "shown")
    decision = decide(case, mara, draft(("message", None), ("no_stage", 3)))
    for user in (anna, bert):
        assert INSULT not in texts(user, thread) and len(texts(user, thread)) == 9
        for client in (signed_in(user), api_client(user)):
            path = f"/messages/{'bert' if user is anna else 'anna'}/"
            assert INSULT not in client.get(path if client.session else f"/api/v1{path}").content.decode()
    statement = Statement.objects.get()
    assert statement.person == bert and statement.body["export"]["content_type"] == ["CONTENT_TYPE_TEXT"]
    assert "sound" not in str(statement.body["until"]) or statement.body["until"]["sound"] is None
    assert undo_decision(decision, staff("senior"), "It was a joke between them")
    assert texts(anna, thread)[-1] == texts(bert, thread)[-1] == INSULT
    assert not MessageTakedown.objects.filter(lifted_at=None).exists()
    assert acts(f"message:{message.pk}") == ["message_taken_down", "message_put_back"]
    assert INSULT not in str(list(Entry.objects.values_list("data", flat=True))), "no words in the chain"
    assert_sound_ledger()


# --- child abuse ------------------------------------------------------------------------------------------------------


def files_of(room: Room) -> list[str]:
    """Addresses of the recording that its host holds."""
    files = actions.hand_out_files(room.pk, room.host).values()
    return [actions.download_everything(room.pk, room.host).address, *files]


def test_a_child_abuse_report_signed_out_closes_the_copy_for_all_but_its_role() -> None:
    room = published(talked_room())
    given = files_of(room)
    mara, senior, anna = staff("moderator", "mara"), staff("senior", "sanne"), staff("child_safety", "anna")
    mail.outbox.clear()
    form = {"kind": "room", "what": f"/r/{room.slug}/", "category": "child_safety", "words": "A child was named."}
    form |= {"good_faith": "on", "starts": "0:10", "ends": "0:14", "name": "", "email": ""}
    answer = Client().post("/report/", form)
    assert answer.status_code == 302, answer.content.decode()[:2000]
    report = Report.objects.get()
    case = report.case
    assert (report.reporter, report.reporter_name, report.reporter_email) == (None, "", ""), "nobody has to say who"
    assert [each.to for each in mail.outbox] == [[anna.email]], "the role is told at once, and nobody else"
    assert is_restricted(room) and {Client().get(address).status_code for address in given} == {404}
    with pytest.raises(RoomRefused, match="recording_unavailable"):
        actions.download_everything(room.pk, room.host)
    for client in (signed_in(room.host), Client()):
        page = client.get(f"/r/{room.slug}/replay/").content.decode()
        assert "This recording is not available." in page and "child" not in page.lower()
    for other in (mara, senior):
        assert not sees(other, case) and claim_next(other) is None and refused(claim, case, other) == "unknown_case"
    assert claim_next(anna) == case
    note_look(case, anna, "lines", 10_000, 14_000)
    decision = decide(quoted(case, anna), anna, draft(("restrict", None), ("suspend", None)))
    assert decision.state == "proposed" and is_restricted(room)
    assert refused(approve, decision, senior) == "unknown_case", "the second is of that role too"
    approve(decision, staff("child_safety", "noor"))
    assert is_restricted(room) and ActAtOnce.objects.get().settled == "decided"
    assert is_kept_until(room, 90, "violation") and is_purged_on(room, 90)
    assert_sound_ledger()


def test_a_false_child_abuse_report_is_lifted_and_the_copy_opens_again() -> None:
    room = published(talked_room())
    given = files_of(room)
    anna = staff("child_safety", "anna")
    case = reported(person("lea"), room, about="ada", category="child_safety")
    assert is_restricted(room)
    quoted(case, anna)
    assert reopen_copy(case, anna) and {Client().get(address).status_code for address in given} == {200}
    decide(case, anna, draft(outcome="no_violation"))
    assert Report.objects.get().outcome == "unfounded" and is_kept_until(room, 30, "review")
    assert acts(case.ledger_subject)[-3:] == ["act_settled", "copy_reopened", "decided"]
    assert_sound_ledger()


# --- parties ----------------------------------------------------------------------------------------------------------


def test_staff_who_are_party_see_nothing_and_their_cases_go_to_seniors() -> None:
    room = open_room()
    speaker, mara = staff("moderator", "speaker"), staff("moderator", "mara")
    actions.take_seat(room.pk, consented(speaker, room))
    ada = seated("ada", room)
    actions.end_room(room.pk, room.host)
    reporter = staff("moderator", "reporter")
    begun_earlier(room)
    about_ada = reported(reporter, room, (0, 1), about="ada")
    for party in (speaker, reporter):
        assert not sees(party, about_ada) and claim_next(party) is None
        assert refused(claim, about_ada, party) == "unknown_case"
        assert not visible_entries(party.pk, Entry.objects.filter(subject=about_ada.ledger_subject)).exists()
    assert visible_entries(mara.pk, Entry.objects.filter(subject=about_ada.ledger_subject)).exists()
    assert claim_next(mara) == about_ada
    about_staff = reported(person("lea"), room, (0, 1), about="speaker")
    assert about_staff.for_seniors and not sees(mara, about_staff) and not sees(speaker, about_staff)
    senior = staff("senior")
    worked_on(about_staff, senior)
    decision = decide(about_staff, senior, draft(("suspend", None)))
    assert refused(approve, decision, mara) == refused(approve, decision, speaker) == "unknown_case"
    approve(decision, staff("senior"))
    assert Decision.objects.get().state == "standing" and ada.pk
    assert_sound_ledger()


def test_a_moderator_who_takes_a_seat_loses_the_case() -> None:
    room, mara = open_room(), staff("moderator", "mara")
    ada = seated("ada", room)
    begun_earlier(room)
    case = reported(person("lea"), room, (0, 20), about="ada")
    claim(case, mara)
    note_sound(case, mara, 0, 20_000)
    actions.take_seat(room.pk, consented(mara, room))
    assert not sees(mara, case) and refused(decide, case, mara, draft()) == "unknown_case", "from that moment"
    assert not visible_entries(mara.pk, Entry.objects.filter(subject=case.ledger_subject)).exists()
    assert not Decision.objects.exists() and ada.pk
    nils = staff("moderator", "nils")
    assert claim_next(nils) is None and (sweep.sweep(), sweep.sweep()) == (1, 0)
    assert claim_next(nils) == case and case.parties.filter(user=mara).exists()
    assert acts(case.ledger_subject)[-2:] == ["case_released", "case_claimed"]


def test_a_whole_room_case_is_split_by_person() -> None:
    room, mara = talked_room(), staff("moderator", "mara")
    whole = reported(person("lea"), room)
    quoted(whole, mara)
    ada = room.seats.get(user__handle="ada").user
    hers = split_case(whole, mara, ada)
    assert (hers.kind, hers.subject, list(hers.ranges.values_list("from_ms", "to_ms"))) == (
        "person",
        ada,
        [(ADA_SPOKE[0] * 1000, ADA_SPOKE[1] * 1000)],
    )
    decide(whole, mara, draft(outcome="no_violation"))
    assert is_kept_until(room, 90, "case"), "hers is open"
    decide(quoted(hers, mara), mara, draft(("no_stage", 30)))
    assert is_kept_until(room, 90, "violation") and Statement.objects.get().person == ada
    assert_sound_ledger()
