"""Threads under chance and at once: numbers stay right in whatever order things happen, and nothing locks for good."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from core import bus
from people.channels import person_channel
from people.models import User
from social.actions.blocks import block
from social.actions.messages import Outgoing, deliver_messages, send_cards, send_text
from social.actions.sweep import sweep_messages
from social.actions.threads import clear_thread, mark_read
from social.models import Message, Thread, ThreadSide
from social.queries import unread_of_many
from social.threads import inbox, messages_of
from tests.support.messages import deliver, written
from tests.support.people import person
from tests.support.races import at_once

pytestmark = pytest.mark.django_db


def unread(user: User) -> int:
    return unread_of_many([user.pk]).get(user.pk, 0)


class Plain:
    """Two people and what a plain model says of their thread; acts by chance. The first blocks the second at last."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.two = [person(messages_from="everyone"), person(messages_from="everyone")]
        self.state: dict[int, dict[str, Any]] = {}  # by message: sender's place, and what became of it
        self.blocked = False
        self.thread: Thread | None = None

    def send(self, place: int) -> None:
        if self.blocked and place == 0:
            return
        with transaction.atomic():
            (message,) = send_cards(self.two[place], "card", [Outgoing(self.two[1 - place])])
        self.thread = message.thread
        self.state[message.pk] = {"by": place, "there": False, "done": False, "read": False, "gone": [False, False]}

    def deliver(self, _place: int) -> None:
        """Two of those that wait, out of turn, by a task that runs twice."""
        waiting = [pk for pk, one in self.state.items() if not one["done"]]
        chosen = self.chance.sample(waiting, k=min(len(waiting), 2))
        deliver_messages(chosen)
        deliver_messages(chosen)
        for pk in chosen:
            self.state[pk] |= {"done": True, "there": not (self.blocked and self.state[pk]["by"] == 1)}

    def read(self, place: int) -> None:
        upto = self.chance.choice([None, *self.state])
        if self.thread is not None:
            mark_read(self.two[place], self.thread, upto)
        for pk in self.seen(place):
            self.state[pk]["read"] |= self.state[pk]["by"] != place and (upto is None or pk <= upto)

    def clear(self, place: int) -> None:
        if self.thread is not None:
            clear_thread(self.two[place], self.thread)
        for pk in self.seen(place):
            self.state[pk]["gone"][place] = True

    def seen(self, place: int) -> list[int]:
        """Keys of the messages that one of them sees."""
        return [
            pk
            for pk, one in sorted(self.state.items())
            if not one["gone"][place] and (one["by"] == place or one["there"])
        ]

    def check(self, thread: Thread, place: int) -> None:
        user, seen = self.two[place], self.seen(place)
        assert [line.message.pk for line in messages_of(user, thread, most=200).lines] == seen
        new = [pk for pk in seen if self.state[pk]["by"] != place and not self.state[pk]["read"]]
        assert unread(user) == len(new)
        assert [row.unread for row in inbox(user).threads] == ([len(new)] if seen else [])


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_in_whatever_order_both_see_what_a_plain_model_says(seed: int) -> None:
    plain = Plain(seed)
    for step in range(50):
        if step == 30:
            block(*plain.two)
            plain.blocked = True
        act = plain.chance.choice([plain.send] * 4 + [plain.deliver] * 3 + [plain.read, plain.clear])
        act(plain.chance.randrange(2))
        if plain.thread is not None:
            plain.check(plain.thread, 0)
            plain.check(plain.thread, 1)


@pytest.mark.django_db(transaction=True)
def test_two_who_write_to_each_other_at_once_share_one_thread() -> None:
    anna, bert = person(messages_from="everyone"), person(messages_from="everyone")
    acts = [lambda: send_text(anna, bert, "from anna"), lambda: send_text(bert, anna, "from bert")] * 3
    assert at_once(*acts) == ["ok"] * 6
    assert Thread.objects.count() == 1 and ThreadSide.objects.count() == 2 and Message.objects.count() == 6
    pks = list(Message.objects.values_list("pk", flat=True))
    at_once(*[lambda: deliver_messages(pks), lambda: deliver_messages(pks[::-1])] * 2)
    assert unread(anna) == unread(bert) == 3
    thread = Thread.objects.get()
    ends = [lambda: clear_thread(anna, thread), lambda: clear_thread(bert, thread), lambda: mark_read(anna, thread)]
    assert at_once(*ends * 2) == ["ok"] * 6, "no deadlock"
    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_cards_in_bulk_lines_deliveries_and_deletions_at_once_never_lock_each_other_out() -> None:
    """Two who invite the same people in opposite orders, while these write back, read and delete."""
    hosts = [person(messages_from="everyone"), person(messages_from="everyone")]
    guests = [person(messages_from="everyone") for _number in range(4)]

    def invite(host: User, order: list[User]) -> None:
        with transaction.atomic():
            send_cards(host, "card", [Outgoing(guest) for guest in order])

    def use(guest: User) -> None:
        for row in inbox(guest).threads:
            mark_read(guest, row.thread)
            clear_thread(guest, row.thread)

    for _round in range(2):
        acts = [
            lambda: invite(hosts[0], guests),
            lambda: invite(hosts[1], guests[::-1]),
            lambda: send_text(guests[0], hosts[0], "back"),
            lambda: deliver(),
            lambda: use(guests[1]),
            lambda: sweep_messages(timezone.now()),
        ]
        assert at_once(*acts) == ["ok"] * len(acts)
    deliver()
    assert Message.objects.filter(delivered_at=None).count() == 0
    assert Thread.objects.count() == 8


@pytest.mark.django_db(transaction=True)
def test_pages_are_told_after_the_commit_and_only_the_persons_own() -> None:
    anna, bert = person(), person()
    with bus.client().pubsub(ignore_subscribe_messages=True) as heard:  # type: ignore[no-untyped-call]
        heard.psubscribe("*person:*")
        heard.get_message(timeout=1)
        thread = written(bert, anna, "one", "two")
        with pytest.raises(RuntimeError), transaction.atomic():
            mark_read(anna, thread)
            raise RuntimeError
        mark_read(anna, thread)
        mark_read(anna, thread)
        written(bert, anna, "three")
        clear_thread(anna, thread)
        clear_thread(bert, thread)
        told = []
        while (message := heard.get_message(timeout=1)) is not None:
            told.append((message["channel"], json.loads(message["data"])))
    assert {channel for channel, _message in told} == {person_channel(anna.pk)}
    assert [message["messages"] for _channel, message in told] == [2, 0, 1, 0]
    moments = [message.pop("at") for _channel, message in told]
    assert moments == sorted(moments) and told[0][1] == {"type": "unread", "messages": 2}
