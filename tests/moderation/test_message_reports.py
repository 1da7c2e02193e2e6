"""Reports of messages: what is copied, who may, and who sees it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from core import bus
from ledger.models import Entry, Text
from ledger.verify import verify
from moderation.actions.erasing import erase_words
from moderation.models import Report, ReportedMessage
from moderation.refusals import ModerationRefused
from people.actions.standing import close_account, impose_sanction
from people.models import User
from social.actions.blocks import block
from social.actions.messages import send_official
from social.actions.sweep import sweep_messages
from social.actions.threads import clear_thread
from social.hooks import DrawnMessage, official_texts
from social.models import Message, Thread
from tests.support.invitations import invited
from tests.support.messages import deliver, written
from tests.support.people import api_client, person
from tests.support.races import at_once
from tests.support.reports import closed, message_report
from tests.support.rooms import open_room

pytestmark = pytest.mark.django_db


def line(body: str) -> Message:
    return Message.objects.get(body=body)


def refused(reporter: User, message: Message, **values: Any) -> str:
    with pytest.raises(ModerationRefused) as caught:
        message_report(reporter, message, **values)
    return caught.value.code


def copies(report: Report) -> list[str]:
    return list(report.copies.values_list("line", flat=True))


def test_the_message_and_five_on_each_side_are_copied_as_the_reporter_sees_them() -> None:
    anna, bert = person(), person()
    thread = written(bert, anna, *[f"b{number:02}" for number in range(9)])
    written(anna, bert, "answer")
    written(bert, anna, *[f"c{number:02}" for number in range(9)])
    clear_thread(anna, thread, line("b05").pk)  # b06, b07, b08 are left before the answer
    row = message_report(anna, line("c00"), category="harassment", words="They go on")
    assert copies(row) == ["b06", "b07", "b08", "answer", "c00", "c01", "c02", "c03", "c04", "c05"]
    assert [copy.line for copy in row.copies.filter(reported=True)] == ["c00"]
    assert set(row.copies.filter(sender=anna).values_list("line", flat=True)) == {"answer"}
    assert (row.subject, row.reporter, row.message) == (bert, anna, line("c00").pk)
    assert copies(message_report(anna, line("c08"), category="hate"))[0] == "c03", "five before"
    entry = Entry.objects.get(subject=f"report:{row.pk}")
    assert entry.kind == "report_received" and entry.data["copies"] == 10 and entry.data["subject"] == bert.pk
    assert set(entry.commitments) == {"words", *(f"message_{place}" for place in range(10))}
    assert "b06" not in str(entry.data) and verify().ok


def test_only_what_one_was_sent_and_sees_is_reported() -> None:
    anna, bert, carl = person(), person(), person()
    thread = written(bert, anna, "received", "deleted")
    written(anna, bert, "own")
    assert refused(anna, line("own")) == "not_report_oneself"
    assert refused(carl, line("received")) == "unknown_message"
    clear_thread(anna, thread, line("deleted").pk)
    assert refused(anna, line("deleted")) == "unknown_message"
    block(anna, bert)
    written(bert, anna, "withheld")
    assert refused(anna, line("withheld")) == "unknown_message"
    assert refused(anna, line("own"), category="nonsense") == "bad_value"
    assert refused(anna, line("own"), category="other") == "bad_value", "needs words"
    assert not Report.objects.exists() and not ReportedMessage.objects.exists()


def test_blocked_and_closed_senders_are_reported_and_the_site_itself_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    anna, bert = person(), person()
    written(bert, anna, "threat")
    block(anna, bert)
    close_account(bert, None, "")
    assert message_report(anna, line("threat"), category="violence").subject == bert
    monkeypatch.setattr(
        official_texts, "_registered", {"test": lambda values, reader: [DrawnMessage("x")] * len(values)}
    )
    with transaction.atomic():
        (official,) = send_official([anna], "test", {})
    deliver()
    assert refused(anna, official) == "not_allowed"
    impose_sanction(anna, "suspended", None, "because")
    assert refused(anna, line("threat")) == "account_suspended"


def test_copies_stay_when_both_delete_and_when_the_days_are_over() -> None:
    anna, bert = person(), person()
    thread = written(bert, anna, "threat", "and more")
    row = message_report(anna, line("threat"), category="violence")
    for user in (anna, bert):
        clear_thread(user, thread)
    assert not Message.objects.exists() and copies(row) == ["threat", "and more"]
    thread = written(bert, anna, "old")
    row = message_report(anna, line("old"), category="violence")
    Message.objects.update(sent_at=timezone.now() - timedelta(days=settings.MESSAGES_DAYS + 1))
    sweep_messages(timezone.now())
    assert copies(row) == ["old"] and not Thread.objects.exists()


def test_words_and_copies_go_after_their_days_and_the_chain_verifies_as_before() -> None:
    anna, bert = person(), person()
    written(bert, anna, "threat")
    row = message_report(anna, line("threat"), category="other", words="quixotryzebra")
    closed(row.case)
    assert erase_words(timezone.now() + timedelta(days=settings.REPORT_WORDS_DAYS - 1)) == 0
    assert erase_words(timezone.now() + timedelta(days=settings.REPORT_WORDS_DAYS + 1)) == 1
    row.refresh_from_db()
    assert row.words == "" and row.erased_at is not None and not ReportedMessage.objects.exists()
    assert not Text.objects.filter(text__in=("quixotryzebra", "threat")).exists() and verify().ok
    assert not Text.objects.filter(text__contains="threat").exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_form_is_one_report_also_at_once_and_staff_learn_nothing_of_it() -> None:
    anna, bert = person(), person()
    written(bert, anna, "threat")
    message = line("threat")
    with bus.client().pubsub(ignore_subscribe_messages=True) as heard:  # type: ignore[no-untyped-call]
        heard.psubscribe("*")
        heard.get_message(timeout=1)
        acts = [lambda: message_report(anna, message, category="violence", once="form")] * 3
        assert at_once(*acts) == ["ok"] * 3
        told = heard.get_message(timeout=1)
        assert told is not None and heard.get_message(timeout=1) is None
    assert told["data"].count("false") == 1 and "threat" not in told["data"] and str(bert.pk) not in told["data"]
    assert Report.objects.count() == 1 and "form" not in Report.objects.get().once


def test_by_program_a_receipt_and_the_sender_sees_nothing() -> None:
    anna, bert = person("anna"), person("bert")
    thread = written(bert, anna, "threat")
    berts, pk = api_client(bert), line("threat").pk
    path = f"/api/v1/me/threads/{thread.pk}/messages/{pk}/report/"
    before = berts.get(f"/api/v1/me/threads/{thread.pk}/messages/").json()
    answer = api_client(anna).post(path, {"category": "violence", "once": "1", "good_faith": True}, "application/json")
    assert answer.status_code == 201 and set(answer.json()) == {"id", "text"}
    assert answer.json()["id"] == str(Report.objects.get().receipt)
    other = path.replace(f"threads/{thread.pk}/", f"threads/{thread.pk + 1}/")
    for client, address in ((api_client(anna), other), (api_client(person()), path)):
        answer = client.post(address, {"category": "hate", "good_faith": True}, "application/json")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_message")
    assert berts.get(f"/api/v1/me/threads/{thread.pk}/messages/").json() == before


def test_the_database_refuses_what_the_action_would() -> None:
    anna, bert = person(), person()
    written(bert, anna, "threat")
    row = message_report(anna, line("threat"))
    copied = {"report": row, "kind": "text", "line": "x", "sent_at": timezone.now(), "reported": True}
    with pytest.raises(IntegrityError), transaction.atomic():
        ReportedMessage.objects.create(place=20, **copied)


def test_cards_are_kept_in_english_with_their_data() -> None:
    room = open_room(title="Voices <at> the table")
    host, anna = room.host, invited("anna", room)
    deliver()
    written(host, anna, "And now?")
    row = message_report(anna, line("And now?"), category="spam_or_fraud")
    card = row.copies.get(kind="invitation")
    assert card.line == "An invitation to speak in “Voices <at> the table”" and card.data["kind"] == "speak"
    (kept,) = Text.objects.filter(name="message_0").values_list("text", flat=True)
    assert card.line in kept and '"title": "Voices <at> the table"' in kept
