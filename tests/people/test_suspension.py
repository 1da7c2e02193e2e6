"""A suspended person signs in, reads why, and signs out; nothing else answers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from people.actions.standing import close_account, impose_sanction, lift_sanction
from tests.support.people import PASSWORD, api_client, person
from tests.support.ways_in import seen, sign_in

pytestmark = pytest.mark.django_db


def test_every_page_but_the_way_out_says_so_and_until_when() -> None:
    anna = person("anna", time_zone="Asia/Tokyo")
    until = timezone.now().replace(hour=20, minute=5) + timedelta(days=3)
    sanction = impose_sanction(anna, "suspended", None, "shouting", until)
    client = Client()
    assert sign_in(client, "anna").status_code == 302
    for path in ("/", "/settings/", "/people/anna/", "/dashboard/", "/accounts/password/change/", "/nowhere/"):
        answer = client.get(path)
        page = answer.content.decode()
        assert answer.status_code == 403 and "Your account is suspended" in page and "05:05" in page, path
    for path in ("/rules/", "/healthz", "/accounts/logout/"):
        assert client.get(path).status_code == 200, path
    answer = client.get("/api/v1/me/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "account_suspended")
    answer = api_client(anna).get("/api/v1/me/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "account_suspended")
    client.post("/accounts/logout/")
    assert client.get("/").status_code == 200
    lift_sanction(sanction, None, "over")
    sign_in(client, "anna")
    assert client.get("/settings/").status_code == 200


@pytest.mark.parametrize("kind", ["warning", "no_stage", "no_hosting"])
def test_other_sanctions_leave_the_pages_open(kind: str) -> None:
    anna, client = person("anna"), Client()
    impose_sanction(anna, kind, None, "shouting")
    client.force_login(anna)
    assert client.get("/settings/").status_code == 200


def test_a_closed_account_gets_no_link_and_the_page_does_not_tell() -> None:
    close_account(person("anna"), None, "spam")
    answers = [
        Client().post("/accounts/password/reset/", {"email": f"{name}@example.org"}, follow=True)
        for name in ("anna", "nobody")
    ]
    assert seen(answers[0]) == seen(answers[1])
    first, second = mail.outbox
    assert "closed" in first.body and "/password/reset/key/" not in f"{first.body}{second.body}"
    client = Client()
    answer = client.post("/accounts/login/", {"login": "anna", "password": PASSWORD}, follow=True)
    assert "This account is closed" in answer.content.decode() and client.get("/settings/").status_code == 302
