"""Pages of messages, without script: what is read, written, refused and kept; and what nobody else can reach."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.once import new_once
from people.models import User
from rooms.wire.official_texts import PUBLICATION
from social.actions.blocks import block
from social.actions.messages import deliver_messages, send_official, send_text
from social.models import Block, Follow, Message
from tests.support.people import person
from tests.support.privileges import superuser
from tests.support.rooms import open_room
from tests.support.ways_in import seen

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, f"{path}: {answer.status_code}"
    return str(answer.content.decode())


def header(client: Client, path: str = "/") -> str:
    """Words about messages in the header of a page."""
    (words,) = re.findall(r"data-unread-words>([^<]*)<", text(client, path))
    return str(words)


def friends() -> tuple[User, User]:
    """Two people who follow each other."""
    anna, bert = person("anna"), person("bert")
    Follow.objects.create(follower=anna, followed=bert)
    Follow.objects.create(follower=bert, followed=anna)
    return anna, bert


def say(sender: User, receiver: User, body: str) -> Message:
    """A line that has arrived."""
    message = send_text(sender, receiver, body)
    deliver_messages([message.pk])
    return message


def from_site(user: User) -> Message:
    """An official message that has arrived."""
    values = {"room": 1, "by": user.pk, "at": timezone.now().isoformat()}
    (message,) = send_official([user], PUBLICATION, values)
    deliver_messages([message.pk])
    return message


def test_a_line_is_written_seen_and_read() -> None:
    anna, bert = friends()
    here, there = signed_in(anna), signed_in(bert)
    assert "Nothing is written yet between you and <bdi>Bert</bdi>." in text(here, "/messages/bert/")
    assert "Nobody has written to you yet" in text(there, "/messages/")
    answer = here.post("/messages/bert/", {"body": "Hello <b>Bert</b>\nSee you", "once": new_once()})
    message = Message.objects.get()
    assert answer["Location"] == f"/messages/bert/#m{message.pk}"
    assert "Nobody has written" in text(there, "/messages/"), "not before it is delivered"
    assert header(there, "/") == "Messages"
    deliver_messages([message.pk])
    for path in ("/", "/settings/", "/messages/", "/messages/anna/"):
        assert header(there, path) == "Messages, 1 unread", "a look reads nothing"
    page = text(there, "/messages/")
    assert f'href="/messages/anna/#m{message.pk}"' in page and "Hello &lt;b&gt;Bert&lt;/b&gt; See you" in page
    page = text(there, "/messages/anna/")
    assert "Hello &lt;b&gt;Bert&lt;/b&gt;\nSee you</p>" in page and "Mark as read" in page
    assert "You:" not in page and "You:" in text(here, "/messages/bert/")
    assert there.post("/messages/anna/read/", {"upto": str(message.pk)})["Location"].startswith("/messages/anna/#m")
    assert header(there, "/") == "Messages" and "Mark as read" not in text(there, "/messages/anna/")


def test_what_came_after_the_page_is_not_read_with_it() -> None:
    anna, bert = friends()
    first = say(anna, bert, "First")
    say(anna, bert, "Second")
    client = signed_in(bert)
    client.post("/messages/anna/read/", {"upto": str(first.pk)})
    assert header(client, "/") == "Messages, 1 unread"
    client.post("/messages/anna/read/", {"upto": "-1"})
    assert header(client, "/") == "Messages", "no key of a message: all"


def test_the_same_form_twice_is_one_message() -> None:
    friends()
    client = signed_in(User.objects.get(handle="anna"))
    form = {"body": "Only once", "once": new_once()}
    assert client.post("/messages/bert/", form)["Location"] == client.post("/messages/bert/", form)["Location"]
    assert Message.objects.count() == 1
    client.post("/messages/bert/", {**form, "body": "A page from before, another text"})
    assert Message.objects.count() == 2


@pytest.mark.parametrize("body", ["", " \n ", "x" * 2001, "\u202e turned"])
def test_a_refused_text_is_kept(body: str) -> None:
    friends()
    answer = signed_in(User.objects.get(handle="anna")).post("/messages/bert/", {"body": body})
    page = answer.content.decode()
    assert answer.status_code == 400 and not Message.objects.exists()
    assert re.search(r'id="id_body_error"[^>]*><span>', page) and 'aria-invalid="true"' in page
    assert body in page


def test_who_cannot_be_reached() -> None:
    anna, bert = person("anna"), person("bert")
    client = signed_in(anna)
    refused = "This person cannot be reached by message."
    page = text(client, "/messages/bert/")
    assert refused in page and "<textarea" not in page
    answer = client.post("/messages/bert/", {"body": "A long letter"})
    assert answer.status_code == 403
    assert refused in answer.content.decode() and "A long letter</textarea>" in answer.content.decode()
    User.objects.filter(pk=bert.pk).update(messages_from="everyone")
    assert "<textarea" in text(client, "/messages/bert/")
    for path in ("/messages/anna/", "/messages/nobody-here/"):
        assert text(client, path, 404)
        assert client.post(path, {"body": "x"}).status_code == 404
    User.objects.filter(pk=bert.pk).update(is_active=False)
    assert text(client, "/messages/bert/", 404), "a closed account with which there is no thread is as none"


def test_a_conversation_outlives_the_account() -> None:
    anna, bert = friends()
    say(bert, anna, "Farewell")
    User.objects.filter(pk=bert.pk).update(is_active=False)
    page = text(signed_in(anna), "/messages/bert/")
    assert "Farewell" in page and "cannot be reached" in page and 'href="/people/bert/"' not in page
    assert "Farewell" in text(signed_in(anna), "/messages/")


def test_whoever_was_signed_out_gets_the_text_back() -> None:
    anna, _bert = friends()
    client = signed_in(anna)
    mark = re.search(r'name="form_owner" value="([^"]+)"', text(client, "/messages/bert/"))
    assert mark is not None
    answer = Client().post("/messages/bert/", {"body": "Half a page <i>of</i> words", "form_owner": mark[1]})
    assert answer["Location"] == "/accounts/login/?next=/messages/bert/" and not Message.objects.exists()
    assert "Half a page &lt;i&gt;of&lt;/i&gt; words</textarea>" in text(client, "/messages/bert/")
    assert "Half a page" not in text(client, "/messages/bert/"), "once"


def test_rights_and_bad_addresses() -> None:
    anna, bert = friends()
    message = say(bert, anna, "Hello")
    pages = ("/messages/", "/messages/bert/", "/messages/official/", "/messages/bert/delete/")
    for path in (*pages, f"/messages/bert/{message.pk}/report/"):
        assert Client().get(path)["Location"].startswith("/accounts/login/?next="), path
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(anna)
    posts = ("/messages/bert/", "/messages/bert/read/", "/messages/bert/delete/", "/messages/official/read/")
    for path in (*posts, "/settings/messages/", f"/messages/bert/{message.pk}/report/"):
        assert strict.post(path, {"body": "x", "upto": "1"}).status_code == 403, path
    client = signed_in(anna)
    assert client.get("/messages/bert/read/")["Location"] == "/messages/bert/"
    assert client.get("/messages/BERT/")["Location"] == "/messages/bert/"
    for query in ("x", "-1", "1e3", "9" * 19, "9" * 30, "\u0663"):
        assert client.get("/messages/bert/", {"before": query}).status_code == 404, query
        assert client.get("/messages/", {"before": query}).status_code == 404, query
    assert client.get("/messages/", {"before": "9" * 30 + "-1"}).status_code == 404
    assert client.post("/messages/bert/read/", {"upto": "9" * 25}).status_code == 302


def test_a_blocked_sender_notices_nothing() -> None:
    """The same message sent before and after the block: every answer and page is the same."""
    anna, bert = friends()
    say(bert, anna, "Hello")
    client = signed_in(anna)
    random = rb'name="(?:once|form_owner)" value="[^"]*"|<time .*?</time>|#m\d+|id="m\d+"|value="\d+"'

    def look() -> list[object]:
        sent = client.post("/messages/bert/", {"body": "Same words"})
        message = Message.objects.get(body="Same words")
        deliver_messages([message.pk])
        key = str(message.pk)
        told: list[object] = [sent.status_code, sent["Location"].replace(key, "KEY")]
        for path in ("/messages/", "/messages/bert/", "/messages/bert/delete/", "/"):
            status, headers, cookies, content = seen(client.get(path))
            headers.pop("Content-Length")  # keys have more digits later
            assert path == "/" or b"Same words" in content or b"Delete" in content
            told.append((path, status, headers, cookies, re.sub(random, b"", content)))
        message.delete()
        return told

    before = look()
    block(bert, anna)
    for was, now in zip(before, look(), strict=True):
        assert now == was
    hidden = send_text(anna, bert, "Never seen")
    deliver_messages([hidden.pk])
    reader = signed_in(bert)
    assert "Never seen" not in text(reader, "/messages/anna/") and "Never seen" not in text(reader, "/messages/")
    assert header(reader, "/") == "Messages"


def test_a_block_of_ones_own_is_said_and_undone() -> None:
    anna, bert = friends()
    message = say(bert, anna, "Hello")
    client = signed_in(anna)
    page = text(client, "/messages/bert/")
    assert page.count('href="/people/bert/block/?next=/messages/bert/"') == 2, "in both menus"
    page = text(client, "/people/bert/block/?next=/messages/bert/")
    assert 'name="next" value="/messages/bert/"' in page
    answer = client.post("/people/bert/block/", {"next": "/messages/bert/"})
    assert answer["Location"] == "/messages/bert/" and Block.objects.exists()
    page = text(client, "/messages/bert/")
    assert "You blocked <bdi>Bert</bdi>" in page and "<textarea" not in page and "Hello" in page
    assert f'href="/messages/bert/{message.pk}/report/"' in page, "what was written can still be reported"
    answer = client.post("/messages/bert/", {"body": "Too late"})
    assert answer.status_code == 409 and "Too late</textarea>" in answer.content.decode()
    assert client.post("/people/bert/unblock/", {"next": "/messages/bert/"})["Location"] == "/messages/bert/"
    assert "<textarea" in text(client, "/messages/bert/")
    away = client.post("/people/bert/block/", {"next": "https://evil.example/"})["Location"]
    assert away == "/people/bert/"


def test_older_messages_and_days_of_the_readers_zone() -> None:
    anna, bert = friends()
    User.objects.filter(pk=anna.pk).update(time_zone="Asia/Tokyo")
    message = say(bert, anna, "Number 0.")
    rows = [
        Message(thread=message.thread, sender=bert, receiver=anna, body=f"Number {number}.") for number in range(1, 55)
    ]
    Message.objects.bulk_create(rows)
    Message.objects.update(delivered_at=timezone.now(), sent_at=datetime(2026, 3, 1, 14, 59, tzinfo=UTC))
    late = Message.objects.get(body="Number 54.")
    Message.objects.filter(pk=late.pk).update(sent_at=datetime(2026, 3, 1, 15, 1, tzinfo=UTC))
    client = signed_in(anna)
    page = text(client, "/messages/bert/")
    assert 'id="day-2026-03-01"' in page and 'id="day-2026-03-02"' in page, "midnight in Tokyo"
    assert "Sunday 1 March 2026" in page and "Number 4." not in page and "Number 5." in page
    (older,) = re.findall(r'href="(\?before=\d+)"', page)
    page = text(client, f"/messages/bert/{older}")
    assert "Number 4." in page and "Number 5." not in page and "Newest messages" in page
    assert "Mark as read" not in page, "an earlier page does not mark what it does not show"


def test_keys_of_messages_are_no_numbers_for_readers() -> None:
    """However many messages there were: 1,234,568 with commas is an address and a form that lead nowhere."""
    with superuser() as connected:
        connected.execute("SELECT setval(pg_get_serial_sequence('social_message', 'id'), 1234567)")
    anna, bert = friends()
    pk = say(bert, anna, "Hello").pk
    assert pk > 1_234_567
    client = signed_in(anna)
    assert f'href="/messages/bert/#m{pk}"' in text(client, "/messages/")
    page = text(client, "/messages/bert/")
    assert f'id="m{pk}"' in page and f'value="{pk}"' in page
    assert f'name="upto" value="{pk}"' in text(client, "/messages/bert/delete/")


def test_deleting_is_ones_own_and_asks_first() -> None:
    anna, bert = friends()
    say(bert, anna, "Hello")
    client = signed_in(anna)
    page = text(client, "/messages/bert/delete/")
    assert "Delete this conversation?" in page and "Hello" in text(client, "/messages/bert/"), "a look deletes nothing"
    (upto,) = re.findall(r'name="upto" value="(\d+)"', page)
    say(bert, anna, "Arrived meanwhile")
    assert client.post("/messages/bert/delete/", {"upto": upto})["Location"] == "/messages/"
    page = text(client, "/messages/bert/")
    assert "Hello" not in page and "Arrived meanwhile" in page
    assert "Hello" in text(signed_in(bert), "/messages/anna/"), "theirs is theirs"
    client.post("/messages/bert/delete/")
    assert "Nobody has written to you yet" in text(client, "/messages/")
    assert client.get("/messages/bert/delete/")["Location"] == "/messages/"


def test_what_became_of_it_is_said_in_the_language_of_the_account() -> None:
    """A notice is put into words as the answer to the form leaves, whatever language the browser asks for."""
    anna, bert = friends()
    say(bert, anna, "Hello")
    User.objects.filter(pk=anna.pk).update(language="nl")
    client = signed_in(anna)
    client.post("/messages/bert/delete/", headers={"accept-language": "en"})
    assert "Het gesprek is uit je berichten verwijderd." in text(client, "/messages/")


def test_official_messages_have_no_sender_and_no_answer() -> None:
    anna, official = person("anna"), person("official", messages_from="everyone")
    client = signed_in(anna)
    assert f"{settings.SITE_NAME} has not written to you." in text(client, "/messages/official/")
    message = from_site(anna)
    page = text(client, "/messages/")
    assert "Official message" in page and f'href="/messages/official/#m{message.pk}"' in page
    page = text(client, "/messages/official/")
    assert "The room is gone." in page and "<textarea" not in page and "/report/" not in page
    assert client.post("/messages/official/", {"body": "Hello?"}).status_code == 405
    for path in (f"/messages/@official/{message.pk}/report/", f"/messages/anna/{message.pk}/report/"):
        assert text(client, path, 404)
    # Somebody whose handle reads like it has a thread of their own.
    assert 'href="/messages/@official/#id_body"' in text(client, "/people/official/")
    answer = client.post("/messages/@official/", {"body": "You are a person?"})
    assert answer["Location"].startswith("/messages/@official/#m")
    assert "You are a person?" in text(client, "/messages/@official/")
    assert "You are a person?" not in text(client, "/messages/official/")
    client.post("/messages/official/read/", {"upto": str(message.pk)})
    assert header(client, "/") == "Messages"
    assert client.post("/messages/official/delete/")["Location"] == "/messages/"
    assert "The room is gone." not in text(client, "/messages/official/")
    assert official.sent_messages.count() == 0


def test_a_card_is_drawn_by_its_own_template() -> None:
    room = open_room(title="Cards & talk")
    anna = person("anna")
    values = {"room": room.pk, "by": room.host_id, "at": timezone.now().isoformat()}
    (message,) = send_official([anna], PUBLICATION, values)
    deliver_messages([message.pk])
    page = text(signed_in(anna), "/messages/official/")
    assert f'href="{room.get_absolute_url()}replay/#who-hears"' in page and "Cards &amp; talk" in page
    assert f'id="m{message.pk}" tabindex="-1" data-card' in page


def test_the_inbox_goes_on() -> None:
    anna = person("anna", messages_from="everyone")
    for number in range(32):
        say(person(f"writer{number}"), anna, f"From {number}.")
    client = signed_in(anna)
    page = text(client, "/messages/")
    assert "From 31." in page and "From 2." in page and "From 1." not in page
    (older,) = re.findall(r'href="(\?before=[^"]+)"', page)
    page = text(client, f"/messages/{older}")
    assert "From 1." in page and "From 0." in page and "From 2." not in page
    assert "Newest conversations" in page and header(client) == "Messages, 32 unread"


def test_the_number_costs_one_query_and_nothing_signed_out() -> None:
    anna, bert = friends()
    for _number in range(3):
        say(bert, anna, "Hello")
    for client, most in ((signed_in(anna), 1), (Client(), 0)):
        with CaptureQueriesContext(connection) as asked:
            text(client, "/rules/")
        counted = [one["sql"] for one in asked if "social_message" in str(one["sql"])]
        assert len(counted) == most, counted


def test_settings_of_messages() -> None:
    anna = person("anna")
    client = signed_in(anna)
    page = text(client, "/settings/")
    assert "Who may write to you?" in page and "Invitations also by e-mail" in page
    assert client.get("/settings/messages/")["Location"] == "/settings/"
    answer = client.post("/settings/messages/", {"messages_from": "nobody", "invitations_by_mail": "on"})
    assert answer["Location"] == "/settings/"
    anna.refresh_from_db()
    assert (anna.messages_from, anna.invitations_by_mail) == ("nobody", True)
    answer = client.post("/settings/messages/", {"messages_from": "the world"})
    assert answer.status_code == 400
    anna.refresh_from_db()
    assert (anna.messages_from, anna.invitations_by_mail) == ("nobody", True)
    client.post("/settings/messages/", {"messages_from": "known"})
    anna.refresh_from_db()
    assert (anna.messages_from, anna.invitations_by_mail) == ("known", False)
