"""From a report of recorded speech to the purge on its day, where no page is needed: a decision that is undone, one
that nobody approves, a look beside the range. Stories in browsers: `test_decided.py`, `test_second_moderator.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.db import transaction

from moderation.actions import sweep
from moderation.actions.claims import claim
from moderation.actions.decisions import decide, undo_decision
from moderation.actions.evidence import note_look
from moderation.actions.looks import note_sound
from moderation.models import Case, Decision, Statement
from moderation.refusals import ModerationRefused
from people.models import Sanction, User
from retention.models import PurgeReceipt
from rooms.models import Room
from rooms.rules.restrictions import is_restricted
from tests.flows.line import (
    ADA_SPOKE,
    DAY,
    assert_sound_ledger,
    ended_at,
    is_kept_until,
    is_purged_on,
    quoted,
    reported,
)
from tests.support.cases import draft, staff
from tests.support.people import person
from tests.support.recordings import talked_room

pytestmark = pytest.mark.django_db


@pytest.fixture
def room() -> Room:
    """Fifty seconds of recorded speech by three people, transcribed."""
    return talked_room()


@pytest.fixture
def mara() -> User:
    return staff("moderator", "mara")


def refused(act: Callable[..., Any], *args: Any) -> str:
    with pytest.raises(ModerationRefused) as caught, transaction.atomic():
        act(*args)
    return caught.value.code


def test_the_last_violation_undone_lets_the_copy_go_on_day_30(room: Room, mara: User) -> None:
    decision = decide(quoted(reported(person("lea"), room, about="ada"), mara), mara, draft(("restrict", None)))
    undo_decision(decision, None, "A quotation")
    assert not is_restricted(room) and is_kept_until(room, 30, "review") and is_purged_on(room, 30)
    assert PurgeReceipt.objects.get().rule == "review-30-days"


def proposed(room: Room, by: User) -> Decision:
    case = quoted(reported(person("lea"), room, about="ada"), by)
    return decide(case, by, draft(("suspend", None), ("restrict", None)))


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
