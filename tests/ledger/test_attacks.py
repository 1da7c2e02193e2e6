"""The ledger attacked as the site's role and as the tables' owner, both without the key: refused, or found."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction

from ledger import actions
from ledger.actions import Act, record, record_all
from ledger.anchors import anchor
from ledger.models import Entry
from ledger.verify import verify
from tests.support import privileges
from tests.support.privileges import Connection

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 200
OFF = "ALTER TABLE ledger.entry DISABLE TRIGGER ALL"
ON = "ALTER TABLE ledger.entry ENABLE TRIGGER ALL"
COPY = "kind, subject, actor, at, data, commitments"


@pytest.fixture(autouse=True)
def _chain(transactional_db: None) -> None:
    for number in range(1, 6):
        with transaction.atomic():
            record("acted", f"room:{number}", 7, {"number": number}, {"facts": f"words {number}"})
    anchor()
    assert verify().problems == []


@pytest.fixture
def repaired() -> Iterator[None]:
    """Make the guards anew after a test that replaced them, as the migration makes them."""
    with privileges.owner() as connected:
        kept = [
            connected.execute("SELECT pg_get_functiondef(%s::regproc)", [f"ledger.{name}"]).fetchone()
            for name in ("refuse", "next", "text_of_entry")
        ]
    yield
    with privileges.owner() as connected:
        for row in kept:
            assert row is not None
            connected.execute(row[0].encode())
        connected.execute("DROP TRIGGER IF EXISTS ledger_no_change ON ledger.entry")
        connected.execute(
            "CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE ON ledger.entry"
            " FOR EACH ROW EXECUTE FUNCTION ledger.refuse()"
        )
    assert not [problem for problem in verify().problems if "guard" in problem]


def behind(owner: Connection, *statements: str) -> None:
    """Run statements with the triggers off, and put them on again, as somebody does who covers the tracks."""
    owner.execute(OFF)
    try:
        for statement in statements:
            owner.execute(statement.encode())
    finally:
        owner.execute(ON)


def found(told: str) -> None:
    problems = verify().problems
    assert any(told in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (["UPDATE ledger.entry SET actor = 99 WHERE seq = 2"], "entry 2 was changed"),
        (["DELETE FROM ledger.entry WHERE seq = 3"], "entries 3 to 3 are missing"),
        (["TRUNCATE ledger.entry"], "entry 5 was anchored and is gone"),
        # The tail cut, and grown again with acts of other people.
        (["DELETE FROM ledger.entry WHERE seq >= 4"], "entry 5 was anchored and is gone: the chain now ends at 3"),
        # Two entries that change their places, and each keeps its seal.
        (
            [
                "UPDATE ledger.entry SET seq = 100 WHERE seq = 2",
                "UPDATE ledger.entry SET seq = 2 WHERE seq = 3",
                "UPDATE ledger.entry SET seq = 3 WHERE seq = 100",
            ],
            "entry 3 does not follow",
        ),
        # A real entry replayed at the end: its seal is over another number and another one before it.
        (
            [
                f"INSERT INTO ledger.entry (seq, {COPY}, previous, seal) SELECT 6, {COPY},"
                " (SELECT seal FROM ledger.entry WHERE seq = 5), repeat('a', 64) FROM ledger.entry WHERE seq = 1"
            ],
            "entry 6 was changed, or not written with this key",
        ),
        # Texts of two entries swapped, with their salts.
        (
            [
                "UPDATE ledger.text SET entry_seq = 100 WHERE entry_seq = 1",
                "UPDATE ledger.text SET entry_seq = 1 WHERE entry_seq = 2",
                "UPDATE ledger.text SET entry_seq = 2 WHERE entry_seq = 100",
            ],
            "entry 1: the text “facts” was changed",
        ),
    ],
)
def test_the_owner_behind_the_guards_is_found(owner: Connection, statements: list[str], told: str) -> None:
    behind(owner, *statements)
    found(told)


def test_a_chain_computed_anew_with_another_key_is_found(owner: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    real = settings.LEDGER_KEY
    entries = list(Entry.objects.order_by("seq"))
    entries[1].actor = 99
    owner.execute(OFF)
    try:
        monkeypatch.setattr(settings, "LEDGER_KEY", "a key that the owner made up, long enough for it")
        previous = entries[0].seal
        for entry in entries[1:]:
            entry.previous = previous
            previous = actions.expected_seal(entry)
            owner.execute(
                "UPDATE ledger.entry SET actor = %s, previous = %s, seal = %s WHERE seq = %s",
                [entry.actor, entry.previous, previous, entry.seq],
            )
    finally:
        owner.execute(ON)
    monkeypatch.setattr(settings, "LEDGER_KEY", real)
    told = verify().problems
    assert [problem for problem in told if "not written with this key" in problem] == [
        f"entry {seq} was changed, or not written with this key" for seq in range(2, 6)
    ]
    assert "entry 5 is not the one that was anchored" in told


def test_a_seal_replayed_is_refused_by_the_database(owner: Connection) -> None:
    """With the guards on: an entry again as it is, and one that follows rightly with the seal of another."""
    for values in ("seq, {0}, previous, seal", "6, {0}, (SELECT max(seal) FROM ledger.entry WHERE seq = 5), previous"):
        with pytest.raises((psycopg.errors.RestrictViolation, psycopg.errors.UniqueViolation)):
            owner.execute(
                f"INSERT INTO ledger.entry (seq, {COPY}, previous, seal) SELECT {values.format(COPY)}"
                " FROM ledger.entry WHERE seq = 2".encode()
            )
    assert verify().problems == []


def test_the_site_s_role_swaps_texts_and_is_found(site_role: Connection) -> None:
    """It may erase texts and write those of its entries: with other words, or those of another entry."""
    salt = site_role.execute("SELECT salt FROM ledger.text WHERE entry_seq = 2").fetchone()
    assert salt is not None
    site_role.execute("DELETE FROM ledger.text WHERE entry_seq = 1")
    found("entry 1: the text “facts” is gone, and no entry says why")
    site_role.execute(
        "INSERT INTO ledger.text (entry_seq, name, salt, text) VALUES (1, 'facts', %s, 'words 2')", [salt[0]]
    )
    found("entry 1: the text “facts” was changed")


def test_a_forged_erasure_hides_no_text(site_role: Connection) -> None:
    """An entry that says “erased” and was not sealed with the key explains nothing."""
    site_role.execute("DELETE FROM ledger.text WHERE entry_seq = 1")
    site_role.execute(
        "INSERT INTO ledger.entry (seq, kind, subject, actor, at, data, commitments, previous, seal) SELECT 6,"
        " 'texts_erased', 'room:1', NULL, now(), '{\"entries\": [1], \"rule\": \"x\"}', '{}', seal, repeat('b', 64)"
        " FROM ledger.entry WHERE seq = 5"
    )
    found("entry 6 was changed, or not written with this key")
    found("entry 1: the text “facts” is gone, and no entry says why")


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER ledger_no_change ON ledger.entry",
        "ALTER TABLE ledger.entry DISABLE TRIGGER ledger_no_change",
        "ALTER TABLE ledger.entry ENABLE REPLICA TRIGGER ledger_no_change",
        # The name stays, and it does nothing.
        "CREATE OR REPLACE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE ON ledger.entry FOR EACH ROW"
        " WHEN (OLD.seq < 0) EXECUTE FUNCTION ledger.refuse()",
        "CREATE OR REPLACE TRIGGER ledger_no_change BEFORE UPDATE ON ledger.entry FOR EACH ROW"
        " EXECUTE FUNCTION ledger.refuse()",
        "CREATE OR REPLACE FUNCTION ledger.refuse() RETURNS trigger LANGUAGE plpgsql"
        " SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN OLD; END'",
        "ALTER FUNCTION ledger.refuse() SET search_path = public, pg_catalog",
    ],
)
@pytest.mark.usefixtures("repaired")
def test_a_guard_that_no_longer_guards_is_found(owner: Connection, statement: str) -> None:
    owner.execute(statement.encode())
    found("the guard ledger_no_change is gone or switched off")


@pytest.mark.parametrize(
    ("made", "undone", "told"),
    [
        (
            "CREATE RULE nothing AS ON INSERT TO ledger.entry DO INSTEAD NOTHING",
            "DROP RULE nothing ON ledger.entry",
            "a rule: nothing",
        ),
        (
            "CREATE TRIGGER zz BEFORE INSERT ON ledger.text FOR EACH ROW EXECUTE FUNCTION ledger.refuse()",
            "DROP TRIGGER zz ON ledger.text",
            "a trigger of others: zz",
        ),
    ],
)
def test_what_would_drop_new_entries_is_found(owner: Connection, made: str, undone: str, told: str) -> None:
    owner.execute(made.encode())
    try:
        found(told)
    finally:
        owner.execute(undone.encode())


def change(lines: list[str]) -> list[str]:
    return [lines[0].replace('"seq":5', '"seq":4')]


def forge(lines: list[str]) -> list[str]:
    return [*lines, lines[0].replace('"restored":""', '"restored":"the disk broke"')]


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (change, "line 1 of the anchors was not written with this key, or was changed"),
        (forge, "line 2 of the anchors was not written with this key, or was changed"),
    ],
)
def test_changed_anchors_are_found(tamper: Callable[[list[str]], list[str]], told: str) -> None:
    file = Path(settings.LEDGER_ANCHORS)
    file.write_text("".join(line + "\n" for line in tamper(file.read_text().splitlines())))
    found(told)


def test_a_restore_replayed_does_not_hide_a_cut_tail(owner: Connection) -> None:
    """Regression: the line of a real restore, copied to the end of the file, made the later anchors void."""
    behind(owner, "DELETE FROM ledger.text WHERE entry_seq > 2", "DELETE FROM ledger.entry WHERE seq > 2")
    restored = anchor(restored="disk broke on Monday")
    assert restored is not None and verify().problems == []
    with transaction.atomic():
        record_all([Act("acted", f"room:{number}", None) for number in range(3)])
    anchor()
    file = Path(settings.LEDGER_ANCHORS)
    lines = file.read_text().splitlines()
    behind(owner, "DELETE FROM ledger.entry WHERE seq > 2")
    file.write_text("".join(line + "\n" for line in [*lines, next(line for line in lines if "Monday" in line)]))
    found("line 4 of the anchors repeats an earlier one")
    found("entry 5 was anchored and is gone: the chain now ends at 2")


def test_two_hundred_appends_at_once_from_as_many_connections() -> None:
    """No gap, no deadlock: all are connected and in a transaction before the first one records."""
    failed: list[BaseException] = []
    backends: set[int] = set()
    start = threading.Barrier(WORKERS, timeout=60)

    def append(worker: int) -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                backends.add(cursor.fetchone()[0])
                start.wait()
                record_all([Act("acted", f"room:{worker}", worker)] * (1 + worker % 2))
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    before = Entry.objects.count()
    threads = [threading.Thread(target=append, args=(worker,)) for worker in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == [] and len(backends) == WORKERS
    wanted = before + WORKERS + WORKERS // 2
    assert list(Entry.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, wanted + 1))
    assert (verify().problems, verify().entries) == ([], wanted)
