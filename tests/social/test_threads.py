"""Threads as each of their two people has them: order, pages, reading, deleting, races, and their end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from people.models import User
from people.refusals import PeopleRefused
from social.actions.blocks import block
from social.actions.messages import Outgoing, send_cards, send_official, send_text
from social.actions.sweep import sweep_messages
from social.actions.threads import clear_thread, mark_read
from social.hooks import DrawnMessage, official_texts
from social.models import Message, Thread, ThreadSide
from social.queries import unread_of_many
from social.threads import inbox, messages_of, own_thread, thread_with
from tests.support.messages import deliver, texts, written
from tests.support.people import person

pytestmark = pytest.mark.django_db


def unread(user: User) -> int:
    return unread_of_many([user.pk]).get(user.pk, 0)


@pytest.fixture
def notice(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an official text."""

    def cards(values: Any, reader: User) -> list[DrawnMessage]:
        return [DrawnMessage(text=f"{value['word']} for {reader.handle}") for value in values]

    monkeypatch.setattr(official_texts, "_registered", {"test": cards})
    return "test"


# --- as each side has them --------------------------------------------------------------------------------------------


def test_a_line_is_its_senders_at_once_and_the_receivers_when_it_is_delivered() -> None:
    anna, bert = person(messages_from="everyone"), person()
    thread = send_text(bert, anna, "Hello").thread
    assert texts(bert, thread) == ["Hello"] and inbox(bert).threads[0].last.own
    assert texts(anna, thread) == [] and inbox(anna).threads == [] and unread(anna) == 0
    with pytest.raises(PeopleRefused, match="unknown_thread"):
        own_thread(anna, thread.pk)
    assert thread_with(anna, bert) is None and thread_with(bert, anna) == thread
    assert deliver() == 1
    assert texts(anna, thread) == ["Hello"] and unread(anna) == 1 and unread(bert) == 0
    (row,) = inbox(anna).threads
    assert (row.other, row.unread, row.last.drawn.text, row.last.own) == (bert, 1, "Hello", False)


def test_deleting_is_for_oneself_until_both_did() -> None:
    anna, bert = person(), person()
    thread = written(bert, anna, "one", "two")
    assert clear_thread(anna, thread) == 2 and clear_thread(anna, thread) == 0
    assert unread(anna) == 0 and inbox(anna).threads == [] and texts(bert, thread) == ["one", "two"]
    with pytest.raises(PeopleRefused, match="unknown_thread"):
        own_thread(anna, thread.pk)
    written(bert, anna, "three")
    assert texts(anna, thread) == ["three"] and unread(anna) == 1, "what was deleted stays away"
    assert clear_thread(bert, thread) == 3
    assert list(Message.objects.values_list("body", flat=True)) == ["three"], "gone at once where both deleted"
    assert clear_thread(anna, thread) == 1 and not Message.objects.exists()


def test_what_came_after_the_page_was_read_is_neither_read_nor_deleted() -> None:
    anna, bert = person(), person()
    thread = written(bert, anna, "seen")
    last = messages_of(anna, thread).lines[-1].message.pk
    written(bert, anna, "not seen")
    assert mark_read(anna, thread, last) == 1 and unread(anna) == 1
    assert clear_thread(anna, thread, last) == 1
    assert texts(anna, thread) == ["not seen"] and unread(anna) == 1 and len(inbox(anna).threads) == 1
    assert mark_read(anna, thread) == 1 and mark_read(anna, thread) == 0 and unread(anna) == 0


def test_nobody_but_the_two_changes_or_reads_a_thread() -> None:
    anna, bert, carl = person(), person(), person()
    thread = written(bert, anna, "private")
    assert mark_read(carl, thread) == clear_thread(carl, thread) == mark_read(bert, thread) == 0
    assert unread(anna) == 1 and texts(carl, thread) == [] and inbox(carl).threads == []
    with pytest.raises(PeopleRefused, match="unknown_thread"):
        own_thread(carl, thread.pk)


def test_a_withheld_line_ends_with_its_sender() -> None:
    anna, bert = person(), person()
    block(anna, bert)
    thread = written(bert, anna, "are you there?")
    assert texts(bert, thread) == ["are you there?"] and texts(anna, thread) == []
    assert inbox(anna).threads == [] and unread(anna) == 0 and Message.objects.get().withheld
    assert clear_thread(bert, thread) == 1 and not Message.objects.exists()
    send_text(bert, anna, "again")
    clear_thread(bert, thread)
    assert Message.objects.count() == 1, "on its way, whatever its sender deletes"
    deliver()
    assert not Message.objects.exists()


def test_a_line_that_its_sender_deleted_on_the_way_arrives() -> None:
    anna, bert = person(messages_from="everyone"), person()
    thread = send_text(bert, anna, "Hello").thread
    clear_thread(bert, thread)
    deliver()
    assert texts(anna, thread) == ["Hello"] and texts(bert, thread) == []


def test_official_messages_pass_every_setting_have_no_answer_and_are_in_the_readers_words(notice: str) -> None:
    anna, bert = person("anna", messages_from="nobody"), person("bert")
    with transaction.atomic():
        first, _second = send_official([anna, bert], notice, {"word": "news"})
    deliver()
    assert texts(anna, first.thread) == ["news for anna"] and unread(anna) == unread(bert) == 1
    (row,) = inbox(anna).threads
    assert row.other is None and row.thread.high_id is None and not row.last.own
    with transaction.atomic():
        (again,) = send_official([anna], notice, {"word": "more"})
    assert again.thread_id == first.thread_id, "one thread of them for each person"
    clear_thread(anna, first.thread)
    assert Message.objects.filter(receiver=anna).count() == 1, "on its way"
    deliver()
    assert texts(anna, first.thread) == ["more for anna"] and clear_thread(anna, first.thread) == 1
    assert not Message.objects.filter(receiver=anna).exists(), "nobody else could see it"
    with pytest.raises(LookupError):
        send_official([anna], "unknown", {})


def test_a_kind_or_text_whose_app_was_taken_out_is_said_not_to_be_shown(
    notice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bert = person(), person()
    thread = written(bert, anna, "text")
    with transaction.atomic():
        send_cards(bert, "gone", [Outgoing(anna, {"room": 1})])
        (official,) = send_official([anna], notice, {"word": "x"})
    deliver()
    monkeypatch.setattr(official_texts, "_registered", {})
    assert texts(anna, thread) == ["text", "This message cannot be shown."]
    assert texts(anna, official.thread) == ["This message cannot be shown."]


# --- pages ------------------------------------------------------------------------------------------------------------


def test_an_inbox_is_read_in_pages_without_holes_also_where_moments_are_equal(notice: str) -> None:
    anna = person(messages_from="everyone")
    for number in range(7):
        send_text(person(), anna, f"line {number}")
    deliver()  # all at once: `last_at` is the same
    moments = set(ThreadSide.objects.filter(user=anna).values_list("last_at", flat=True))
    assert len(moments) == 1
    seen, before = [], None
    while True:
        page = inbox(anna, before, 3)
        seen += [row.thread.pk for row in page.threads]
        if not page.older:
            break
        before = page.older
    assert len(seen) == len(set(seen)) == 7
    written(person(), anna, "newest")
    assert inbox(anna, most=1).threads[0].last.drawn.text == "newest"
    for wrong in ("x", "1", "-1-2", "1-", "9" * 17 + "-1", "1-" + "9" * 19, "\u0661-\u0661"):
        with pytest.raises(PeopleRefused, match="bad_value"):
            inbox(anna, wrong)


def test_a_thread_is_read_in_pages_backwards() -> None:
    anna, bert = person(), person()
    thread = written(bert, anna, *map(str, range(7)))
    first = messages_of(anna, thread, most=3)
    assert [line.drawn.text for line in first.lines] == ["4", "5", "6"] and first.older is not None
    second = messages_of(anna, thread, first.older, 3)
    third = messages_of(anna, thread, second.older, 3)
    assert [line.drawn.text for line in (*third.lines, *second.lines)] == ["0", "1", "2", "3"] and third.older is None


def test_pages_cost_the_same_queries_however_much_is_on_them(notice: str) -> None:
    anna = person(messages_from="everyone")

    def cost() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as of_inbox:
            rows = inbox(anna).threads
        with CaptureQueriesContext(connection) as of_thread:
            messages_of(anna, rows[0].thread)
        return len(of_inbox), len(of_thread)

    thread = written(person(), anna)
    few = cost()
    for _number in range(12):
        written(person(), anna)
    other = thread.low if thread.high_id == anna.pk else thread.high
    assert other is not None
    written(other, anna, *map(str, range(10)))
    assert cost() == few and few[0] <= 4 and few[1] == 1


# --- the end ----------------------------------------------------------------------------------------------------------


def test_messages_go_after_their_days_and_empty_threads_with_them() -> None:
    anna, bert, carl = person(), person(), person()
    old, kept = written(bert, anna, "old"), written(carl, anna, "old", "young")
    over = timezone.now() - timedelta(days=settings.MESSAGES_DAYS, seconds=1)
    Message.objects.filter(body="old").update(sent_at=over)
    assert sweep_messages(timezone.now() - timedelta(minutes=1)) == (0, 0), "never early"
    assert sweep_messages(timezone.now()) == (2, 1)
    assert list(Thread.objects.all()) == [kept] and texts(anna, kept) == ["young"]
    assert unread(anna) == 1 and [row.thread for row in inbox(anna).threads] == [kept]
    assert inbox(bert).threads == [] and not ThreadSide.objects.filter(thread=old.pk).exists()
    Message.objects.filter(body="young").update(sent_at=over, sender_cleared=True)
    assert sweep_messages(timezone.now()) == (1, 1) and not ThreadSide.objects.exists()
    assert sweep_messages(timezone.now()) == (0, 0)


def test_an_old_line_beside_a_deleted_young_one_leaves_no_thread_without_lines() -> None:
    anna, bert = person(), person()
    thread = written(bert, anna, "old")
    Message.objects.update(sent_at=timezone.now() - timedelta(days=settings.MESSAGES_DAYS, seconds=1))
    written(bert, anna, "young")
    clear_thread(anna, thread, Message.objects.get(body="young").pk)
    written(anna, bert, "mine")
    clear_thread(anna, thread)
    sweep_messages(timezone.now())
    assert inbox(anna).threads == [] and texts(bert, thread) == ["young", "mine"]


def test_the_database_refuses_what_no_action_does() -> None:
    anna, bert = person(), person()
    low, high = sorted((anna, bert), key=lambda user: user.pk)
    for wrong in ({"low": high, "high": low}, {"low": low, "high": low}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Thread.objects.create(**wrong)
    thread = Thread.objects.create(low=low, high=high)
    good: dict[str, Any] = {"thread": thread, "sender": anna, "receiver": bert, "body": "x"}
    now = timezone.now()
    for change in (
        {"receiver": anna},
        {"body": ""},
        {"read": True},
        {"receiver_cleared": True, "read": True},
        {"delivered_at": now, "withheld": True},
        {"delivered_at": now, "receiver_cleared": True},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Message.objects.create(**{**good, **change})
    for _twice in range(2):
        Thread.objects.bulk_create([Thread(low=low), Thread(low=low, high=high)], ignore_conflicts=True)
    assert Thread.objects.count() == 2, "one of official messages, too"
