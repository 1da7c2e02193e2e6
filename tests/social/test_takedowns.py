"""Messages that moderators removed: both sides read that, nothing else changes, and they come back as they were."""

from __future__ import annotations

import json

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from ledger.models import Entry
from people.models import User
from social.actions.messages import deliver_messages, send_official, send_text
from social.actions.takedowns import put_back_message, take_down_message
from social.actions.threads import clear_thread
from social.models import Message, MessageTakedown, Thread
from social.queries import unread_of_many
from social.threads import inbox
from tests.support.messages import texts, written
from tests.support.people import api_client, person

pytestmark = pytest.mark.django_db(transaction=True)
REMOVED = "Message removed by moderators"


@pytest.fixture
def thread() -> Thread:
    return written(person("anna"), person("ben"), "Hello", "Rude words")


def both(thread: Thread) -> tuple[User, User]:
    return thread.low, User.objects.get(pk=int(thread.high_id or 0))


def test_both_sides_read_that_it_was_removed_and_later_what_it_said(thread: Thread) -> None:
    last, staff = Message.objects.latest("pk"), person("staff")
    before = Message.objects.filter(pk=last.pk).values().get()
    numbers = unread_of_many([user.pk for user in both(thread)])
    row = take_down_message(last.pk, staff)
    assert row is not None
    for user in both(thread):
        client = Client()
        client.force_login(user)
        other = next(one for one in both(thread) if one != user)
        for page in ("/messages/", f"/messages/{other.handle}/"):
            shown = client.get(page).content.decode()
            assert REMOVED in shown and "Rude" not in shown, page
        assert texts(user, thread) == ["Hello", REMOVED]
        found = api_client(user).get(f"/api/v1/me/threads/{thread.pk}/messages/").json()["messages"][-1]
        assert (found["kind"], found["text"]) == ("removed", REMOVED) and "Rude" not in json.dumps(found)
        assert inbox(user).threads[0].last.drawn.text == REMOVED
    assert unread_of_many([user.pk for user in both(thread)]) == numbers
    assert put_back_message(row, staff) and not put_back_message(row, staff)
    assert Message.objects.filter(pk=last.pk).values().get() == before
    acts = Entry.objects.filter(subject=f"message:{last.pk}", actor=staff.pk).order_by("seq")
    assert list(acts.values_list("kind", flat=True)) == ["message_taken_down", "message_put_back"]
    assert "Rude" not in str(list(acts.values()))


def test_two_decisions_are_lifted_one_by_one(thread: Thread) -> None:
    last = Message.objects.latest("pk")
    first, second = (take_down_message(last.pk, None, f"decision:{n}") for n in (1, 2))
    assert first is not None and second is not None
    assert take_down_message(last.pk, None, "decision:1") == first
    put_back_message(first, None)
    assert texts(thread.low, thread)[-1] == REMOVED
    put_back_message(second, None)
    assert texts(thread.low, thread)[-1] == "Rude words"


def test_one_that_is_on_its_way_arrives_removed(thread: Thread) -> None:
    anna, ben = both(thread)
    message = send_text(anna, ben, "Ruder words", once="a form")
    take_down_message(message.pk, None)
    deliver_messages([message.pk])
    assert texts(ben, thread)[-1] == REMOVED
    assert send_text(anna, ben, "Ruder words", once="a form") == message and texts(anna, thread)[-1] == REMOVED


def test_official_and_deleted_messages_are_left_alone(thread: Thread) -> None:
    anna, ben = both(thread)
    with transaction.atomic():
        (official,) = send_official([anna], "publication", {"room": 0, "by": 0, "at": "2026-01-01T00:00:00+00:00"})
    assert take_down_message(official.pk, None) is None and take_down_message(10**9, None) is None
    last = Message.objects.filter(sender__isnull=False).latest("pk")
    row = take_down_message(last.pk, None)
    assert row is not None
    clear_thread(anna, thread)
    clear_thread(ben, thread)
    assert not Message.objects.filter(pk=last.pk).exists() and not MessageTakedown.objects.exists()
    assert not put_back_message(row, None)


def test_a_lifted_takedown_is_final(thread: Thread) -> None:
    row = take_down_message(Message.objects.latest("pk").pk, None)
    assert row is not None and put_back_message(row, None)
    with pytest.raises(DatabaseError), transaction.atomic():
        MessageTakedown.objects.filter(pk=row.pk).update(lifted_at=None)
