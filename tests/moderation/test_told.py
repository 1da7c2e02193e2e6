"""A backup that is put back has forgotten what people were told since: they are not told twice, nor left untold."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from core import after_restore
from ledger import chain
from ledger.models import Entry
from mail.models import Mail
from moderation import told
from moderation.models import Decision, Notification
from moderation.statements import appeal_until
from social.models import Message
from tests.moderation.teller import tell
from tests.support.cases import kept_room, no_violation, open_case, violation
from tests.support.killed import Workers, running
from tests.support.people import person
from tests.support.privileges import superuser
from tests.support.restored import dump, put_back

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def tellers() -> Iterator[Workers]:
    with running("tests.moderation.teller") as started:
        yield started


def notification(decision: Decision, kind: str = "statement", **values: Any) -> Notification:
    """A row for the sender; made here where making the decision has made none."""
    if kind == "statement":
        values = {"person": decision.case.subject, **values}
    row, _made = Notification.objects.get_or_create(kind=kind, decision=decision, review=None, **values)
    return row


def of_statement() -> Notification:
    bob = person()
    case = open_case(kept_room("", 10, bob), subject=bob)
    return notification(violation(case, ("warning", None)))


def lines() -> list[dict[str, Any]]:
    files = sorted(Path(settings.TOLD_DIR).glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def write(*rows: dict[str, Any]) -> None:
    told.file_of(timezone.now()).write_text("".join(json.dumps(row) + "\n" for row in rows))


def resigned(row: dict[str, Any], **values: Any) -> dict[str, Any]:
    row = {name: value for name, value in {**row, **values}.items() if name != "signed"}
    return {**row, "signed": chain.sign(settings.LEDGER_KEY, "told", row)}


def test_nobody_is_told_again_after_a_restore(tmp_path: Path) -> None:
    row, reporter = of_statement(), person()
    case = open_case(kept_room("", 10), reporter=reporter)
    outcome = notification(
        no_violation(case), "report_outcome", report=case.reports.get(reporter=reporter), person=reporter
    )
    waits = of_statement()
    dump(tmp_path / "backup")
    now = timezone.now()
    tell(row.pk, now.isoformat())
    tell(outcome.pk, now.isoformat())
    put_back(tmp_path / "backup")
    assert not Notification.objects.exclude(told_at=None).exists()
    sent = Mail.objects.count(), Message.objects.count()
    assert after_restore.apply() == ["2 notifications about decisions were sent since it was made: not sent again"]
    row, outcome, waits = (Notification.objects.get(pk=each.pk) for each in (row, outcome, waits))
    assert (row.told_at, row.decision.statement.told_at) == (now, now)
    assert outcome.told_at == now and outcome.report is not None
    assert outcome.report.appeal_until == appeal_until(now)
    assert waits.told_at is None, "who was not told is told"
    assert (Mail.objects.count(), Message.objects.count()) == sent
    entries = Entry.objects.filter(kind="notified")
    assert {entry.data["notification"] for entry in entries} == {row.pk, outcome.pk}
    assert after_restore.apply() == [] and entries.count() == 2


@pytest.mark.parametrize(
    "place", [("core.append_file:append_rows", "before", 1), ("core.append_file:append_rows", "after", 1)]
)
def test_killed_before_the_commit_somebody_is_told_once(tellers: Workers, place: tuple[str, str, int]) -> None:
    """The line stands or not, and has told nobody: the next sweep tells them. After that a restore finds both."""
    row = of_statement()
    now = timezone.now()
    ((status, wrong),) = tellers.run(((row.pk, now.isoformat()), place))
    assert status == -9, wrong
    assert len(lines()) == (place[1] == "after")
    assert told.mark_told_again(now) == 0
    row.refresh_from_db()
    assert row.told_at is None
    ((status, wrong),) = tellers.run(((row.pk, now.isoformat()), ()))
    assert status == 0, wrong
    row.refresh_from_db()
    assert row.told_at == now


def test_killed_after_the_commit_nothing_is_lost(tellers: Workers, tmp_path: Path) -> None:
    row = of_statement()
    now = timezone.now()
    dump(tmp_path / "backup")
    place = ("django.db.transaction:Atomic.__exit__", "after", 1)
    ((status, wrong),) = tellers.run(((row.pk, now.isoformat()), place))
    assert status == -9, wrong
    put_back(tmp_path / "backup")
    assert told.mark_told_again(timezone.now()) == 1


def test_a_sender_that_is_at_it_is_left_alone() -> None:
    row = of_statement()
    now = timezone.now()
    written, looked = threading.Event(), threading.Event()

    def send() -> None:
        with closing(connection), transaction.atomic():
            told.note_told(Notification.objects.select_for_update(of=("self",)).get(pk=row.pk), now)
            written.set()
            assert looked.wait(20)
            transaction.set_rollback(True)

    with ThreadPoolExecutor(1) as threads:
        sending = threads.submit(send)
        assert written.wait(20)
        assert told.mark_told_again(now) == 0
        looked.set()
        sending.result()
    assert told.mark_told_again(now) == 0, "it told nobody"


def test_another_server_and_a_copy_of_files_know_nothing_of_the_transaction_and_count_as_told() -> None:
    """Where PostgreSQL cannot say, never twice goes before: the ledger says who is concerned."""
    for values in ({"server": "1"}, {"transaction": str(2**60)}):
        row = of_statement()
        now = timezone.now()
        with transaction.atomic():
            told.note_told(row, now)
            transaction.set_rollback(True)
        assert told.mark_told_again(now) == 0
        write(resigned(lines()[-1], **values))
        assert told.mark_told_again(now) == 1
        assert Entry.objects.filter(kind="notified", data__notification=row.pk).exists()


def test_another_notification_that_got_the_key_of_a_lost_one_is_sent() -> None:
    row = of_statement()
    tell(row.pk, timezone.now().isoformat())
    first = lines()[0]
    other = told.content(of_statement())
    # Every key as in the line, and another moment at which the decision was taken, or the person came.
    for name in ("decision", "person"):
        write(resigned(first, **{**other, name: [other[name][0], first[name][1], *first[name][2:]]}))
        assert told.mark_told_again(timezone.now()) == 0
    write(resigned(first, **other))
    assert told.mark_told_again(timezone.now()) == 1, "nothing else kept it"


def test_a_row_that_is_made_anew_is_told_where_it_tells_something_else(tmp_path: Path) -> None:
    """As by a migration that runs again. The outcome of a report is the same; a statement that is made again is not."""
    reporter = person()
    case = open_case(kept_room("", 10), reporter=reporter)
    decision = no_violation(case)
    dump(tmp_path / "backup")
    report = case.reports.get(reporter=reporter)
    outcome = notification(decision, "report_outcome", report=report, person=reporter)
    tell(outcome.pk, timezone.now().isoformat())
    put_back(tmp_path / "backup")
    again = notification(decision, "report_outcome", report=report, person=reporter)
    with transaction.atomic():
        locked = Notification.objects.select_for_update(of=("self",)).get(pk=again.pk)
        assert told.mark_if_told(locked, timezone.now()) and not told.mark_if_told(locked, timezone.now())
        transaction.set_rollback(True)
    assert told.mark_told_again(timezone.now()) == 1
    row = of_statement()
    tell(row.pk, timezone.now().isoformat())
    line = lines()[-1]
    write(resigned(line, made=chain.stamp(timezone.now())))
    with superuser() as connected:
        connected.execute("SET session_replication_role = 'replica'")
        connected.execute("UPDATE moderation_notification SET told_at = NULL WHERE id IN (%s, %s)", [row.pk, again.pk])
    assert told.mark_told_again(timezone.now()) == 0


def test_lines_that_were_altered_mark_nobody(caplog: pytest.LogCaptureFixture) -> None:
    row, victim = of_statement(), of_statement()
    tell(row.pk, timezone.now().isoformat())
    (line,) = lines()
    write({**line, **told.content(Notification.objects.get(pk=victim.pk))}, {"signed": "no"}, resigned(line))
    with told.file_of(timezone.now()).open("a") as out:
        out.write("{torn\n[]\n")
    assert told.mark_told_again(timezone.now()) == 0
    assert caplog.text.count("is none of ours") == 4
    victim.refresh_from_db()
    assert victim.told_at is None


def test_a_line_names_nobody() -> None:
    row = of_statement()
    tell(row.pk, timezone.now().isoformat())
    (line,) = lines()
    assert row.person is not None
    assert row.person.handle not in json.dumps(line) and row.person.email not in json.dumps(line)
    assert datetime.fromisoformat(line["told"]) and set(line) == {
        *("kind", "made", "decision", "review", "report", "person", "told", "server", "transaction", "signed")
    }
