"""Entries in the admin: as sentences, and hidden from those who are party to them; and acts without an entry."""

from collections.abc import Iterator

import pytest
from django.db import transaction
from django.db.models import Q
from django.test import Client
from django.utils import translation

from ledger.actions import erase_texts, record
from ledger.hooks import entry_texts, hidden_entries
from ledger.models import Entry
from ledger.queries import entry_lines, text_of, visible_entries
from ledger.verify import verify
from people.actions.standing import close_account, impose_sanction, lift_sanction, reopen_account
from people.models import User
from retention.models import PurgeReceipt
from retention.purge import sweep
from tests.support.people import person
from tests.support.privileges import Connection
from tests.support.rooms import due_at
from tests.support.staff import sign_in_staff
from tests.support.traces import marked_room

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/ledger/entry/"


@pytest.fixture
def boss() -> User:
    return person("boss", is_staff=True, is_superuser=True)


@pytest.fixture
def _party(boss: User) -> Iterator[None]:
    """`boss` is party to room 1, and to nothing else; two sources say nothing."""
    hidden_entries.register("test")(lambda reader: Q(subject="room:1") if reader == boss.pk else Q())
    hidden_entries.register("nothing")(lambda reader: Q())
    yield
    hidden_entries.unregister("test")
    hidden_entries.unregister("nothing")


def write() -> None:
    for room in (1, 2):
        with transaction.atomic():
            record("recording_retried", f"room:{room}", None, {"attempts": 3, "state": "failed"})


@pytest.mark.usefixtures("_party")
def test_a_party_finds_nothing_in_list_search_or_page(boss: User) -> None:
    write()
    client = sign_in_staff(Client(), boss)
    for address in (LIST, f"{LIST}?q=recording_retried"):
        page = client.get(address).content.decode()
        assert "room:2<" in page and "room:1<" not in page, address
    for question in ("room:1", "1"):
        assert "room:1<" not in client.get(LIST, {"q": question}).content.decode()
    gone, there = client.get(f"{LIST}1/change/"), client.get(f"{LIST}2/change/")
    assert (gone.status_code, there.status_code) == (302, 200), "as for an entry that does not exist"
    assert client.get(f"{LIST}1/history/").status_code == client.get(f"{LIST}99/history/").status_code == 302
    other = sign_in_staff(Client(), person("other", is_staff=True, is_superuser=True))
    assert other.get(f"{LIST}1/change/").status_code == 200
    assert "room:1<" in other.get(LIST).content.decode()
    assert [entry.seq for entry in visible_entries(boss.pk)] == [2]
    assert not visible_entries(boss.pk, Entry.objects.filter(subject="room:1")).exists()


def texts() -> list[str]:
    return [line.text for line in entry_lines(Entry.objects.order_by("seq"))]


def test_entries_read_like_sentences(boss: User) -> None:
    mara = person("mara")
    sanction = impose_sanction(mara, "no_stage", boss, "shouted")
    lift_sanction(sanction, boss, "said sorry")
    close_account(mara, None, "asked for it")
    reopen_account(mara, None, "asked for it")
    with transaction.atomic():
        erase_texts([f"person:{mara.pk}"], None, "test")
        record("host_download", "room:7", mara.pk, {"export": "00ff", "bytes": 2048})
        record("replay_announced", "room:7", mara.pk, {"policy": "anyone"})
        record("unheard_of", "room:7", 10**9)
    lines = entry_lines(Entry.objects.order_by("seq"))
    assert [line.text for line in lines] == [
        "Imposed for good: no place on any stage",
        "Lifted: no place on any stage",
        "Account closed",
        "Account reopened",
        "Texts of 4 entries erased",
        "Everything downloaded, 2.0\xa0KB",
        "Publication announced: Anyone with the link",
        "Unheard of",
    ]
    assert lines[0].actor == str(boss) and lines[2].actor == "" and lines[7].actor == "account 1000000000"
    page = sign_in_staff(Client(), boss).get(LIST).content.decode()
    assert "Imposed for good: no place on any stage" in page and "the system" in page and "@boss" in page
    assert "Account closed" in sign_in_staff(Client(), boss).get(f"{LIST}3/change/").content.decode()


@pytest.mark.parametrize("kind", [kind for kind, _write in entry_texts.items()])
def test_a_forged_entry_is_shown_too(kind: str, boss: User) -> None:
    """The site's role may append nonsense: whatever values an entry has, its page opens."""
    for data in ({}, {"files": "x", "bytes": [], "kind": {}, "policy": [], "entries": 7, "until": 5, "pieces": None}):
        with transaction.atomic():
            record(kind, "x", None, data)
    with translation.override("nl"):
        assert all(texts())
        assert text_of(Entry(kind=kind, data=[1]))
    client = sign_in_staff(Client(), boss)
    assert client.get(LIST).status_code == client.get(f"{LIST}2/change/").status_code == 200


def test_a_purge_without_its_entry_is_found(privileged: Connection) -> None:
    rooms = [marked_room("quixotryzebra", number) for number in range(2)]
    sweep(max(due_at(room) for room in rooms))
    assert verify().problems == []
    first, second = PurgeReceipt.objects.order_by("room")
    privileged.execute("UPDATE retention_purgereceipt SET digest = repeat('0', 64) WHERE room = %s", [first.room])
    seq = Entry.objects.get(subject=f"room:{first.room}", kind="purged").seq
    assert verify().problems == [
        f"the purge of room {first.room} has a receipt and no entry for it",
        f"entry {seq} records a purge whose receipt is gone, or another one",
    ]
    privileged.execute("UPDATE retention_purgereceipt SET digest = %s WHERE room = %s", [first.digest, first.room])
    privileged.execute("DELETE FROM retention_purgereceipt WHERE room = %s", [second.room])
    assert len(verify().problems) == 1 and "whose receipt is gone" in verify().problems[0]
