"""Claims, access and evidence of cases, through their actions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger.models import Entry
from ledger.queries import visible_entries
from ledger.verify import verify
from moderation.actions import evidence
from moderation.actions.claims import claim, claim_next, release, release_expired, renew
from moderation.actions.decisions import decide
from moderation.actions.evidence import add_note, mark_range, note_look, quote_line, unmark_range, unquote_line
from moderation.actions.looks import note_sound
from moderation.actions.questions import ask_reporter
from moderation.models import Case, CaseParty, EvidenceRange, Look
from moderation.queries.access import visible_case, visible_cases
from moderation.queries.case_page import load_case
from moderation.queries.queue import Choice, chosen_cases
from moderation.refusals import ModerationRefused
from rooms.models import Room
from tests.support.cases import draft, kept_room, open_case, staff
from tests.support.people import person
from tests.support.races import at_once
from tests.support.recordings import talked_room
from tests.support.rooms import open_room
from transcripts.models import Cue

pytestmark = pytest.mark.django_db


def refused(act: Any, *args: Any) -> str:
    with pytest.raises(ModerationRefused) as caught:
        act(*args)
    return caught.value.code


def later(case: Case, minutes: int = 31) -> None:
    """Let the claim of a case be that much older."""
    Case.objects.filter(pk=case.pk).update(claimed_until=timezone.now() + timedelta(minutes=30 - minutes))


def kinds() -> list[str]:
    rows = Entry.objects.filter(kind__startswith="case_").exclude(kind__in=["case_opened", "case_joined"])
    return list(rows.order_by("seq").values_list("kind", flat=True))


def test_one_person_has_a_case_and_one_case_a_person() -> None:
    mara, bob = staff(), staff()
    first, second = open_case(), open_case()
    claim(first, mara)
    assert refused(claim, first, bob) == "claimed_by_another"
    claim(second, mara)
    first.refresh_from_db()
    assert first.claimed_by is None and kinds() == ["case_claimed", "case_released", "case_claimed"]
    claim(first, bob)
    assert release(first, bob) and not release(first, bob) and not renew(first, bob) and renew(second, mara)
    with pytest.raises(IntegrityError, match="case_one_claim_a_person"), transaction.atomic():
        Case.objects.filter(pk=first.pk).update(claimed_by=mara, claimed_until=timezone.now())


def test_a_claim_that_is_over_can_be_taken_and_is_swept() -> None:
    mara, bob, case = staff(), staff(), open_case()
    claim(case, mara)
    later(case, 29)
    assert refused(claim, case, bob) == "claimed_by_another" and release_expired() == 0
    later(case)
    claim(case, bob)
    assert not renew(case, mara)
    later(case)
    assert (release_expired(), release_expired()) == (1, 0)
    assert Entry.objects.filter(kind="case_released").latest("seq").actor is None


def test_next_case_is_live_first_then_by_priority_and_skips_own() -> None:
    mara = staff()
    low, high, own = open_case(), open_case(), open_case(reporter=mara)
    live = open_case(open_room())
    for case, priority in ((low, 1), (high, 900), (own, 999), (live, 5)):
        Case.objects.filter(pk=case.pk).update(priority=priority)
    assert [claim_next(mara), claim_next(mara), claim_next(mara)] == [live, high, live], "the one before is free again"
    others = staff()
    claim(low, others)
    Case.objects.filter(pk=high.pk).update(state="decided", decided_at=timezone.now())
    assert claim_next(mara) is None and Case.objects.get(pk=live.pk).claimed_by == mara
    assert refused(claim_next, staff("auditor")) == "not_allowed"


@pytest.mark.django_db(transaction=True)
def test_two_never_claim_one_case() -> None:
    one, two = staff(), staff()
    case, other = open_case(), open_case()
    assert sorted(at_once(*(lambda by=by: _code(claim, case, by) for by in (one, two)))) == ["ok", "ok"]
    assert Entry.objects.filter(kind="case_claimed").count() == 1
    for by in (one, two):
        release(case, by)
    at_once(lambda: claim_next(one), lambda: claim_next(two))
    assert {row.claimed_by_id for row in (Case.objects.get(pk=case.pk), Case.objects.get(pk=other.pk))} == {
        one.pk,
        two.pk,
    }


def _code(act: Any, *args: Any) -> None:
    try:
        act(*args)
    except ModerationRefused as known:
        assert known.code == "claimed_by_another"


def test_a_party_sees_nothing_and_the_database_refuses_the_claim() -> None:
    host, speaker, reporter = staff(handle="host"), staff(), staff()
    case = open_case(kept_room(host, 10, speaker), reporter)
    for party in (host, speaker, reporter):
        assert not visible_cases(party).exists()
        for act in (claim, note_look_at, add_note_to):
            assert refused(act, case, party) == "unknown_case"
        assert refused(visible_case, party, case.pk) == "unknown_case"
        assert not visible_entries(party.pk).filter(subject=case.ledger_subject).exists()
        assert not visible_entries(party.pk).filter(kind="report_received").exists()
    with pytest.raises(IntegrityError, match="party"), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(claimed_by=speaker, claimed_until=timezone.now())
    senior = staff("senior")
    assert visible_case(senior, case.pk) == case and visible_entries(senior.pk).filter(subject=f"case:{case.pk}")


def note_look_at(case: Case, by: Any) -> Look:
    return note_sound(case, by, 0, 10)


def add_note_to(case: Case, by: Any) -> Any:
    return add_note(case, by, "A note")


def test_somebody_who_sat_down_after_the_report_is_a_party_once_they_claim() -> None:
    mara = staff()
    room = open_room()
    case = open_case(room)
    from rooms import actions
    from tests.support.rooms import consented

    consented(mara, room)
    actions.take_seat(room.pk, mara)
    assert refused(claim, case, mara) == "unknown_case"


def test_cases_about_staff_and_child_safety_are_for_their_roles() -> None:
    mara, senior, child = staff(), staff("senior"), staff("child_safety")
    about_staff = open_case(kept_room(staff()))
    abuse = open_case(kept_room(), category="child_safety")
    ordinary = open_case()
    seen = {by: set(visible_cases(by)) for by in (mara, senior, child)}
    assert seen == {mara: {ordinary}, senior: {ordinary, about_staff}, child: {abuse}}
    assert refused(claim, abuse, senior) == "unknown_case" and refused(claim, about_staff, mara) == "unknown_case"
    assert not visible_cases(staff("auditor")).exists()


def test_evidence_needs_the_claim_and_stands_in_the_ledger() -> None:
    mara, case = staff(), open_case()
    assert refused(mark_range, case, mara, 0, 10) == "not_claimed"
    claim(case, mara)
    marked = mark_range(case, mara, -5, 10**12)
    assert (marked.from_ms, marked.to_ms) == (0, 600_000) and mark_range(case, mara, 0, 10**9) == marked
    for wrong in ((10, 10), (10, 5), (10**9, 10**10)):
        assert refused(mark_range, case, mara, *wrong) == "bad_value"
    assert unmark_range(marked, mara) and not unmark_range(marked, mara)
    add_note(case, mara, " A note ")
    assert (
        refused(add_note, case, mara, " ") == "bad_value" and refused(add_note, case, mara, "x" * 2001) == "bad_value"
    )
    note_sound(case, mara, 0, 10)
    note_look(case, mara, "lines", 0, 10)
    assert refused(note_look, case, mara, "heard", 0, 10) == refused(note_look, case, mara, "played") == "bad_value"
    written = list(Entry.objects.filter(subject=f"case:{case.pk}").order_by("seq").values_list("kind", flat=True))
    assert written[2:] == ["range_marked", "range_unmarked", "note_added", "evidence_played", "evidence_read"]
    assert verify().ok, verify().problems


def test_a_claim_that_is_over_gives_nothing_before_the_sweep_and_can_be_taken_up_again() -> None:
    mara, bob, case = staff(), staff(), open_case()
    claim(case, mara)
    note_look(case, mara, "lines", 0, 10)
    marked = mark_range(case, mara, 0, 10)
    later(case)
    acts = [(mark_range, 0, 5), (quote_line, "cue:1"), (decide, draft())]
    assert {refused(act, case, mara, *args) for act, *args in acts} == {"not_claimed"}
    assert refused(unmark_range, marked, mara) == "not_claimed"
    assert refused(ask_reporter, case.reports.get(), mara, "Why?") == "not_allowed"
    assert not renew(case, mara) and not release(case, mara)
    page = load_case(mara, case.pk, timezone.now())
    assert not page.is_mine and page.may_claim and page.why_not_decide == "not_claimed"
    assert not chosen_cases(mara, Choice("mine")).exists() and chosen_cases(bob, Choice("open")).exists()
    note_look(case, mara, "lines", 0, 10)
    case.refresh_from_db()
    assert case.holder(timezone.now()) is None, "looking does not bring it back"
    written = kinds()
    claim(case, mara)
    assert mark_range(case, mara, 0, 5).pk and kinds() == written, "nobody had it meanwhile: the same claim goes on"
    later(case)
    assert claim_next(mara) == case, "free for all, also for whoever had it"
    later(case)
    claim(case, bob)
    assert refused(claim, case, mara) == "claimed_by_another" and refused(mark_range, case, bob, 5, 5) == "bad_value"


def test_work_renews_the_claim() -> None:
    mara, case = staff(), open_case()
    claim(case, mara)
    later(case, 20)
    note_sound(case, mara, 0, 10)
    case.refresh_from_db()
    assert case.claimed_until is not None and case.claimed_until > timezone.now() + timedelta(minutes=29)


def test_lines_are_quoted_as_they_stand() -> None:
    mara, room = staff(), talked_room()
    case = open_case(room)
    claim(case, mara)
    cue = Cue.objects.order_by("start_ms").first()
    assert cue is not None
    line = quote_line(case, mara, f"cue:{cue.pk}")
    assert quote_line(case, mara, f"cue:{cue.pk}") == line
    assert (line.text, line.start_ms, line.speaker_id) == (cue.text, cue.start_ms, room.host_id)
    Cue.objects.filter(pk=cue.pk).update(
        corrected_text="Something else", corrected_by=room.host, corrected_at=timezone.now()
    )
    line.refresh_from_db()
    assert line.text == cue.text and unquote_line(line, mara) and not unquote_line(line, mara)
    for wrong in ("cue:0", "cue:999999", "range:1", "x", "cue:", "cue:٣", "cue:" + "9" * 30, "file:1"):
        assert refused(quote_line, case, mara, wrong) == "bad_value"
    other = open_case(kept_room())
    claim(other, mara)
    assert refused(quote_line, other, mara, f"cue:{cue.pk}") == "bad_value", "another room's line"


def test_a_message_has_no_range() -> None:
    mara, case = staff(), open_case(kind="profile", subject=person())
    claim(case, mara)
    assert refused(mark_range, case, mara, 0, 10) == refused(note_sound, case, mara, 0, 10) == "no_sound"
    assert refused(quote_line, case, mara, "cue:1") == "no_sound"
    assert note_look(case, mara, "shown").from_ms is None


def test_a_case_about_a_room_is_split_by_person() -> None:
    mara, ada = staff(), person("ada")
    case = open_case(kept_room("", 10, ada))
    assert refused(evidence.split_case, case, mara, ada) == "not_claimed"
    claim(case, mara)
    mark_range(case, mara, 0, 10)
    split = evidence.split_case(case, mara, ada)
    assert (split.kind, split.room, split.subject) == ("person", case.room, ada)
    assert evidence.split_case(case, mara, ada) == split
    assert CaseParty.objects.filter(case=split).count() == CaseParty.objects.filter(case=case).count()
    assert EvidenceRange.objects.filter(case=split, from_ms=0, to_ms=10).exists()
    assert refused(evidence.split_case, case, mara, person()) == "bad_value", "was not there"
    assert refused(evidence.split_case, split, mara, ada) == "not_claimed"
    assert Room.objects.count() == 1 and Entry.objects.filter(kind="case_split").count() == 1
