"""Telling people of decisions: by message and mail, once, in their language, with a link that lets them appeal."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.utils import timezone

from ledger.models import Entry
from ledger.verify import verify
from moderation.actions import telling_people
from moderation.actions.appeal_links import mail_code, mail_new_link, open_link, take_code
from moderation.actions.appeals import file_appeal
from moderation.actions.telling_people import send_late, send_notification
from moderation.models import AppealLink, Decision, Notification, Report, Statement
from moderation.queries.appeals import concerned_right
from people.models import User
from social.models import Message
from tests.support.cases import (
    concerned_appeal,
    kept_room,
    no_violation,
    open_case,
    proposed,
    review_decided,
    violation,
)
from tests.support.people import person
from tests.support.reports import stranger_report

pytestmark = pytest.mark.django_db
LINK = re.compile(r"/appeal/([A-Za-z0-9_-]{43})/")


def send_all() -> list[EmailMultiAlternatives]:
    """Send what waits, as the tasks do; returns the mails."""
    for pk in Notification.objects.filter(told_at=None).order_by("pk").values_list("pk", flat=True):
        assert send_notification(pk)
    sent: list[Any] = mail.outbox[:]
    mail.outbox.clear()
    return sent


def found(language: str = "en", *measures: tuple[str, int | None]) -> tuple[Decision, User]:
    """A violation of Ada, of which nobody was told yet."""
    ada = person("ada", language=language)
    return violation(open_case(kept_room("", 10, ada), subject=ada), *measures), ada


def token_of(sent: EmailMultiAlternatives) -> str:
    link = LINK.search(str(sent.body))
    assert link is not None, sent.body
    return link[1]


def official(user: User) -> list[dict[str, Any]]:
    return [row.data for row in Message.objects.filter(receiver=user, kind="official").order_by("pk")]


def test_a_statement_goes_out_by_message_and_mail_in_the_language_of_the_person() -> None:
    decision, ada = found("nl", ("no_stage", 7))
    assert Statement.objects.filter(told_at=None).count() == 1 and mail.outbox == []
    to_ada, to_reporter = sorted(send_all(), key=lambda sent: sent.to != [ada.email])
    statement = Statement.objects.get()
    assert statement.told_at is not None and statement.person == ada
    assert to_ada.to == [ada.email] and to_reporter.to != [ada.email]
    text = str(to_ada.body)
    page, kind = to_ada.alternatives[0]
    assert kind == "text/html"
    for part in statement.body["parts"]:
        assert part["title"] in text and part["title"] in str(page)
        assert all(line in text for line in part["lines"])
    assert decision.facts in text and "http" in text and token_of(to_ada) in str(page)
    values = {"notification": Notification.objects.get(person=ada).pk, "outcome": ""}
    assert official(ada) == [{"text": "decision_notification", "values": values}]
    assert "harassment" not in text.lower() and to_reporter.to[0] not in text, "nothing of who reported"
    entry = Entry.objects.filter(kind="notified").order_by("seq")[0]
    assert entry.data["by"] == ["message", "mail"] and verify().ok


def test_nobody_is_told_of_a_proposal_nor_of_what_was_rolled_back() -> None:
    proposed()
    assert not Notification.objects.exists() and not Message.objects.filter(kind="official").exists()


def test_each_is_told_once() -> None:
    _decision, ada = found()
    (pk,) = Notification.objects.filter(person=ada).values_list("pk", flat=True)
    assert send_notification(pk) and not send_notification(pk)
    assert send_late(timezone.now() + timedelta(minutes=1)) == 1, "the reporter's alone waits"
    assert send_late(timezone.now() + timedelta(minutes=1)) == 0
    assert len(official(ada)) == 1 and len([sent for sent in mail.outbox if sent.to == [ada.email]]) == 1


def test_what_fails_tells_nobody_and_is_told_later(monkeypatch: pytest.MonkeyPatch) -> None:
    _decision, ada = found()
    row = Notification.objects.get(person=ada)

    def fail(*_args: object) -> None:
        raise RuntimeError("killed before the commit")

    with monkeypatch.context() as patched:
        patched.setattr(telling_people, "note_told", fail)
        with pytest.raises(RuntimeError):
            send_notification(row.pk)
    row.refresh_from_db()
    assert row.told_at is None and official(ada) == [] and not AppealLink.objects.exists()
    assert Statement.objects.get().told_at is None
    assert send_notification(row.pk) and len(official(ada)) == 1


@pytest.mark.django_db(transaction=True)
def test_four_at_once_tell_once() -> None:
    _decision, ada = found()
    pk = Notification.objects.get(person=ada).pk

    def send(_one: int) -> bool:
        try:
            return send_notification(pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(send, range(4))) <= 1
    send_notification(pk)  # where each found it locked by another
    assert len(official(ada)) == 1


def test_a_reporter_learns_the_outcome_and_of_nothing_found_that_it_can_be_appealed() -> None:
    ada = person("ada")
    room = kept_room("", 10, ada)
    lea = person("lea")
    case = open_case(room, lea, subject=ada)
    stranger_report(room, subject=ada)
    no_violation(case)
    mails = {sent.to[0]: sent for sent in send_all()}
    assert set(mails) == {lea.email, "piet@example.org"}, "nobody else is told of no violation"
    for sent in mails.values():
        assert "no violation" in str(sent.body) and LINK.search(str(sent.body))
        words = LINK.sub("", str(sent.body))  # an address may have any three letters
        assert "ada" not in words.lower() and room.title not in words
    row = Report.objects.get(reporter=lea)
    assert row.appeal_until is not None and row.appeal_until > timezone.now() + timedelta(days=180)
    opened = open_link(token_of(mails["piet@example.org"]))
    assert opened is not None and opened.right.may_appeal and opened.right.person is None


def test_a_reporter_whose_range_was_right_gets_no_link() -> None:
    found()
    (sent,) = [sent for sent in send_all() if "report" in sent.subject]
    assert "found a violation" in str(sent.body) and LINK.search(str(sent.body)) is None
    assert "/reports/" in str(sent.body)


def test_both_sides_are_told_the_outcome_of_an_appeal_and_the_link_still_works() -> None:
    decision, ada = found()
    token = token_of(next(sent for sent in send_all() if sent.to == [ada.email]))
    appeal = concerned_appeal(decision, "It was a QUOTE of a book")
    (received,) = send_all()
    assert received.to == [ada.email] and LINK.search(str(received.body)) is None
    opened = open_link(token)
    assert opened is not None and opened.right.appeal == appeal, "the page that is open goes on"
    review_decided(appeal.review, "overturned")
    mails = {sent.to[0]: str(sent.body) for sent in send_all()}
    assert "granted" in mails[ada.email] and "does not stand" in next(t for to, t in mails.items() if to != ada.email)
    assert not any("QUOTE" in text for text in mails.values())
    assert verify().ok


def test_a_mailbox_without_an_account_is_not_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling_people, "TO_ONE", (1 / 20, 2))
    for _number in range(3):
        ada = person()
        case = stranger_report(kept_room("", 10, ada), subject=ada).case
        no_violation(case)
    keys = list(Notification.objects.filter(told_at=None).values_list("pk", flat=True))
    told = sum(send_notification(pk) for pk in keys)
    assert told == 2 < len(keys) == 3
    assert Notification.objects.filter(told_at=None).count() == 1, "it waits for the next sweep"


# --- links ------------------------------------------------------------------------------------------------------------


def test_a_newer_link_ends_the_one_before_and_only_hashes_are_kept() -> None:
    decision, ada = found()
    token = token_of(next(sent for sent in send_all() if sent.to == [ada.email]))
    opened = open_link(token)
    assert opened is not None and opened.right.decision == decision and not opened.expired
    assert mail_new_link(opened.right, "192.0.2.1")
    (sent,) = send_all()
    assert sent.to == [ada.email] and open_link(token) is None and open_link(token_of(sent)) is not None
    stored = " ".join(str(value) for row in AppealLink.objects.values() for value in row.values())
    assert token not in stored and token_of(sent) not in stored
    for wrong in ("", "x", token[:-1], token + "A", token.swapcase(), "\udcff" * 43, "a" * 10_000):
        assert open_link(wrong) is None
    AppealLink.objects.update(expires_at=timezone.now())
    last = open_link(token_of(sent))
    assert last is not None and last.expired


def test_new_links_go_to_nobody_else_and_not_without_end() -> None:
    _decision, ada = found()
    opened = open_link(token_of(next(sent for sent in send_all() if sent.to == [ada.email])))
    assert opened is not None
    assert [mail_new_link(opened.right, f"192.0.2.{place}") for place in range(6)] == [True] * 3 + [False] * 3
    assert {tuple(sent.to) for sent in mail.outbox} == {(ada.email,)}


def test_a_code_opens_once_and_after_a_few_tries_not_at_all() -> None:
    decision, ada = found()
    token = token_of(next(sent for sent in send_all() if sent.to == [ada.email]))
    file_appeal(concerned_right(Statement.objects.get(decision=decision), timezone.now()), "A quote")
    send_all()

    def code() -> str:
        opened = open_link(token)
        assert opened is not None and mail_code(opened, "192.0.2.1")
        (sent,) = send_all()
        found = re.search(r"^\d{8}$", str(sent.body), re.MULTILINE)
        assert found is not None and sent.to == [ada.email]
        return found[0]

    first = code()
    opened = open_link(token)
    assert opened is not None
    assert take_code(opened, f" {first} ") and not take_code(opened, first), "once"
    second = code()
    assert not any(take_code(opened, wrong) for wrong in ("", "00000000", first, "1", "x"))
    assert not take_code(opened, second), "five wrong ones end it"
    third = code()
    AppealLink.objects.update(code_until=timezone.now())
    assert not take_code(opened, third), "its minutes are over"
