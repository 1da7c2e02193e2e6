"""The page by which a message is reported: only what the reader received, once, with a receipt of their own."""

from __future__ import annotations

import pytest
from django.test import Client

from core.once import new_once
from moderation.models import Report
from people.models import User
from social.actions.blocks import block
from social.actions.messages import deliver_messages, send_text
from social.actions.threads import clear_thread
from social.models import Message
from tests.support.people import person

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def sent(sender: User, receiver: User, body: str, *, arrives: bool = True) -> Message:
    message = send_text(sender, receiver, body)
    if arrives:
        deliver_messages([message.pk])
    return message


def open_person(handle: str) -> User:
    return person(handle, messages_from="everyone")


def test_a_report_and_its_receipt() -> None:
    anna, bert = open_person("anna"), open_person("bert")
    message = sent(bert, anna, "Something <b>mean</b>")
    client, path = signed_in(anna), f"/messages/bert/{message.pk}/report/"
    page = client.get(path).content.decode()
    assert "Something &lt;b&gt;mean&lt;/b&gt;" in page and "is not told" in page
    form = {"category": "harassment", "words": "", "good_faith": "on", "once": new_once()}
    first, again = client.post(path, form), client.post(path, form)
    row = Report.objects.get()
    assert first["Location"] == again["Location"] == f"/reports/{row.receipt}/"
    assert (row.message, row.subject, row.reporter, row.category_id) == (message.pk, bert, anna, "harassment")
    assert str(row.receipt) in client.get(first["Location"]).content.decode()
    assert signed_in(bert).get(first["Location"]).status_code == 404
    clear_thread(anna, message.thread)
    assert client.get(path).status_code == 404, "it is deleted"
    assert client.get(first["Location"]).status_code == 200, "the receipt stays"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "Choose what happened."),
        ({"category": "boredom"}, "Choose what happened."),
        ({"category": "other"}, "Say in a few words what happened."),
        ({"category": "spam_or_fraud", "words": "x" * 2001}, "At most 2000 characters"),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_is_kept(values: dict[str, str], said: str) -> None:
    message = sent(open_person("bert"), anna := open_person("anna"), "Hello")
    answer = signed_in(anna).post(f"/messages/bert/{message.pk}/report/", values)
    page = answer.content.decode()
    assert answer.status_code == 400 and said in page and values.get("words", "") in page
    assert not Report.objects.exists()


def test_nothing_is_found_by_counting() -> None:
    """Another's message, one's own, one that has not arrived or never will: all are as none."""
    anna, bert, carl = open_person("anna"), open_person("bert"), open_person("carl")
    theirs, own = sent(bert, carl, "For Carl"), sent(anna, bert, "My own")
    waiting = sent(bert, anna, "On its way", arrives=False)
    arrived = sent(bert, anna, "Arrived")
    block(anna, carl)
    withheld = sent(carl, anna, "Nobody sees this")
    client = signed_in(anna)
    numbers = (theirs.pk, own.pk, waiting.pk, withheld.pk, 0, 2**63 - 1, 2**63, 10**30)
    paths = [f"/messages/{handle}/{number}/report/" for handle in ("bert", "carl") for number in numbers]
    for path in (*paths, f"/messages/carl/{arrived.pk}/report/", f"/messages/nobody-here/{arrived.pk}/report/"):
        for answer in (client.get(path), client.post(path, {"category": "hate", "good_faith": "on"})):
            assert answer.status_code == 404, path
    assert client.get(f"/messages/bert/{arrived.pk}/report/").status_code == 200
    assert not Report.objects.exists()


def test_who_is_blocked_or_gone_can_still_be_reported() -> None:
    anna, bert = open_person("anna"), open_person("bert")
    message = sent(bert, anna, "Something mean")
    block(anna, bert)
    User.objects.filter(pk=bert.pk).update(is_active=False)
    answer = signed_in(anna).post(f"/messages/bert/{message.pk}/report/", {"category": "violence", "good_faith": "on"})
    assert answer.status_code == 302 and Report.objects.get().subject == bert
    assert signed_in(anna).get(answer["Location"]).status_code == 200
