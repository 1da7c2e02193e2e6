"""Writing to people: the rule as a table, and the facts that it goes by."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from people.models import User
from social.actions.blocks import block, unblock
from social.actions.follows import follow
from social.hooks import acquaintances
from social.models import Block
from social.reach import why_not_write
from social.rules import Reach, may_write
from tests.support.messages import written
from tests.support.people import people, person

EVERYONE, KNOWN, NOBODY = User.MessagesFrom.EVERYONE, User.MessagesFrom.KNOWN, User.MessagesFrom.NOBODY


@pytest.mark.parametrize(
    ("reach", "code"),
    [
        (Reach(False, True, EVERYONE), None),
        (Reach(False, True, KNOWN), "cannot_be_reached"),
        (Reach(False, True, KNOWN, follows_sender=True), None),
        (Reach(False, True, KNOWN, known=True), None),
        (Reach(False, True, NOBODY, follows_sender=True, known=True), "cannot_be_reached"),
        (Reach(False, False, EVERYONE, follows_sender=True, known=True), "cannot_be_reached"),
        (Reach(False, True, EVERYONE, sender_blocks=True, follows_sender=True), "you_block_receiver"),
        (Reach(False, False, NOBODY, sender_blocks=True), "you_block_receiver"),
        (Reach(True, True, EVERYONE, known=True), "not_write_oneself"),
    ],
)
def test_the_table(reach: Reach, code: str | None) -> None:
    assert may_write(reach) == code


def test_every_setting_is_a_row_and_nothing_opens_a_closed_door() -> None:
    for setting, follows, known in product(User.MessagesFrom.values, (False, True), (False, True)):
        open_ = may_write(Reach(False, True, setting, follows_sender=follows, known=known))
        assert (open_ is None) == (setting == "everyone" or (setting == "known" and (follows or known))), setting
        for shut in (Reach(False, False, setting, False, follows, known), Reach(True, True, setting, False, follows)):
            assert may_write(shut) is not None


@pytest.mark.django_db
def test_follows_answers_and_acquaintances_open_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    anna, fan, writer, guest, stranger = (person() for _number in range(5))
    follow(anna, fan)
    written(anna, writer, "I begin")
    monkeypatch.setattr(
        acquaintances, "_registered", {"test": lambda sender, them: {anna.pk} & set(them) & only(sender)}
    )

    def only(sender: int) -> set[int]:
        return {anna.pk} if sender == guest.pk else set()

    for sender in (fan, writer, guest):
        assert why_not_write(sender, [anna])[anna.pk] is None, sender.handle
    assert why_not_write(stranger, [anna])[anna.pk] == "cannot_be_reached"
    follow(stranger, anna)
    assert why_not_write(stranger, [anna])[anna.pk] == "cannot_be_reached", "following somebody opens nothing"


@pytest.mark.django_db
def test_a_block_changes_nothing_that_the_sender_can_ask_also_its_follow() -> None:
    anna, bert = person(), person()
    follow(anna, bert)
    assert why_not_write(bert, [anna])[anna.pk] is None
    block(anna, bert)
    assert Block.objects.get().undid_own_follow
    assert why_not_write(bert, [anna])[anna.pk] is None
    assert why_not_write(anna, [bert])[bert.pk] == "you_block_receiver"
    unblock(anna, bert)
    assert why_not_write(bert, [anna])[anna.pk] == "cannot_be_reached", "the follow does not come back"
    block(anna, bert)
    assert why_not_write(bert, [anna])[anna.pk] == "cannot_be_reached", "and there was none to remember"


@pytest.mark.django_db
def test_a_thousand_receivers_cost_as_many_queries_as_one() -> None:
    sender, receivers = person(), people(50)
    for receiver in receivers[:5]:
        block(receiver, sender)

    def queries(of: Sequence[User]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert len(why_not_write(sender, of)) == len(of)
        return len(captured)

    assert queries(receivers) == queries(receivers[:1]) == queries(receivers[20:21])


@pytest.mark.django_db
def test_an_account_that_is_closed_or_signing_up_reads_as_a_setting_does() -> None:
    sender = person()
    shut = [person(is_active=False), person(signing_up=True), person(messages_from=NOBODY)]
    for receiver in shut:
        User.objects.filter(pk=receiver.pk).exclude(messages_from=NOBODY).update(messages_from=EVERYONE)
        receiver.refresh_from_db()
    assert set(why_not_write(sender, shut).values()) == {"cannot_be_reached"}
