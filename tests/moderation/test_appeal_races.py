"""Appeals and reviews at the same moment as something else: one of them wins, and nothing happens twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from ledger.verify import verify
from moderation.actions.appeals import file_appeal
from moderation.actions.reviews import ReviewDraft, claim_review, decide_review
from moderation.models import Appeal, Notification, Review, Statement
from moderation.queries.appeals import AppealRight, concerned_right
from moderation.refusals import ModerationRefused
from retention.purge import purge
from rooms.models import Room
from tests.support.cases import aged, concerned_appeal, kept_room, open_case, purge_at, reviewed, staff, told, violation
from tests.support.people import person
from tests.support.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = 1 / (24 * 60)


def codes_of(*acts: Callable[[], object]) -> list[str]:
    """The codes with which acts at the same moment are refused, "ok" for those that are done."""
    said: list[str] = []

    def act(do: Callable[[], object]) -> None:
        try:
            do()
            said.append("ok")
        except ModerationRefused as known:
            said.append(known.code)

    at_once(*(lambda do=do: act(do) for do in acts))
    return sorted(said)


def right() -> tuple[AppealRight, Room]:
    ada = person("ada")
    room = kept_room("", 10, ada)
    decision = violation(open_case(room, subject=ada), ("restrict", None))
    told(decision.case)
    return concerned_right(Statement.objects.get(), timezone.now()), room


def test_filed_twice_at_once_is_filed_once() -> None:
    mine, _room = right()
    file = lambda: file_appeal(mine, "It was a quote.")  # noqa: E731
    assert codes_of(file, file, file) == ["appealed_already", "appealed_already", "ok"]
    assert Appeal.objects.count() == Review.objects.count() == 1
    assert Notification.objects.filter(kind="appeal_received").count() == 1
    assert verify().ok, verify().problems


def test_claimed_by_two_at_once_is_claimed_by_one_and_decided_once() -> None:
    mine, _room = right()
    review = file_appeal(mine, "It was a quote.").review
    mara, bob = staff(), staff()
    assert codes_of(lambda: claim_review(review, mara), lambda: claim_review(review, bob)) == [
        "claimed_by_another",
        "ok",
    ]
    review.refresh_from_db()
    holder = mara if review.claimed_by_id == mara.pk else bob
    reviewed(review, holder)
    decide = lambda: decide_review(review, holder, ReviewDraft("overturned", "It was a quote."))  # noqa: E731
    assert codes_of(decide, decide) == ["ok", "reviewed_already"]
    assert Notification.objects.filter(kind="appeal_outcome").count() == 1
    assert verify().ok, verify().problems


@pytest.mark.parametrize(("days", "holds"), [(90 - MINUTE, True), (90 + MINUTE, False)])
def test_a_minute_before_the_clock_it_holds_and_a_minute_after_it_does_not(days: float, holds: bool) -> None:
    mine, room = right()
    aged(room, days)
    appeal = file_appeal(mine, "It was a quote.")
    assert appeal.holds == holds and purge_at(room) == ((180, "appeal") if holds else (90, "violation"))
    assert (purge([room.pk], timezone.now() + timedelta(minutes=5)) == [room.pk]) != holds


def test_filed_at_the_same_moment_as_the_purge_it_holds_or_it_is_decided_on_the_record() -> None:
    mine, room = right()
    aged(room, 90 - MINUTE)
    soon = timezone.now() + timedelta(minutes=2)
    codes_of(lambda: file_appeal(mine, "It was a quote."), lambda: purge([room.pk], soon))
    purge([room.pk], soon)  # a room that another has locked is left to the next run
    room.refresh_from_db()
    assert Appeal.objects.get().holds == (room.purged_at is None)
    assert verify().ok, verify().problems


def test_an_appeal_that_comes_while_somebody_decides_is_in_this_review_or_the_next() -> None:
    mine, _room = right()
    review = file_appeal(mine, "It was a quote.").review
    mara = staff()
    reviewed(review, mara)
    codes_of(
        lambda: decide_review(review, mara, ReviewDraft("upheld", "It was none.")),
        lambda: concerned_appeal(review.decision),
    )
    assert Appeal.objects.count() == 1 and not Review.objects.exclude(state="decided").exists()
