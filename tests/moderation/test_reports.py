"""Reports: the right to make one, its receipt, and that nobody but staff learns of it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import TextField
from django.test import Client
from django.utils import timezone

from core import bus
from core.fields import TypedColumn
from ledger.models import Entry, Text
from ledger.verify import verify
from moderation.actions import erasing
from moderation.actions.erasing import RULE, WORDED, erase_words
from moderation.actions.filing import REPORTS
from moderation.models import (
    Case,
    CaseNote,
    Decision,
    EvidenceLine,
    LegalHold,
    ListedWord,
    Report,
    RuleVersion,
    Statement,
)
from moderation.refusals import ModerationRefused
from moderation.rules.reports import LONGEST_MS, clamped_range, may_report
from moderation.tasks import erase_old_words
from people.actions import standing
from people.models import User
from retention.artefacts import BY_NAME, Expiry, erase_rows
from rooms import actions, channels
from rooms.hooks import export_texts
from rooms.models import Removal, Room, RoomEvent
from rooms.rules.identity import Who
from rooms.wire.snapshot import snapshot
from social.actions.blocks import block
from tests.support.people import api_client, person
from tests.support.reports import closed, report
from tests.support.rooms import open_room, seated

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "quixotryzebra said it"
RANGE: dict[str, Any] = {"category": "harassment", "from_ms": 0, "to_ms": 10}
GOOD: dict[str, Any] = {**RANGE, "good_faith": True}


def old(room: Room, minutes: int = 30) -> Room:
    """The same room, begun some time ago."""
    Room.objects.filter(pk=room.pk).update(started_at=timezone.now() - timedelta(minutes=minutes))
    room.refresh_from_db()
    return room


def post(client: Client, room: Room, **values: Any) -> tuple[int, Any]:
    body = {"category": "hate", "good_faith": True, "from_ms": 1000, "to_ms": 61_000, **values}
    answer = client.post(f"/api/v1/rooms/{room.slug}/reports/", body, "application/json")
    return answer.status_code, answer.json()


def refused(client: Client, room: Room, **values: Any) -> str:
    status, body = post(client, room, **values)
    assert status >= 400 and body["error"]["text"]
    return str(body["error"]["code"])


def test_a_report_gets_a_fixed_receipt_and_an_entry_in_the_ledger() -> None:
    room = old(open_room())
    guest, reporter = seated("guest", room), person("reporter")
    status, body = post(api_client(reporter), room, subject="@Guest", words=SECRET)
    row = Report.objects.get()
    assert status == 201 and set(body) == {"id", "text"} and body["id"] == str(row.receipt)
    assert (row.subject, row.reporter, row.words, row.from_ms, row.to_ms) == (guest, reporter, SECRET, 1000, 61_000)
    entry = Entry.objects.get(kind="report_received")
    assert (entry.subject, entry.actor) == (f"report:{row.pk}", reporter.pk)
    values = {"room": room.pk, "subject": guest.pk, "category": "hate", "from": 1000, "to": 61_000}
    values |= {"case": row.case_id}
    assert entry.data == {**values, "kind": "person"} and set(entry.commitments) == {"words"}
    opened = Entry.objects.get(kind="case_opened")
    assert (opened.subject, opened.data) == (f"case:{row.case_id}", {"report": row.pk})
    assert SECRET not in json.dumps([entry.data, entry.commitments])
    again = post(api_client(reporter), room, category="other", words="the whole room", subject=None)[1]
    assert again["text"] == body["text"], "whatever it is about"


def test_values_are_checked_and_the_range_is_clamped() -> None:
    room = old(open_room())
    client = api_client(person("reporter"))
    length = room.room_time()
    wrong: list[dict[str, Any]] = [
        {"category": "boring"},
        {"category": "other"},
        {"words": "x" * 2001},
        {"law": "x" * 201},
        {"good_faith": False},
        {"good_faith": None},
        {"from_ms": -1},
        {"from_ms": 5, "to_ms": 5},
        {"from_ms": 9, "to_ms": 5},
        {"from_ms": 0, "to_ms": LONGEST_MS + 1},
        {"from_ms": length + 10**7, "to_ms": length + 10**7 + 5},
        {"from_ms": "soon"},
        {"to_ms": 2**70},
        {"subject": 7, "from_ms": None},
    ]
    assert {refused(client, room, **values) for values in wrong} == {"bad_value"}
    assert refused(client, room, subject="reporter") == "not_report_oneself"
    assert refused(client, room, subject="nobody-here") == "unknown_person"
    assert not Report.objects.exists()
    assert post(client, room, from_ms=length - 60_000, to_ms=length + 10**8)[0] == 201
    assert length <= (Report.objects.get().to_ms or 0) <= room.room_time()


def test_the_rules_of_right_and_range() -> None:
    may = {"kept_out": None, "started": True, "purged": False}
    answers: list[tuple[dict[str, Any], str | None]] = [
        ({}, None),
        ({"purged": True}, "copy_gone"),
        ({"kept_out": "account_suspended"}, "account_suspended"),
        ({"started": False}, "unknown_room"),
        ({"started": False, "purged": True}, "unknown_room"),
    ]
    for change, answer in answers:
        assert may_report(**{**may, **change}) == answer
    assert clamped_range(-5, 50, room_ms=20) == (0, 20)
    assert clamped_range(20, 50, room_ms=20) is None and clamped_range(0, 0, room_ms=20) is None
    assert clamped_range(0, LONGEST_MS, room_ms=10**9) == (0, LONGEST_MS)
    assert clamped_range(0, LONGEST_MS + 1, room_ms=10**9) is None


def test_who_may_report_in_a_room_for_invited_people() -> None:
    """Blocked, removed and uninvited people are answered alike: nobody learns from it which of them they are."""
    room = old(open_room(entry_policy="invited"))
    was_here, removed, stranger, blocked = (person(name) for name in ("washere", "removed", "stranger", "blocked"))
    actions.remove_person(room.pk, removed, by=room.host)
    block(room.host, blocked)
    assert Removal.objects.filter(user=blocked).exists()
    people = (room.host, was_here, removed, stranger, blocked)
    assert [post(api_client(user), room)[0] for user in people] == [201] * 5
    assert refused(Client(), room) == "not_signed_in"
    room.slug = "nowhere222"
    assert refused(api_client(stranger), room) == "unknown_room"


def test_closed_accounts_are_reported_only_where_they_were_on_stage() -> None:
    """Elsewhere the answer does not tell them from accounts that never were."""
    room, elsewhere = old(open_room()), old(open_room("second"))
    seated("gone", room)
    person("begun", signing_up=True)
    User.objects.filter(handle="gone").update(is_active=False)
    client = api_client(person("reporter"))
    assert post(client, room, subject="gone")[0] == 201
    assert [refused(client, elsewhere, subject=name) for name in ("gone", "nobody-here")] == ["unknown_person"] * 2
    assert refused(client, room, subject="begun") == "unknown_person"


def test_closed_accounts_and_purged_rooms_report_nothing() -> None:
    room = old(open_room())
    loud = person("loud")
    client = api_client(loud)
    standing.impose_sanction(loud, "suspended", None, "shouting")
    with pytest.raises(ModerationRefused, match="account_suspended"):
        report(loud, room, **RANGE)
    assert refused(client, room) == "account_suspended"
    actions.end_room(room.pk, room.host)
    assert post(api_client(person("early")), room)[0] == 201, "also when it is over"
    Room.objects.filter(pk=room.pk).update(purged_at=timezone.now())
    assert refused(api_client(person("late")), room) == "copy_gone"


def test_the_same_form_is_one_report_also_at_once() -> None:
    room = old(open_room())
    reporter, other = person("reporter"), person("other")

    def send(_number: int) -> Any:
        try:
            return report(reporter, room, **RANGE, once="form-1").receipt
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(send, range(4)))) == 1
    assert report(reporter, room, **RANGE, once="form-2") != report(other, room, **RANGE, once="form-1")
    assert Report.objects.count() == 3 and Entry.objects.filter(kind="report_received").count() == 3
    assert "form-1" not in str(list(Report.objects.values()))
    assert verify().ok


def test_reports_in_bulk_are_slowed_down_and_a_repeated_form_is_not() -> None:
    room = old(open_room())
    reporter = person("reporter")
    first = report(reporter, room, **RANGE, once="form")
    with pytest.raises(ModerationRefused) as slowed:
        for _number in range(REPORTS.burst + 5):
            report(reporter, room, **RANGE)
    assert slowed.value.code == "too_fast" and slowed.value.wait > 0
    assert report(reporter, room, **RANGE, once="form") == first


def test_the_database_refuses_what_the_action_would() -> None:
    room, reporter = open_room(), person("reporter")
    case = report(person(), old(room)).case
    good: dict[str, Any] = {"case": case, "kind": "room", "room": room, "reporter": reporter, "from_ms": 0, "to_ms": 5}
    good |= {"category_id": "hate"}
    wrongs: list[dict[str, Any]] = [
        {"to_ms": 0},
        {"kind": "person", "subject": reporter},
        {"kind": "person"},
        {"kind": "title"},
        {"category_id": "other"},
        {"reporter_email": "also@example.org"},
    ]
    for wrong in wrongs:
        with pytest.raises(IntegrityError), transaction.atomic():
            Report.objects.create(**{**good, **wrong})
    columns = {"kind": "room", "room": room}
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.create(**columns)
    Report.objects.create(**good)


def test_nobody_but_staff_is_told_and_staff_not_about_whom() -> None:
    """Nothing of a report is in the log, in anybody's snapshot, in the host's download or on any other channel."""
    room = old(open_room())
    guest, reporter = seated("guest", room), seated("reporter", room)
    readers = [Who.of_user(user) for user in (room.host, guest, reporter, person("carl"))] + [Who(None, "a:x")]
    before = [{**snapshot(room.pk, who), "now": None} for who in readers]
    log = RoomEvent.objects.filter(room=room).count()
    with bus.client().pubsub(ignore_subscribe_messages=True) as heard:  # type: ignore[no-untyped-call]
        heard.psubscribe("*")
        heard.get_message(timeout=1)
        receipt = report(reporter, room, category="violence", from_ms=0, to_ms=5, subject=guest, words=SECRET)
        messages = []
        while (message := heard.get_message(timeout=1)) is not None:
            messages.append((message["channel"], json.loads(message["data"])))
    told = {"type": "report_received", "room": room.slug, "data": {"urgent": False, "case": receipt.case_id}}
    assert messages == [(channels.staff_channel(), told)]
    assert [{**snapshot(room.pk, who), "now": None} for who in readers] == before
    assert RoomEvent.objects.filter(room=room).count() == log
    actions.end_room(room.pk, room.host)
    room.refresh_from_db()
    texts = "".join(piece for _name, text in export_texts.items() for piece in text(room) or ())
    assert texts and not [word for word in (SECRET, str(receipt.receipt), "report_", "violence") if word in texts]


def test_words_go_six_months_after_the_case_closed_and_ids_stay() -> None:
    """Also from the ledger, which verifies as before; a report of `other` may then be without words."""
    room, other_room = old(open_room()), old(open_room("second"))
    reporter = person("reporter")
    late = report(reporter, room, category="other", subject=room.host, words=SECRET)
    fresh = report(reporter, other_room, words=f"{SECRET} lately")
    waiting = report(reporter, room, words=f"{SECRET} and waits")
    now = timezone.now()
    Report.objects.update(at=now - timedelta(days=900))
    closed(late.case, decided_at=now - timedelta(days=184))
    closed(fresh.case, decided_at=now - timedelta(days=182))
    assert erase_old_words() == 1
    for row in (late, fresh, waiting):
        row.refresh_from_db()
    assert (late.words, late.subject, late.reporter, late.category_id) == ("", room.host, reporter, "other")
    assert late.erased_at is not None and fresh.erased_at is None and fresh.words == f"{SECRET} lately"
    assert waiting.words == f"{SECRET} and waits", "an open case keeps what it is about"
    assert set(Text.objects.values_list("text", flat=True)) == {fresh.words, waiting.words}
    erased = Entry.objects.get(kind="texts_erased")
    first = Entry.objects.get(subject=f"report:{late.pk}", kind="report_received")
    assert (erased.subject, erased.data) == (first.subject, {"entries": [first.seq], "rule": RULE})
    checked = verify()
    assert checked.ok and (checked.texts, checked.erased) == (2, 1)
    assert erase_old_words() == 0 and Entry.objects.filter(kind="texts_erased").count() == 1


def test_a_statement_keeps_the_words_of_its_case_until_its_own_time_is_over() -> None:
    row = report(person("reporter"), old(open_room()), words=SECRET, subject=person("guest"))
    now, moderator = timezone.now(), person("moderator")
    closed(row.case, decided_at=now - timedelta(days=400))
    rule = RuleVersion.objects.filter(rule="no-harassment").get()
    decision = Decision.objects.create(
        case=row.case, outcome="violation", state="standing", rule=rule, facts=SECRET, by=moderator
    )
    assert row.subject is not None
    statement = Statement.objects.create(
        decision=decision,
        person=row.subject,
        language="en",
        body={"facts": SECRET},
        made_at=now,
        appeal_until=now + timedelta(days=183),
    )
    CaseNote.objects.create(case=row.case, author=moderator, text=SECRET)
    EvidenceLine.objects.create(
        case=row.case, cue="cue:1", speaker_name="Anna", start_ms=0, end_ms=5, text=SECRET, quoted_by=moderator
    )
    assert erase_words(now) == 0, "it waits to be sent"
    Statement.objects.filter(pk=statement.pk).update(told_at=now - timedelta(days=182))
    assert erase_words(now) == 0
    assert erase_words(now + timedelta(days=2)) == 1
    for kind in WORDED:
        for values in kind.model._base_manager.values():
            assert SECRET not in str(values) and "Anna" not in str(values), kind.model
    decision.refresh_from_db()
    assert decision.rule == rule and decision.erased_at is not None


def test_many_words_go_in_batches_and_two_workers_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "BATCH", 3)
    reporter = person("reporter")
    for number in range(8):
        subject = person(f"guest{number}")
        row = report(reporter, kind="profile", subject=subject, words=SECRET)
        closed(row.case, decided_at=timezone.now() - timedelta(days=184))

    def worker(_number: int) -> int:
        try:
            return erase_words(timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(worker, range(2))) == 8
    assert not Text.objects.exists() and Entry.objects.filter(kind="texts_erased").count() == 8 and verify().ok


def test_every_model_with_words_about_others_is_erased() -> None:
    """Legal holds are orders of authorities, and stay with their dates; listed words are about nobody."""
    apart = {LegalHold, ListedWord, *(kind.model for kind in WORDED if not kind.columns)}
    worded = {
        (model, column.name)
        for model in apps.get_app_config("moderation").get_models()
        for column in model._meta.get_fields()
        if isinstance(column, TypedColumn | TextField) and not model._meta.proxy and model not in apart
    }
    assert worded <= {(kind.model, column) for kind in WORDED for column in kind.columns}


def test_words_stay_with_the_case_not_with_the_copy() -> None:
    artefact = BY_NAME["reports"]
    assert artefact.rows is Report and artefact.expires_with is Expiry.CASE
    room = old(open_room())
    row = report(person("reporter"), room, **RANGE, words=SECRET)
    actions.end_room(room.pk, room.host)
    with transaction.atomic():
        erase_rows([room.pk])
    row.refresh_from_db()
    assert row.words == SECRET and not RoomEvent.objects.filter(room=room).exists()
