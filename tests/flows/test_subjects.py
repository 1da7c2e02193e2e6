"""A false report of child abuse, a moderator who becomes a party, and a case that is split, where no page is needed.
Stories in browsers: `test_reported_subjects.py`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from ledger.models import Entry
from ledger.queries import visible_entries
from moderation.actions import sweep
from moderation.actions.at_once import reopen_copy
from moderation.actions.claims import claim, claim_next
from moderation.actions.decisions import decide
from moderation.actions.evidence import split_case
from moderation.actions.looks import note_sound
from moderation.models import Case, Decision, Report, Statement
from moderation.queries.access import visible_cases
from moderation.refusals import ModerationRefused
from people.models import User
from rooms import actions
from rooms.models import Room
from rooms.rules.restrictions import is_restricted
from tests.flows.line import (
    ADA_SPOKE,
    acts,
    assert_sound_ledger,
    files_of,
    is_kept_until,
    quoted,
    reported,
)
from tests.support.cases import draft, staff
from tests.support.people import person
from tests.support.recordings import talked_room
from tests.support.rooms import consented, open_room, published, seated

pytestmark = pytest.mark.django_db


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
