"""A download of the own data is fetched by its owner alone, while it is there, and not by many connections at once."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Generator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from ledger.models import Entry
from pages.own_data_views import still_allowed
from people.actions.standing import close_account, impose_sanction
from people.models import DataExport, Session, User
from people.own_data import files, making
from people.own_data.actions import ready_export
from tests.support.own_data import made
from tests.support.people import PASSWORD, api_client, person

pytestmark = pytest.mark.django_db
PAGE = "/settings/data/"


@pytest.fixture(autouse=True)
def _streams_are_read_at_once() -> Generator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume asynchronous iterators")
        yield


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address(export: DataExport) -> str:
    return f"{PAGE}{export.pk}/download/"


def kinds(user: User) -> list[str]:
    return list(Entry.objects.filter(subject=f"person:{user.pk}").order_by("seq").values_list("kind", flat=True))


def body(answer: Any) -> bytes:
    async def read() -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])

    return asyncio.run(read())


def age(export: DataExport, **values: timedelta) -> None:
    """Move moments of a row into the past."""
    DataExport.objects.filter(pk=export.pk).update(**{name: timezone.now() - by for name, by in values.items()})


def test_its_owner_downloads_it_whole_in_parts_and_asks_for_its_head() -> None:
    anna = person("anna")
    export, client = made(anna), signed_in(anna)
    content = files.path_of(export.file).read_bytes()
    page = client.get(PAGE).content.decode()
    assert address(export) in page and "Your download is ready" in page
    whole = client.get(address(export))
    assert whole.status_code == 200 and body(whole) == content
    assert whole["Content-Disposition"].startswith('attachment; filename="own-data-anna-')
    assert whole["Cache-Control"] == "private, no-store" and whole["Content-Type"] == "application/zip"
    part = client.get(address(export), headers={"range": "bytes=10-19"})
    assert (part.status_code, body(part)) == (206, content[10:20])
    assert client.get(address(export), headers={"range": f"bytes={len(content)}-"}).status_code == 416
    head = client.head(address(export))
    assert (head.status_code, head["Content-Length"], head.content) == (200, str(len(content)), b"")
    assert client.post(address(export)).status_code == 405
    assert kinds(anna).count("own_data_downloaded") == 1  # noted once an hour
    age(export, downloaded_at=timedelta(hours=2))
    body(client.get(address(export), headers={"range": "bytes=1-"}))  # nobody goes round the ledger by a range
    assert kinds(anna).count("own_data_downloaded") == 2


def test_nobody_else_gets_it() -> None:
    anna, bert = person("anna"), person("bert")
    export = made(anna)
    other, admin = signed_in(bert), signed_in(person("root", is_staff=True, is_superuser=True))
    for client in (other, admin):
        for wanted in (address(export), f"{PAGE}{export.pk + 1}/download/", f"{PAGE}9{'9' * 17}/download/"):
            answer = client.get(wanted)
            assert answer.status_code in (302, 404) and not answer.streaming, wanted
    assert other.get(address(export)).status_code == 404
    assert other.get(f"{PAGE}{'9' * 30}/download/").status_code == 404
    for client in (Client(), api_client(anna)):
        assert client.get(address(export))["Location"].startswith("/accounts/login/")
    assert "own_data_downloaded" not in kinds(anna)
    for path in (f"/own-data/{export.file}", f"/pictures/{export.file}", f"/_recordings/{export.file}"):
        assert signed_in(anna).get(path).status_code == 404


def test_one_that_is_over_leads_to_the_page_that_says_so() -> None:
    anna = person("anna")
    export, client = made(anna), signed_in(anna)
    DataExport.objects.filter(pk=export.pk).update(expires_at=timezone.now())
    answer = client.get(address(export), follow=True)  # before the sweep comes by
    assert answer.redirect_chain == [(PAGE, 302)] and "Download the file" not in answer.content.decode()
    making.sweep()
    export.refresh_from_db()
    assert (export.state, export.file) == ("expired", "") and export.ended_at and export.sha256
    assert list(files.folder().iterdir()) == []
    answer = client.get(address(export), follow=True)
    assert "Your last download was deleted" in answer.content.decode()
    assert client.head(address(export)).status_code == 302


def test_many_that_are_held_open_are_refused_by_person_and_by_address(settings: Any) -> None:
    anna = person("anna")
    export, client = made(anna), signed_in(anna)
    settings.DOWNLOADS_PER_PERSON = 2
    held = [client.get(address(export)) for _time in range(2)]
    refused = client.get(address(export))
    assert [answer.status_code for answer in held] == [200, 200] and refused.status_code == 429
    assert refused["Retry-After"] and not refused.streaming
    settings.DOWNLOADS_PER_ADDRESS = 2  # of which another person at the same address finds none left
    bert = person("bert")
    other = made(bert)
    assert signed_in(bert).get(address(other)).status_code == 429 and len(held) == 2
    assert "own_data_downloaded" not in kinds(bert)


def test_what_is_being_sent_stops_with_the_right_to_it() -> None:
    anna = person("anna")
    export, client = made(anna), signed_in(anna)
    ident = Session.objects.get().ident
    row = ready_export(anna, export.pk)
    assert row is not None and still_allowed(row, ident)
    client.logout()
    assert not still_allowed(row, ident)
    signed_in(anna)
    ident = Session.objects.get().ident
    assert still_allowed(row, ident)
    made(anna)  # another file took its place
    assert not still_allowed(row, ident)


def test_a_suspended_person_asks_and_downloads_and_a_closed_account_does_not() -> None:
    anna = person("anna")
    impose_sanction(anna, "suspended", None, "shouting")
    client = signed_in(anna)
    assert client.get("/settings/").status_code == 403 and PAGE in client.get("/").content.decode()
    assert client.get(PAGE).status_code == 200
    asked = client.post(f"{PAGE}ask/")
    assert client.get(asked["Location"]).status_code == 200
    client.post(asked["Location"], {"password": PASSWORD})
    export = DataExport.objects.get()
    assert making.make(export.pk) and client.get(address(export)).status_code == 200
    close_account(anna, None, "spam")
    assert ready_export(anna, export.pk) is None
