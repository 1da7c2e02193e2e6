"""The chain in a real database: appended, never changed, and whoever does it all the same is found."""

import json
import threading
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import Error, connection, transaction

from ledger import actions
from ledger.actions import NotInTransaction, erase_texts, record
from ledger.anchors import anchor
from ledger.models import Entry, Text
from ledger.verify import verify
from tests.support.privileges import Connection

pytestmark = pytest.mark.django_db(transaction=True)


def fill(count: int = 5) -> None:
    """Entries 1 to `count`; the third has texts."""
    for number in range(1, count + 1):
        with transaction.atomic():
            texts = {"facts": "she said grachtengordel", "note": "ünïcode"} if number == 3 else {}
            record("acted", f"room:{number}", 40 + number, {"number": number, "list": [1, None, True]}, texts)


def problems() -> str:
    return "\n".join(verify().problems)


def ledger(*words: str) -> str:
    out = StringIO()
    call_command("ledger", *words, stdout=out)
    return out.getvalue()


def test_a_chain_as_it_was_written_holds() -> None:
    fill()
    report = verify()
    assert (report.problems, report.entries, report.texts) == ([], 5, 2)
    assert [entry.seq for entry in Entry.objects.order_by("seq")] == [1, 2, 3, 4, 5]
    assert "5 entries, 2 texts kept" in ledger("verify")


def test_recording_outside_of_a_transaction_is_refused() -> None:
    with pytest.raises(NotInTransaction):
        record("acted", "room:1", None)
    assert not Entry.objects.exists()


def test_an_act_that_is_rolled_back_leaves_no_entry_and_no_gap() -> None:
    fill(1)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record("acted", "room:9", None)
        raise ZeroDivisionError
    fill(1)
    assert (verify().problems, Entry.objects.count()) == ([], 2)


def test_many_writers_at_once_make_one_chain() -> None:
    failed: list[BaseException] = []

    def write(worker: int) -> None:
        try:
            for number in range(20):
                with transaction.atomic():
                    record("acted", f"room:{worker}", worker, {"number": number})
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert (verify().problems, verify().entries) == ([], 120)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger.entry SET actor = 1",
        "DELETE FROM ledger.entry WHERE seq = 5",
        "TRUNCATE ledger.entry",
        "TRUNCATE ledger.entry CASCADE",
        "INSERT INTO ledger.entry SELECT seq + 7, kind, subject, actor, at, data, commitments, 'x', 'y'"
        " FROM ledger.entry WHERE seq = 1",
        "INSERT INTO ledger.entry SELECT 6, kind, subject, actor, at, data, commitments, 'x', 'y' FROM ledger.entry"
        " WHERE seq = 1",
        "SET pgtrigger.ignore = '{ledger_no_change}'; DELETE FROM ledger.entry",
    ],
)
def test_the_database_refuses_to_change_the_ledger(owner: Connection, statement: str) -> None:
    fill()
    with pytest.raises(psycopg.errors.RestrictViolation, match=r"append-only|does not follow"):
        owner.execute(statement)
    assert (verify().problems, Entry.objects.count()) == ([], 5)


def test_models_cannot_change_the_ledger_either() -> None:
    fill()
    for change in (Entry.objects.all().delete, lambda: Entry.objects.update(actor=1), Entry.objects.all()[0].save):
        with pytest.raises(Error):
            change()


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE ledger.entry SET actor = 99 WHERE seq = 2", "entry 2 was changed"),
        ("UPDATE ledger.entry SET data = '{\"number\": 3}' WHERE seq = 2", "entry 2 was changed"),
        ("UPDATE ledger.entry SET data = '[]', commitments = '[1]' WHERE seq = 2", "entry 2 was changed"),
        ("UPDATE ledger.entry SET at = at + interval '1 microsecond' WHERE seq = 2", "entry 2 was changed"),
        ("UPDATE ledger.entry SET commitments = '{}' WHERE seq = 3", "entry 3 was changed"),
        ("DELETE FROM ledger.entry WHERE seq = 3", "entries 3 to 3 are missing"),
        ("DELETE FROM ledger.entry WHERE seq = 1", "entries 1 to 1 are missing"),
        ("DELETE FROM ledger.entry WHERE seq >= 4", "entry 5 was anchored and is gone: the chain now ends at 3"),
        ("TRUNCATE ledger.entry", "entry 5 was anchored and is gone: the chain now ends at 0"),
        ("UPDATE ledger.entry SET seq = seq + 100 WHERE seq = 2", "entry 102 was changed"),
        ("UPDATE ledger.text SET text = 'she said nothing' WHERE name = 'facts'", "the text “facts” was changed"),
        ("UPDATE ledger.text SET salt = 'zz' WHERE name = 'facts'", "the text “facts” was changed"),
        ("DELETE FROM ledger.text WHERE name = 'facts'", "the text “facts” is gone, and no entry says why"),
        ("UPDATE ledger.text SET entry_seq = 2 WHERE name = 'note'", "entry 2 never had a text “note”"),
    ],
)
def test_tampering_with_every_right_is_found(privileged: Connection, statement: str, told: str) -> None:
    fill()
    anchor()
    assert problems() == ""
    privileged.execute(statement)
    assert told in problems()
    with pytest.raises(CommandError, match="does not hold"):
        ledger("verify")


def test_a_chain_that_was_computed_anew_with_the_key_misses_its_anchors(privileged: Connection) -> None:
    fill()
    anchor()
    rewrite(privileged, Entry.objects.order_by("seq"))
    assert problems() == "entry 5 is not the one that was anchored"
    Path(settings.LEDGER_ANCHORS).unlink()
    assert verify().problems == [], "the forgery is perfect but for the anchors: that is what they are for"
    assert any("no head was ever anchored" in remark for remark in verify().remarks)


def test_an_entry_that_was_sealed_anew_alone_no_longer_fits_the_next(privileged: Connection) -> None:
    fill()
    rewrite(privileged, Entry.objects.filter(seq=2))
    assert problems() == "entry 3 does not follow the one before it"


def rewrite(privileged: Connection, entries: Any) -> None:
    """Forge as a thief of database and key would: change the second entry and seal all later ones anew."""
    previous = ""
    for entry in entries:
        if entry.seq == 2:
            entry.actor = 99
        entry.previous = previous or entry.previous
        previous = actions.expected_seal(entry)
        privileged.execute(
            "UPDATE ledger.entry SET actor = %s, previous = %s, seal = %s WHERE seq = %s",
            [entry.actor, entry.previous, previous, entry.seq],
        )


def test_without_the_key_nobody_makes_a_seal(settings: Any) -> None:
    fill()
    anchor()
    settings.LEDGER_KEY = "another key that is long enough for this"
    report = verify()
    assert len([text for text in report.problems if "not written with this key" in text]) == 6


def test_texts_are_erased_and_the_chain_holds(privileged: Connection) -> None:
    fill()
    with transaction.atomic():
        assert erase_texts(["room:3", "room:4"], 7, "statement-183-days") == 1
    assert not Text.objects.exists()
    report = verify()
    assert (report.problems, report.erased, report.entries) == ([], 2, 6)
    assert "grachtengordel" not in json.dumps(list(Entry.objects.values()), default=str)
    with transaction.atomic():
        assert erase_texts(["room:3"], 7, "again") == 0
    assert Entry.objects.count() == 6


def test_the_head_is_anchored_once_and_again_when_it_moved() -> None:
    assert anchor() is None
    fill(2)
    first = anchor()
    assert first is not None and first["seq"] == 2
    assert anchor() is None
    fill(1)
    assert json.loads(ledger("anchor"))["seq"] == 3
    assert verify().anchored == 2


def test_lines_of_anchors_that_were_changed_or_torn_are_told() -> None:
    fill(2)
    anchor()
    file = Path(settings.LEDGER_ANCHORS)
    with file.open("a") as out:
        out.write('{"seq": 1, "se')
    fill(1)
    anchor()
    assert problems() == "line 2 of the anchors cannot be read"
    assert verify().anchored == 2, "the line after a torn one stands on its own"
    file.write_text(file.read_text().replace('"seq":2', '"seq":1', 1))
    assert "line 1 of the anchors was not written with this key, or was changed" in problems()


def test_a_backup_that_was_put_back_is_told_and_no_longer_a_fault(privileged: Connection) -> None:
    fill()
    anchor()
    privileged.execute("DELETE FROM ledger.text")
    privileged.execute("DELETE FROM ledger.entry WHERE seq > 2")
    assert "now ends at 2" in problems()
    ledger("restored", "disk broke on Monday")
    report = verify()
    assert report.problems == []
    assert "1 anchors are from before a backup was put back" in report.remarks
    fill()
    anchor()
    assert verify().problems == []
    privileged.execute("DELETE FROM ledger.entry WHERE seq > 5")
    assert "entry 7 was anchored and is gone" in problems()
