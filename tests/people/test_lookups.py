"""Look-ups of handles and addresses: an index answers each, and each finds every spelling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from people import queries
from people.accounts.adapter import AccountAdapter
from people.accounts.backend import by_address, by_login
from people.actions.account import set_email
from people.demo import ACCOUNTS, ensure_account
from people.models import User
from rooms.live.verbs.arguments import read_person
from rooms.models import Room
from tests.support.people import people, person
from tests.support.privileges import superuser
from tests.support.ways_in import entered, sign_in
from transcripts.models import Transcript
from transcripts.queries import CueFilter, page

pytestmark = pytest.mark.django_db


def of_the_api(speaker: str) -> None:
    page(Transcript(pk=1, room=Room(pk=1), language="en"), CueFilter(speaker=speaker))


LOOKUPS: dict[str, Callable[[], object]] = {
    "a person's page": lambda: queries.person("ANNA"),
    "a list of handles and addresses": lambda: queries.by_handles_or_emails(["@Anna", "anna@example.org"]),
    "Django's commands": lambda: User.objects.get_by_natural_key("Anna"),
    "a sign-in by handle": lambda: by_login("@ANNA"),
    "a sign-in by address": lambda: by_login("Nobody@Example.org"),
    "a reset": lambda: by_address("nobody@example.org"),
    "a sign-up": lambda: AccountAdapter().clean_username("Berta"),
    "the demo": lambda: ensure_account(ACCOUNTS[0], "!"),
    "a verb of a room": lambda: read_person("Anna"),
    "the lines of a speaker": lambda: of_the_api("Anna"),
}


def test_an_index_answers_each() -> None:
    """Among thousands of accounts no plan reads all of them, in whatever order."""
    forget_statistics()
    person("anna")
    people(3000)
    accounts_of_the_demo = person(ACCOUNTS[0].handle)
    with connection.cursor() as cursor:
        # Without statistics a merge of two whole indexes may look as cheap as a search in both.
        for way in ("seqscan", "mergejoin", "hashjoin"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    for name, look_up in LOOKUPS.items():
        with CaptureQueriesContext(connection) as asked:
            look_up()
        scans = [scan for query in asked for scan in scans_of_accounts(query["sql"])]
        assert scans and all(map(by_index, scans)), (name, scans)
    (without,) = scans_of_accounts("SELECT id FROM people_user WHERE UPPER(handle) = UPPER('anna')")
    assert not by_index(without), "what this test is there to find"
    assert accounts_of_the_demo == ensure_account(ACCOUNTS[0], "!")


def forget_statistics() -> None:
    """Drop what autovacuum noted of other tests' accounts and addresses: where most were called Anna, or a table was
    empty, no index is worth its while."""
    with superuser() as connected:
        for table in ("people_user", "account_emailaddress"):
            connected.execute(
                "DELETE FROM pg_statistic WHERE starelid = %(table)s::regclass OR starelid IN"
                " (SELECT indexrelid FROM pg_index WHERE indrelid = %(table)s::regclass)",
                {"table": table},
            )
            connected.execute(
                "UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid = %(table)s::regclass OR oid IN"
                " (SELECT indexrelid FROM pg_index WHERE indrelid = %(table)s::regclass)",
                {"table": table},
            )


def by_index(scan: dict[str, Any]) -> bool:
    return scan["Node Type"] == "Bitmap Heap Scan" or "Index Cond" in scan


def scans_of_accounts(sql: str) -> list[dict[str, Any]]:
    """The nodes of a query's plan that read the table of accounts."""
    if not sql.startswith("SELECT") or "people_user" not in sql:
        return []
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (FORMAT JSON) " + sql)
        (((root,),),) = cursor.fetchall()
    found, nodes = [], [root["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if node.get("Relation Name") == "people_user":
            found.append(node)
    return found


def test_a_mailbox_has_one_spelling(client: Client) -> None:
    anna = set_email(person("anna"), "Name@Müller.example", confirmed=True)
    assert anna.email == "name@xn--mller-kva.example"
    for spelling in ("name@müller.example", "NAME@MÜLLER.EXAMPLE", "name@xn--mller-kva.example"):
        assert by_login(spelling) == anna and by_address(spelling) == anna
        assert queries.by_handles_or_emails([spelling]).people == [anna]
    assert sign_in(client, "name@müller.example").status_code == 302
    assert by_login("jürgen@müller.example") is None and by_login("x@\u2019.example") is None


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("jürgen@example.org", "before the @ it has a letter"),
        ("name@\u00ad.example", "no such name behind the @"),
        ("nobody", "Enter a valid email address"),
        ("a@b@example.org", "Enter a valid email address"),
        ("b@example.org\r\nBcc: c@example.org", "Enter a valid email address"),
    ],
)
def test_an_address_to_which_no_mail_can_be_sent_is_refused_at_the_form(address: str, told: str) -> None:
    answer = Client().post("/accounts/signup/", entered(email=address))
    assert answer.status_code == 200 and told in answer.content.decode()
    reset = Client().post("/accounts/password/reset/", {"email": address})
    assert reset.status_code == 200 and told in reset.content.decode()
    assert not User.objects.exists()


def test_a_command_refuses_it_too() -> None:
    with pytest.raises(ValidationError):
        set_email(person("anna"), "jürgen@example.org")
