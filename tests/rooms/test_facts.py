"""Facts of one person in one room, whose SQL is written once a process, are those that come with many."""

from __future__ import annotations

from typing import Any

import pytest

from people.models import Sanction
from people.standing import Standing, standing_of, standings
from rooms.models import Room
from rooms.rules.facts import facts_of, facts_of_known, facts_of_many
from tests.rooms.test_matrix_edges import Company
from tests.support.people import person
from tests.support.rooms import open_room

pytestmark = pytest.mark.django_db


def test_facts_are_the_same_for_one_as_for_many(settings: Any) -> None:
    company = Company()
    everybody = [user for user in company.users.values() if user is not None]
    many = facts_of_many([(company.room, user.pk) for user in everybody])
    for user in everybody:
        assert facts_of(company.room, user) == many[company.room.pk, user.pk], user.handle
    assert len({repr(facts) for facts in many.values()}) > 8, "they differ from each other"
    assert facts_of(company.room, company.room.host).consented
    settings.CONSENT_VERSION = "another"
    assert not facts_of(company.room, company.room.host).consented


def test_everybody_is_judged_by_the_row_that_was_read_with_them(django_assert_num_queries: Any) -> None:
    """People who come in together may have different readings of one room; an older one gives nobody a right."""
    company = Company()
    ada, bert = person("ada"), person("bert")
    before, after = (Room.objects.get(pk=company.room.pk) for _reading in range(2))
    before.entry_policy, after.entry_policy = "anyone", "invited"
    other, active, closed = open_room("else"), Standing(True, True), Standing(True, False)
    for _run in range(4):  # the third is prepared
        with django_assert_num_queries(1):
            found = facts_of_known(
                [
                    (before, ada.pk, active),
                    (after, ada.pk, active),
                    (after, bert.pk, closed),
                    (other, bert.pk, active),
                    (other, other.host.pk, active),
                    (before, other.host.pk, active),
                ]
            )
        assert [facts.entry_policy for facts in found] == ["anyone", "invited", "invited", *["anyone"] * 3]
        assert [facts.kept_out for facts in found] == [None, None, "account_closed", None, None, None]
        assert [facts.role for facts in found] == [*["listener"] * 4, "host", "listener"]


def test_standings_are_the_same_for_one_as_for_many() -> None:
    ada, bert, carl = person(creator=True), person(is_active=False), person()
    for kind in (Sanction.Kind.NO_STAGE, Sanction.Kind.SUSPENDED):
        Sanction.objects.create(user=carl, kind=kind, why="So it was.")
    many = standings([ada.pk, bert.pk, carl.pk])
    assert [standing_of(one) for one in (ada, bert, carl)] == [many[one.pk] for one in (ada, bert, carl)]
    assert many[ada.pk].creator and not many[bert.pk].active and len(many[carl.pk].sanctions) == 2
    assert standings([0]) == {} == standings([])
