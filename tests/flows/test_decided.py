"""From a report by the page to the purge on its day, in browsers: what moderators found in recorded speech, and what
host, speakers and reporters see of it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from moderation.actions.decisions import undo_decision
from moderation.models import Case, Decision, EvidenceLine, Look, Report, Statement
from people.models import Sanction
from retention import purge
from retention.clocks import told_clocks
from retention.models import PurgeReceipt
from retention.policy import Reason, ToldClock
from rooms import actions
from rooms.models import Restriction, Room
from rooms.recording import store
from rooms.rules.restrictions import is_restricted
from tests.e2e.browser import Chromium
from tests.e2e.test_room import seat_of
from tests.flows.concerned import HostPages, report_by_form, shows_replay
from tests.flows.console import QUEUE, Console
from tests.flows.line import (
    DAY,
    acts,
    ada_of,
    assert_sound_ledger,
    ended_at,
    is_kept_until,
    is_purged_on,
    tell,
)
from tests.support.cases import aged, refused, staff
from tests.support.people import person
from tests.support.rooms import consented, open_room
from transcripts.models import Cue

pytestmark = pytest.mark.django_db(transaction=True)
ADA = "0:10–0:14"
HOST_SPOKE = (30, 36)
SAID = "He was not an ill-disposed young man."


def files_in(room: Room) -> list[Path]:
    return [path for path in store.folder(room.pk).rglob("*") if path.is_file()]


def test_a_violation_keeps_the_copy_to_day_90_and_a_receipt_stays(
    chromium: Chromium, room: Room, mara: Console
) -> None:
    other = open_room("carl")
    actions.take_seat(other.pk, consented(ada_of(room), other))
    listener, host = chromium.room(other), HostPages(chromium, room)
    expect(listener.locator(seat_of("ada"))).to_be_visible()
    case, receipt = report_by_form(chromium, person("lea"), room, "ada")
    expect(receipt.get_by_role("main")).to_contain_text("It waits for a moderator.")
    assert is_kept_until(room, 90, "case"), "until it is decided, to day 90 at most"
    assert "30 days left" in host.clock(), "the host learns of no report"
    assert mara.next_case() == case.pk
    mara.listen(ADA)
    mara.read("ill-disposed young man", "rather cold-hearted")
    mara.mark(ADA)
    mara.draft(("no_stage", 7), ("restrict", None))
    mara.preview()
    expect(mara.page.locator(".statement")).to_contain_text(SAID)
    before, after = mara.clocks()
    assert "An open case keeps it" in before and "because a decision found a violation" in after
    assert "90 days left" in before and "90 days left" in after
    assert not Decision.objects.exists(), "a preview is none"
    expect(listener.locator(seat_of("ada"))).to_be_visible()
    mara.confirm()
    expect(mara.page.get_by_text("Decided. It is in force")).to_be_visible()
    expect(listener.locator(seat_of("ada"))).to_have_count(0)
    assert is_kept_until(room, 90, "violation") and "90 days left" in mara.clocks()[0]
    lines = list(EvidenceLine.objects.filter(case=case).values_list("text", flat=True))
    assert lines[0] == SAID and len(lines) == 2, "Bob falls into her words"
    assert set(Look.objects.values_list("what", flat=True)) == {"played", "lines"}
    statement = Statement.objects.get(decision__case=case)
    assert statement.person == ada_of(room) and SAID in str(statement.body) and statement.told_at is None
    receipt.reload()
    expect(receipt.get_by_role("main")).to_contain_text("Moderators have decided.")
    assert Report.objects.get().outcome == "founded"
    host.shows("closed")
    shows_replay(chromium, chromium.page("/"), room, "closed")
    assert "30 days left" in host.clock(), "as long as nobody was told"
    expect(host.page.get_by_role("main")).to_contain_text("This recording is not available.")
    expect(host.page.get_by_role("main")).not_to_contain_text("insults him")
    mara.go(QUEUE)
    tell()
    receipt.reload()
    expect(receipt.get_by_role("main")).to_contain_text("found a violation in what you reported")
    assert "a decision found a violation" in (told := host.clock()) and "90 days left" in told
    check_the_purge(room, case)
    assert host.clock().startswith("Deleted on") and "Receipt:" in host.clock()
    host.shows("gone")
    mara.open(case)
    assert mara.clocks()[0].startswith("Deleted on")


def check_the_purge(room: Room, case: Case) -> None:
    """The copy goes on day 90; its receipt, the quoted line and the ledger stay."""
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files_in(room)}
    assert is_purged_on(room, 90)
    receipt = PurgeReceipt.objects.get()
    assert (receipt.room, receipt.rule, receipt.due_at) == (room.pk, "violation-90-days", ended_at(room) + 90 * DAY)
    assert {Path(file["path"]).name: file["sha256"] for file in receipt.files}.items() >= sums.items()
    assert not store.folder(room.pk).exists() and not Cue.objects.filter(transcript__room=room).exists()
    assert case.lines.all()[0].text == SAID, "the statement’s clock keeps what it quotes"
    kinds = acts(case.ledger_subject)
    assert kinds[:2] == ["case_opened", "case_claimed"] and "evidence_played" in kinds and "evidence_read" in kinds
    assert kinds[-9:] == [
        *("line_quoted", "line_quoted", "range_marked", "decided"),
        *("measure_applied", "measure_applied", "statement_made", "notified", "notified"),
    ]
    assert acts(f"room:{room.pk}")[-2:] == ["recording_restricted", "purged"]
    assert_sound_ledger()


def test_of_two_violations_one_is_undone_and_changes_nothing_but_its_own(
    chromium: Chromium, room: Room, mara: Console
) -> None:
    host = HostPages(chromium, room)
    hers, _receipt = report_by_form(chromium, person("lea"), room, "ada")
    his, _receipt = report_by_form(chromium, person("kim"), room, "host", HOST_SPOKE)
    assert hers.pk != his.pk
    for case, seconds, words, measures in (
        (hers, ADA, "ill-disposed young man", (("no_stage", 7), ("restrict", None))),
        (his, "0:30–0:36", "more amiable woman", (("restrict", None), ("no_hosting", 30))),
    ):
        mara.open(case)
        mara.claim()
        mara.read(words)
        mara.mark(seconds)
        mara.decide(*measures)
    first, second = Decision.objects.order_by("pk")
    assert Restriction.objects.filter(lifted_at=None).count() == 2
    host.shows("closed")
    senior = staff("senior")
    assert refused(undo_decision, first, mara.user, "I was wrong") == "own_proposal"
    assert undo_decision(first, senior, "The words were read from a book")
    assert is_restricted(room) and is_kept_until(room, 90, "violation")
    host.shows("closed")
    mara.open(hers)
    expect(mara.page.locator(".case-decision")).to_contain_text("(undone)")
    assert "90 days left" in mara.clocks()[0]
    assert Sanction.objects.in_force().values_list("user__handle", "kind").get() == ("host", "no_hosting")
    chromium.go(host.page, "/dashboard/")
    expect(host.page.get_by_role("link", name="Open the table")).to_have_count(0)
    assert set(Report.objects.values_list("case", "outcome")) == {(hers.pk, ""), (his.pk, "founded")}
    assert not undo_decision(first, senior, "Again"), "once"
    mara.go(QUEUE)
    assert is_purged_on(room, 90)
    assert PurgeReceipt.objects.get().rule == "violation-90-days"
    assert undo_decision(second, None, "On the record"), "after the purge too"
    assert not Sanction.objects.in_force().exists()
    chromium.go(host.page, "/dashboard/")
    expect(host.page.get_by_role("link", name="Open the table").first).to_be_visible()
    assert_sound_ledger()


def test_no_violation_imposes_nothing_and_the_copy_goes_on_day_30(
    chromium: Chromium, room: Room, mara: Console
) -> None:
    lea, host = person("lea"), HostPages(chromium, room)
    case, receipt = report_by_form(chromium, lea, room, "ada")
    assert mara.next_case() == case.pk
    mara.read()
    mara.dismiss()
    assert not Sanction.objects.exists() and not Restriction.objects.exists() and not Statement.objects.exists()
    assert Report.objects.get().outcome == "unfounded" and is_kept_until(room, 30, "review")
    assert "30 days left" in mara.clocks()[0]
    receipt.reload()
    expect(receipt.get_by_role("main")).to_contain_text("Moderators have decided.")
    again, _receipt = report_by_form(chromium, lea, room, "ada", HOST_SPOKE)
    assert again.pk != case.pk and again.earlier == case and is_kept_until(room, 90, "case")
    assert mara.next_case() == again.pk
    expect(mara.page.get_by_role("link", name=f"Earlier case {case.pk}")).to_be_visible()
    assert "90 days left" in mara.clocks()[0] and "30 days left" in host.clock()
    mara.read()
    mara.dismiss()
    host.shows("playing")
    assert mara.cases() == []
    assert is_purged_on(room, 30) and PurgeReceipt.objects.get().rule == "review-30-days"
    host.shows("gone")
    assert_sound_ledger()


def test_an_undecided_case_holds_past_day_30_and_is_decided_on_the_record_after_day_90(
    chromium: Chromium, room: Room, mara: Console
) -> None:
    host = HostPages(chromium, room)
    case, _receipt = report_by_form(chromium, person("lea"), room, "ada")
    end = ended_at(room)
    for day in (29, 30, 31, 60):
        now = end + day * DAY
        assert purge.sweep(now).purged == [] and purge.overdue(now) == []
        full, told = told_clocks({room.pk: end}, now)[room.pk]
        assert full.reason is Reason.CASE
        expected = ToldClock(end + 30 * DAY, Reason.REVIEW) if day < 30 else ToldClock(None, None)
        assert told == expected, "the host learns no reason"
    aged(room, 30)
    mara.open(case)
    assert "An open case keeps it" in (kept := mara.clocks()[0]) and "Day 30 · 60 days left" in kept
    assert "Kept longer for review." in (told_so := host.clock()) and "case" not in told_so
    assert not re.search(r"days? left|until", told_so), "nor a day"
    host.shows("playing")
    mara.go(QUEUE)
    assert is_purged_on(room, 90)
    assert PurgeReceipt.objects.get().rule == "released"
    assert mara.next_case() == case.pk
    expect(mara.page.locator('[data-part="why"]')).to_contain_text("before you decide")
    expect(mara.page.locator("[data-sound]")).to_have_count(0)
    mara.show()
    expect(mara.page.locator('[data-part="shown"]')).to_contain_text("The recording was deleted on its day.")
    mara.dismiss()
    assert Case.objects.get(pk=case.pk).state == "decided"
    assert_sound_ledger()
