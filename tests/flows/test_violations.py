"""From a report of recorded speech to the purge on its day: violations, undone ones, none, and nobody deciding."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import transaction

from moderation.actions import sweep
from moderation.actions.claims import claim
from moderation.actions.decisions import approve, decide, preview, turn_down, undo_decision
from moderation.actions.evidence import mark_range, note_look
from moderation.actions.looks import note_sound
from moderation.models import Case, Decision, EvidenceLine, Report, Statement
from moderation.refusals import ModerationRefused
from people.models import Sanction, User
from people.standing import standing_of, why_not_enter
from retention import purge
from retention.clocks import told_clocks
from retention.models import PurgeReceipt
from retention.policy import Reason, ToldClock
from rooms.models import Restriction, Room
from rooms.recording import store
from rooms.rules.restrictions import is_restricted
from tests.flows.line import (
    ADA_SPOKE,
    DAY,
    acts,
    assert_sound_ledger,
    ended_at,
    is_kept_until,
    is_purged_on,
    quoted,
    reported,
    signed_in,
)
from tests.support.cases import draft, staff
from tests.support.people import person
from tests.support.recordings import talked_room
from tests.support.rooms import published
from transcripts.models import Cue

pytestmark = pytest.mark.django_db
HOST_SPOKE = (30, 36)


@pytest.fixture
def room() -> Room:
    """Fifty seconds of recorded speech by three people, transcribed."""
    return talked_room()


@pytest.fixture
def mara() -> User:
    return staff("moderator", "mara")


def ada(room: Room) -> User:
    return room.seats.get(user__handle="ada").user


def refused(act: Callable[..., Any], *args: Any) -> str:
    with pytest.raises(ModerationRefused) as caught, transaction.atomic():
        act(*args)
    return caught.value.code


def test_a_violation_keeps_the_copy_to_day_90_and_a_receipt_stays(room: Room, mara: User) -> None:
    published(room)
    case = reported(person("lea"), room, about="ada", words="She insults him.")
    assert is_kept_until(room, 90, "case"), "until it is decided, to day 90 at most"
    quoted(case, mara)
    whole = draft(("no_stage", 7), ("restrict", None))
    shown = preview(case, whole)
    decision = decide(case, mara, whole)
    assert is_kept_until(room, 90, "violation")
    lines = list(EvidenceLine.objects.filter(case=case).values_list("text", flat=True))
    said = "He was not an ill-disposed young man."
    assert lines[0] == said and len(lines) == 2, "Bob falls into her words"
    statement = Statement.objects.get(decision=decision)
    assert statement.person == ada(room) and said in str(statement.body) and shown.statement is not None
    assert shown.statement["evidence"] == statement.body["evidence"] and statement.told_at is None
    assert Report.objects.get().outcome == "founded"
    host = signed_in(room.host)
    for client in (host, signed_in(None)):
        page = client.get(f"/r/{room.slug}/replay/").content.decode()
        assert "This recording is not available." in page and "ill-disposed" not in page
    assert "insults him" not in host.get("/dashboard/").content.decode()
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files_in(room)}
    assert is_purged_on(room, 90)
    receipt = PurgeReceipt.objects.get()
    assert (receipt.room, receipt.rule, receipt.due_at) == (room.pk, "violation-90-days", ended_at(room) + 90 * DAY)
    assert {Path(file["path"]).name: file["sha256"] for file in receipt.files}.items() >= sums.items()
    assert not store.folder(room.pk).exists() and not Cue.objects.filter(transcript__room=room).exists()
    assert case.lines.all()[0].text == said, "the statement’s clock keeps what it quotes"
    kinds = ["case_opened", "case_claimed", "evidence_read", "line_quoted", "line_quoted", "range_marked", "decided"]
    assert acts(case.ledger_subject) == [*kinds, "measure_applied", "measure_applied", "statement_made"]
    assert acts(f"room:{room.pk}")[-2:] == ["recording_restricted", "purged"]
    assert_sound_ledger()


def files_in(room: Room) -> list[Path]:
    return [path for path in store.folder(room.pk).rglob("*") if path.is_file()]


def test_of_two_violations_one_is_undone_and_changes_nothing_but_its_own(room: Room, mara: User) -> None:
    hers, his = reported(person("lea"), room, about="ada"), reported(person("kim"), room, HOST_SPOKE, about="host")
    assert hers.pk != his.pk
    first = decide(quoted(hers, mara), mara, draft(("no_stage", 7), ("restrict", None)))
    second = decide(quoted(his, mara, HOST_SPOKE), mara, draft(("restrict", None), ("no_hosting", 30)))
    assert Restriction.objects.filter(lifted_at=None).count() == 2
    senior = staff("senior")
    assert refused(undo_decision, first, mara, "I was wrong") == "own_proposal"
    assert undo_decision(first, senior, "The words were read from a book")
    assert is_restricted(room) and is_kept_until(room, 90, "violation")
    assert Sanction.objects.in_force().values_list("user__handle", "kind").get() == ("host", "no_hosting")
    assert set(Report.objects.values_list("case", "outcome")) == {(hers.pk, ""), (his.pk, "founded")}
    assert not undo_decision(first, senior, "Again"), "once"
    assert is_purged_on(room, 90)
    assert PurgeReceipt.objects.get().rule == "violation-90-days"
    assert undo_decision(second, None, "On the record"), "after the purge too"
    assert not Sanction.objects.in_force().exists()
    assert_sound_ledger()


def test_the_last_violation_undone_lets_the_copy_go_on_day_30(room: Room, mara: User) -> None:
    decision = decide(quoted(reported(person("lea"), room, about="ada"), mara), mara, draft(("restrict", None)))
    undo_decision(decision, None, "A quotation")
    assert not is_restricted(room) and is_kept_until(room, 30, "review") and is_purged_on(room, 30)
    assert PurgeReceipt.objects.get().rule == "review-30-days"


def test_no_violation_imposes_nothing_and_the_copy_goes_on_day_30(room: Room, mara: User) -> None:
    lea = person("lea")
    case = reported(lea, room, about="ada")
    decide(quoted(case, mara), mara, draft(outcome="no_violation"))
    assert not Sanction.objects.exists() and not Restriction.objects.exists() and not Statement.objects.exists()
    assert Report.objects.get().outcome == "unfounded" and is_kept_until(room, 30, "review")
    again = reported(lea, room, HOST_SPOKE, about="ada")
    assert again.pk != case.pk and again.earlier == case and is_kept_until(room, 90, "case")
    decide(quoted(again, mara, HOST_SPOKE), mara, draft(outcome="no_violation"))
    assert is_purged_on(room, 30) and PurgeReceipt.objects.get().rule == "review-30-days"
    assert_sound_ledger()


def test_a_second_decision_is_refused(room: Room, mara: User) -> None:
    case, nils = quoted(reported(person("lea"), room, about="ada"), mara), staff("moderator", "nils")
    stale = Case.objects.get(pk=case.pk)
    decide(case, mara, draft(("no_stage", 7)))
    before = acts(case.ledger_subject)
    for by in (mara, nils):
        assert refused(claim, stale, by) == "decided_already"
        assert refused(decide, stale, by, draft()) == "decided_already"
        assert refused(mark_range, stale, by, 0, 1000) == "decided_already"
    assert Decision.objects.count() == 1 and Sanction.objects.count() == 1
    assert acts(case.ledger_subject) == before, "refusals leave no entry"


# --- a second moderator -----------------------------------------------------------------------------------------------


def proposed(room: Room, by: User) -> Decision:
    case = quoted(reported(person("lea"), room, about="ada"), by)
    return decide(case, by, draft(("suspend", None), ("restrict", None)))


def test_a_proposal_is_approved(room: Room, mara: User) -> None:
    decision, nils = proposed(room, mara), staff("moderator", "nils")
    person_concerned = ada(room)
    assert why_not_enter(standing_of(person_concerned)) == "account_suspended", "for 72 hours"
    assert is_kept_until(room, 90, "violation") and not Statement.objects.exists() and not is_restricted(room)
    assert refused(approve, decision, mara) == "own_proposal"
    approve(decision, nils)
    now = Sanction.objects.in_force().get()
    assert now.ends_at is None and is_restricted(room) and Statement.objects.get().person == person_concerned
    assert refused(approve, decision, staff()) in ("decided_already", "not_proposed")
    assert is_purged_on(room, 90)
    assert_sound_ledger()


def test_a_proposal_is_turned_down_and_the_case_decided_otherwise(room: Room, mara: User) -> None:
    decision, nils = proposed(room, mara), staff("moderator", "nils")
    turn_down(decision, nils, "A quotation from a novel")
    assert why_not_enter(standing_of(ada(room))) is None and is_kept_until(room, 90, "case")
    assert not Statement.objects.exists()
    case = quoted(decision.case, nils)
    decide(case, nils, draft(outcome="no_violation"))
    assert list(Decision.objects.order_by("pk").values_list("state", "outcome")) == [
        ("turned_down", "violation"),
        ("standing", "no_violation"),
    ]
    assert is_purged_on(room, 30)
    assert_sound_ledger()


# --- nobody decides ---------------------------------------------------------------------------------------------------


def test_an_undecided_case_holds_past_day_30_and_is_decided_on_the_record_after_day_90(room: Room, mara: User) -> None:
    case = reported(person("lea"), room, about="ada")
    end = ended_at(room)
    for day in (29, 30, 31, 60):
        now = end + day * DAY
        assert purge.sweep(now).purged == [] and purge.overdue(now) == []
        full, told = told_clocks({room.pk: end}, now)[room.pk]
        assert full.reason is Reason.CASE
        expected = ToldClock(end + 30 * DAY, Reason.REVIEW) if day < 30 else ToldClock(None, None)
        assert told == expected, "the host learns no reason"
    assert is_purged_on(room, 90)
    assert PurgeReceipt.objects.get().rule == "released"
    claim(case, mara)
    assert refused(decide, case, mara, draft()) == "not_looked"
    note_look(case, mara, "shown")
    decide(case, mara, draft(outcome="no_violation"))
    assert Case.objects.get(pk=case.pk).state == "decided"
    assert_sound_ledger()


def test_a_proposal_that_nobody_approves_lapses_with_the_copy(room: Room, mara: User) -> None:
    senior = staff("senior", "sanne")
    decision = proposed(room, mara)
    mail.outbox.clear()
    three_days = decision.at + 3 * DAY
    assert (sweep.handle_proposals(three_days), sweep.handle_proposals(three_days)) == (1, 0)
    assert [each.to for each in mail.outbox] == [[senior.email]]
    last = ended_at(room) + 90 * DAY
    assert sweep.handle_proposals(last - DAY) == 0 and sweep.handle_proposals(last) == 1
    decision.refresh_from_db()
    assert decision.state == "lapsed" and Case.objects.get().state == "decided"
    assert not Statement.objects.exists() and not Sanction.objects.filter(lifted_at=None, ends_at=None).exists()
    assert is_purged_on(room, 90)
    assert_sound_ledger()


def test_a_range_beside_the_reported_one_is_no_look(room: Room, mara: User) -> None:
    case = reported(person("lea"), room, about="ada")
    claim(case, mara)
    note_look(case, mara, "lines", 30_000, 36_000)
    assert refused(decide, case, mara, draft()) == "not_looked"
    note_sound(case, mara, ADA_SPOKE[0] * 1000, ADA_SPOKE[1] * 1000)
    with pytest.raises(ModerationRefused) as caught, transaction.atomic():
        decide(case, mara, draft())
    assert set(caught.value.fields) == {"evidence"}
