"""Sending and delivering messages: limits, repeats, lost tasks; and that a block shows nowhere to whom it is about."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import bus
from people.actions.standing import close_account, impose_sanction
from people.channels import person_channel
from people.models import User
from people.refusals import PeopleRefused
from social.actions import messages
from social.actions.blocks import block
from social.actions.follows import follow
from social.actions.messages import FIRST_MESSAGES, LATE, MESSAGES, deliver_left, deliver_messages, send_text
from social.actions.threads import clear_thread
from social.models import Message, Thread
from social.queries import unread_of_many
from tests.support.messages import deliver, texts, written
from tests.support.people import api_client, person
from tests.support.races import at_once

pytestmark = pytest.mark.django_db


def refused(sender: User, receiver: User, body: str = "Hello") -> str:
    with pytest.raises(PeopleRefused) as caught:
        send_text(sender, receiver, body)
    return caught.value.code


# --- sending -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "code"), [("", "bad_value"), (" \n ", "bad_value"), ("x" * 2001, "bad_value")])
def test_a_line_is_a_text_as_any_other(body: str, code: str) -> None:
    assert refused(person(), person(messages_from="everyone"), body) == code
    assert not Thread.objects.exists()


def test_closed_and_suspended_accounts_write_to_nobody() -> None:
    anna, bert = person(messages_from="everyone"), person()
    impose_sanction(bert, "suspended", None, "because")
    assert refused(bert, anna) == "account_suspended"
    gone = person()
    close_account(gone, None, "")
    assert refused(gone, anna) == "account_closed" and refused(anna, gone) == "cannot_be_reached"
    assert not Message.objects.exists()


def test_a_line_sent_before_a_suspension_or_to_an_account_that_closed_meanwhile_arrives_once() -> None:
    anna, bert = person(messages_from="everyone"), person()
    thread = send_text(bert, anna, "before").thread
    impose_sanction(bert, "suspended", None, "because")
    close_account(anna, None, "")
    assert deliver() == 1 and deliver() == 0
    assert texts(anna, thread) == ["before"]


@pytest.mark.django_db(transaction=True)
def test_the_same_form_is_one_line_also_at_once_and_the_mark_is_the_senders_and_the_receivers_own() -> None:
    anna, bert, carl = (person(messages_from="everyone") for _number in range(3))
    assert at_once(*[lambda: send_text(bert, anna, "Hello", once="form")] * 4) == ["ok"] * 4
    assert send_text(bert, carl, "Hello", once="form").receiver_id == carl.pk
    assert send_text(carl, anna, "Hello", once="form").sender_id == carl.pk
    assert Message.objects.count() == 3 and "form" not in str(list(Message.objects.values_list("once")))


def test_too_many_lines_and_too_many_strangers_are_slowed_down() -> None:
    began = time.monotonic()
    anna, bert = person(messages_from="everyone"), person()
    strangers = [person(messages_from="everyone") for _number in range(FIRST_MESSAGES.burst + 1)]
    for stranger in strangers[:-1]:
        send_text(bert, stranger, "Buy this")
    assert refused(bert, strangers[-1]) == "too_fast"
    send_text(bert, strangers[0], "Buy more")
    written(anna, bert, "What do you sell?")
    send_text(bert, anna, "To who wrote first I may answer")
    with pytest.raises(PeopleRefused, match="too_fast") as slowed:
        for _number in range(MESSAGES.burst):
            send_text(bert, anna, "again and again")
    assert slowed.value.wait > 0
    most = MESSAGES.burst + (time.monotonic() - began) * MESSAGES.per_minute / 60
    assert Message.objects.filter(sender=bert).count() <= most - 1, "tries count"


@pytest.mark.parametrize("blocked", [True, False])
def test_deleting_makes_no_room_for_more_strangers_blocked_or_not(
    blocked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bert = person(), person()
    if blocked:
        block(anna, bert)
    taken = []
    monkeypatch.setattr(type(FIRST_MESSAGES), "check", lambda limit, key: taken.append(limit.name))
    for _number in range(2):
        clear_thread(bert, written(bert, anna, "one", "two"))
    assert taken.count(FIRST_MESSAGES.name) == 2


# --- delivering --------------------------------------------------------------------------------------------------


def test_what_a_lost_task_left_is_delivered_later_and_one_batch_that_fails_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    anna, bert = person(messages_from="everyone"), person()
    first, second = send_text(bert, anna, "one"), send_text(bert, anna, "two")
    now = timezone.now()
    assert deliver_left(now) == 0, "its own task may still come"
    monkeypatch.setattr(messages, "BATCH", 1)
    late = now + LATE + timedelta(seconds=1)

    def fail_first(pks: list[int]) -> int:
        if first.pk in pks:
            raise RuntimeError
        return deliver_messages(pks)

    with monkeypatch.context() as patch:
        patch.setattr(messages, "deliver_messages", fail_first)
        assert deliver_left(late) == 1
    assert texts(anna, second.thread) == ["two"]
    assert deliver_left(late) == 1 and deliver_left(late) == 0
    assert texts(anna, second.thread) == ["one", "two"] and unread_of_many([anna.pk]) == {anna.pk: 2}


@pytest.mark.django_db(transaction=True)
def test_each_is_delivered_once_by_racing_tasks_and_a_rollback_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    queued: list[list[int]] = []
    monkeypatch.setattr("social.tasks.deliver.delay", queued.append)
    anna, bert = person(messages_from="everyone"), person()
    assert refused(bert, person(messages_from="nobody")) == "cannot_be_reached"
    pks = [send_text(bert, anna, "Hello").pk for _number in range(3)]
    assert queued == [[pk] for pk in pks]
    assert at_once(*[lambda: deliver_messages(pks)] * 4) == ["ok"] * 4
    assert unread_of_many([anna.pk]) == {anna.pk: 3} and deliver_messages(pks) == 0


# --- a block ------------------------------------------------------------------------------------------------------


def same(text: str) -> str:
    """An answer or a statement without its numbers, moments and names of people."""
    text = re.sub(r"#[0-9a-f]{6}|[\w-]{40,}", "X", text)  # colours of people, digests
    text = re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.]+(Z|\+00:00)?", "T", text)
    return re.sub(r"\d+", "0", re.sub(r"\b(blocker|other)[a-z0-9]*", "NAME", text, flags=re.IGNORECASE))


class Seen:
    """Everything that one sender can see of a conversation with one person: answers, statements, in order."""

    def __init__(self, client: Client, handle: str) -> None:
        self.client, self.handle = client, handle
        self.answers: list[tuple[int, str]] = []
        self.statements: list[list[str]] = []

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        with CaptureQueriesContext(connection) as captured:
            answer = (
                getattr(self.client, method)(f"/api/v1/{path}", body, "application/json")
                if body is not None
                else (getattr(self.client, method)(f"/api/v1/{path}"))
            )
        # Those that are written once (`core.written`) are one text for everybody, and not shown once they are prepared.
        texts = [query["sql"] for query in captured if query["sql"] and "creator_now" not in query["sql"]]
        self.statements.append([str(len(captured)), *map(same, texts)])
        self.answers.append((answer.status_code, same(answer.content.decode())))
        return answer.json() if answer.content else None

    def story(self) -> None:
        """Write, write again, read, delete, write once more, with deliveries between."""
        sent = self.ask("post", f"people/{self.handle}/messages/", {"body": "Hello", "once": "1"})
        self.look(sent["thread"])
        deliver()
        self.look(sent["thread"])
        self.ask("post", f"people/{self.handle}/messages/", {"body": "Hello", "once": "1"})
        self.ask("post", f"people/{self.handle}/messages/", {"body": "Are you there?"})
        deliver()
        self.look(sent["thread"])
        self.ask("post", f"me/threads/{sent['thread']}/messages/{sent['id']}/report/", {"category": "hate"})
        self.ask("delete", f"me/threads/{sent['thread']}/")
        self.look(sent["thread"])
        self.ask("post", f"people/{self.handle}/messages/", {"body": "Hello again"})
        deliver()
        self.look(sent["thread"])
        self.ask("get", f"people/{self.handle}/")

    def look(self, thread: int) -> None:
        self.ask("get", "me/threads/")
        self.ask("get", f"me/threads/{thread}/messages/")
        self.ask("post", f"me/threads/{thread}/read/", {})
        self.ask("get", "me/")


@pytest.mark.parametrize("setting", User.MessagesFrom.values)
def test_a_blocked_sender_gets_the_same_answers_by_the_same_statements(setting: str) -> None:
    blocker, other = person("blocker", messages_from=setting), person("other", messages_from=setting)
    seen = []
    for receiver, sender in ((blocker, person("sender1")), (other, person("sender2"))):
        follow(receiver, sender)
        if receiver == blocker:
            block(receiver, sender)
        story = Seen(api_client(sender), receiver.handle)
        if setting == "nobody":
            story.ask("post", f"people/{receiver.handle}/messages/", {"body": "Hello"})
            story.ask("get", "me/threads/")
        else:
            story.story()
        seen.append(story)
    assert seen[0].answers == seen[1].answers and seen[0].statements == seen[1].statements
    assert seen[0].answers[0][0] == (403 if setting == "nobody" else 201)
    assert set(Message.objects.filter(receiver=blocker).values_list("withheld", flat=True)) <= {True}
    assert not Message.objects.filter(receiver=other, withheld=True).exists()
    assert not any("withheld" in text or "deliver" in text for _status, text in seen[0].answers)


@pytest.mark.django_db(transaction=True)
def test_nothing_of_a_withheld_line_is_on_any_channel_or_in_the_blockers_pages() -> None:
    anna, bert = person("anna"), person("bert")
    annas = api_client(anna)
    thread = written(bert, anna, "before")
    block(anna, bert)
    before = annas.get("/api/v1/me/threads/").json()
    lines = annas.get(f"/api/v1/me/threads/{thread.pk}/messages/").json()
    with bus.client().pubsub(ignore_subscribe_messages=True) as heard:  # type: ignore[no-untyped-call]
        heard.psubscribe("*")
        heard.get_message(timeout=1)
        send_text(bert, anna, "quixotryzebra")
        deliver()
        message = heard.get_message(timeout=1)
        assert message is None or "unread" not in message["data"]
    assert annas.get("/api/v1/me/threads/").json() == before and before["threads"][0]["unread"] == 1
    assert annas.get(f"/api/v1/me/threads/{thread.pk}/messages/").json() == lines
    assert texts(bert, thread) == ["before", "quixotryzebra"], "existing threads stay as they are for both"


# --- for programs ----------------------------------------------------------------------------------------------------


def answer(client: Client, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    options = {} if body is None else {"data": body, "content_type": "application/json"}
    found = getattr(client, method)(f"/api/v1/{path}", **options)
    return found.status_code, found.json()


def code(client: Client, method: str, path: str, body: Any = None) -> str:
    return str(answer(client, method, path, body)[1]["error"]["code"])


def test_a_conversation_by_program() -> None:
    anna, bert = person("anna", messages_from="everyone"), person("bert", messages_from="everyone")
    annas, berts = api_client(anna), api_client(bert)
    status, sent = answer(berts, "post", "people/anna/messages/", {"body": "Hello", "once": "a"})
    assert status == 201 and sent["own"] is True and sent["kind"] == "text" and sent["text"] == "Hello"
    assert answer(berts, "post", "people/anna/messages/", {"body": "Hello", "once": "a"})[1]["id"] == sent["id"]
    here = f"me/threads/{sent['thread']}/"
    assert code(annas, "get", f"{here}messages/") == "unknown_thread", "not before it is delivered"
    deliver()
    _status, mine = answer(annas, "get", "me/threads/")
    (row,) = mine["threads"]
    assert (row["id"], row["unread"], row["last"]["text"], mine["older"]) == (sent["thread"], 1, "Hello", "")
    assert row["person"] == {"handle": "bert", "name": "Bert", "picture": "", "colour": bert.colour}
    _status, page = answer(annas, "get", f"{here}messages/")
    assert [line["own"] for line in page["messages"]] == [False] and page["older"] is None
    assert answer(annas, "get", f"{here}messages/?before={sent['id']}")[1]["messages"] == []
    assert answer(annas, "post", f"{here}read/", {"upto": sent["id"] - 1}) == (200, {"unread": 1})
    assert answer(annas, "post", f"{here}read/", {}) == (200, {"unread": 0})
    assert answer(annas, "delete", here) == (200, {"unread": 0})
    assert code(annas, "delete", here) == "unknown_thread" and answer(berts, "get", here + "messages/")[0] == 200
    assert [code(annas, "get", f"{here}messages/?before={wrong}") for wrong in ("x", "-1", str(2**63))]
    assert code(annas, "post", "people/bert/messages/", {"body": "x", "once": {}}) == "bad_value"


def test_counting_addresses_up_shows_nothing_to_anybody_else() -> None:
    anna, bert, carl = person("anna"), person("bert"), person("carl")
    thread = written(bert, anna, "private")
    pk = Message.objects.get().pk
    absent = thread.pk + 1000
    for client in (api_client(carl), Client()):
        for method, path, body in (
            ("get", "me/threads/{}/messages/", None),
            ("post", "me/threads/{}/read/", {}),
            ("delete", "me/threads/{}/", None),
            ("post", f"me/threads/{{}}/messages/{pk}/report/", {"category": "hate"}),
        ):
            there = answer(client, method, path.format(thread.pk), body)
            assert there == answer(client, method, path.format(absent), body), path
            assert there[0] in (401, 404)
    assert answer(api_client(carl), "get", "me/threads/") == (200, {"threads": [], "older": ""})
    for number in (0, 2**63, 2**70):
        assert code(api_client(anna), "get", f"me/threads/{number}/messages/") == "unknown_thread"


def test_closed_accounts_are_found_only_by_whom_they_wrote_with() -> None:
    anna, bert, gone = person("anna"), person("bert"), person("gone", messages_from="everyone")
    written(anna, gone, "Hello")
    close_account(gone, None, "")
    assert code(api_client(anna), "post", "people/gone/messages/", {"body": "x"}) == "cannot_be_reached"
    assert code(api_client(bert), "post", "people/gone/messages/", {"body": "x"}) == "unknown_person"
    assert code(api_client(bert), "post", "people/bert/messages/", {"body": "x"}) == "not_write_oneself"


def test_settings_are_changed_as_the_rest_of_the_account() -> None:
    client = api_client(person("anna"))
    _status, me = answer(client, "get", "me/")
    known = {name: me[name] for name in ("messages_from", "invitations_by_mail", "listens_unseen", "uses_keys")}
    assert known == {
        "messages_from": "known",
        "invitations_by_mail": False,
        "listens_unseen": False,
        "uses_keys": True,
    }
    wanted = {"messages_from": "nobody", "invitations_by_mail": True, "listens_unseen": True, "uses_keys": False}
    assert {name: answer(client, "patch", "me/", wanted)[1][name] for name in wanted} == wanted
    assert code(client, "patch", "me/", {"messages_from": "strangers"}) == "bad_value"
    assert User.objects.get(handle="anna").messages_from == "nobody"


@pytest.mark.django_db(transaction=True)
def test_the_number_that_a_person_is_told_is_on_their_channel_alone() -> None:
    anna, bert = person(), person()
    with bus.client().pubsub(ignore_subscribe_messages=True) as heard:  # type: ignore[no-untyped-call]
        heard.psubscribe("*")
        heard.get_message(timeout=1)
        written(bert, anna, "quixotryzebra")
        told = []
        while (message := heard.get_message(timeout=1)) is not None:
            told.append((message["channel"], message["data"]))
    assert [channel for channel, data in told if "unread" in data] == [person_channel(anna.pk)]
    assert not any("quixotryzebra" in data for _channel, data in told)
    assert json.loads(told[-1][1])["messages"] == 1
