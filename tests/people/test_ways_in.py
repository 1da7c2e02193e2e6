"""From a page through signing in or up and back to it: `next` at every step, and the language of the page."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.core import mail
from django.test import Client

from people.models import User
from tests.support.people import person
from tests.support.rooms import open_room
from tests.support.ways_in import entered

pytestmark = pytest.mark.django_db


def links(page: str, path: str) -> set[str]:
    """Addresses of all links of a page to this path, with their query."""
    return {unescape(found) for found in re.findall(rf'href="({path}[^"]*)"', page)}


def got(client: Client, address: str) -> str:
    return client.get(address, follow=True).content.decode()


def test_a_stranger_of_a_room_ends_up_in_it(client: Client) -> None:
    """By the header's link, through the sign-up and the link of the mail."""
    room = open_room()
    here = room.get_absolute_url()
    (sign_up,) = links(got(client, here), "/accounts/signup/")
    assert sign_up == f"/accounts/signup/?next=%2Fr%2F{room.slug}%2F"
    form = got(client, sign_up)
    assert f'name="next" value="{here}"' in form
    sent = client.post("/accounts/signup/", {**entered(), "next": here}, follow=True).content.decode()
    assert "Look in your mail" in sent
    letter = re.search(r"http://\S+(/accounts/confirm-email/\S+)", str(mail.outbox[-1].body))
    assert letter is not None
    shown = got(client, letter[1])
    button = re.search(r'<form class="form" method="post" action="(/accounts/confirm-email/[^"]+)"', shown)
    wanted = re.search(r'name="next" value="([^"]+)"', shown)
    assert button is not None and wanted is not None
    answer = client.post(button[1], {"next": wanted[1]})
    assert answer["Location"] == here
    (told,) = re.findall(r"<li class=\"message[^>]*>([^<]*)", got(client, here))
    assert told.endswith("is confirmed."), "one line, not two"


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"])
def test_pages_of_the_way_in_keep_where_it_leads(client: Client, path: str) -> None:
    page = got(client, f"{path}?next=/r/abc/%3Fq%3D1")
    for way in ("/accounts/login/", "/accounts/signup/"):
        found = links(page, way)
        assert found and all(link.endswith(("?next=%2Fr%2Fabc%2F%3Fq%3D1", "?next=/r/abc/%3Fq%3D1")) for link in found)
    elsewhere = got(client, f"{path}?next=https://evil.example/")
    assert not any("evil" in link for link in links(elsewhere, "/accounts/"))


def test_what_cannot_be_read_is_refused_in_words(client: Client) -> None:
    """The page that says so does not ask for the way back, which stands in what cannot be read."""
    for path in ("/accounts/login/", "/rules/", "/accounts/password/reset/"):
        answer = client.get(path + "?" + "a=1&" * 2000)
        assert answer.status_code == (200 if path == "/rules/" else 400), path
        assert "<h1>" in answer.content.decode()


def test_a_page_leads_back_to_itself_with_its_query(client: Client) -> None:
    for address, query in (("/", ""), ("/rules/", "?next=%2Frules%2F"), ("/rules/?a=1", "?next=%2Frules%2F%3Fa%3D1")):
        page = got(client, address)
        assert links(page, "/accounts/login/") == {f"/accounts/login/{query}"}, address
        assert links(page, "/accounts/signup/") == {f"/accounts/signup/{query}"}, address
    assert links(got(client, f"/rules/?{'a' * 600}"), "/accounts/login/") == {"/accounts/login/"}


def test_the_language_is_changed_on_the_page_and_marked(client: Client) -> None:
    room = open_room()
    for address in (f"/r/{room.slug}/", "/accounts/signup/?next=/rules/"):
        page = got(client, address)
        assert f'name="next" value="{address}"' in page
        chosen = client.post("/i18n/setlang/", {"language": "nl", "next": address})
        assert chosen["Location"] == address
        current = re.findall(r'value="(\w+)" lang="\w+"\s+aria-current="true"', got(client, address))
        assert current == ["nl"]
        client.post("/i18n/setlang/", {"language": "en", "next": address})
    client.force_login(person("anna"))
    assert "setlang" not in got(client, "/rules/"), "an account has its own"
    assert User.objects.filter(handle="anna").exists()


def test_a_refused_sign_up_lists_what_is_wrong_and_leads_there(client: Client) -> None:
    """The list has the focus without script too; each line leads to its field."""
    page = client.post("/accounts/signup/", entered(password1="short", born="", rules=None)).content.decode()
    summary = page[page.index("data-summary") :].partition("</div>")[0]
    assert re.search(r'class="wrong" tabindex="-1"[^>]* autofocus', page)
    assert re.findall(r'href="#(\w+)"', summary) == ["id_password1", "id_born", "id_rules"]
    assert all(f'id="{name}"' in page for name in ("id_password1", "id_born", "id_rules"))
    assert "<a href" not in summary.partition("#id_rules")[2].partition("</a>")[0], "no link within a link"
    assert "data-summary" not in got(client, "/accounts/signup/")
    wrong = client.post("/accounts/login/", {"login": "nobody", "password": "x"}).content.decode()
    assert re.search(r"autofocus data-summary>\s*<span>This handle", wrong)
