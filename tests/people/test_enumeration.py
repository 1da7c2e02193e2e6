"""No answer tells whether an address has an account; mails do, and they lead to SITE_URL alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from people.models import User
from tests.support.people import PASSWORD, person
from tests.support.ways_in import confirm, entered, link_in, seen, sign_in, signed_in

pytestmark = pytest.mark.django_db


def sign_up(client: Client, email: str, handle: str) -> Any:
    return client.post("/accounts/signup/?next=/creators/", entered(email=email, username=handle))


def test_a_sign_up_looks_the_same_for_a_known_and_a_new_address() -> None:
    person("anna")
    answers, costs = [], []
    for email, handle in (
        ("warm@example.org", "warm-up"),
        ("anna@example.org", "aaaa-x"),
        ("newx@example.org", "bbbb-x"),
    ):
        client = Client()
        with CaptureQueriesContext(connection) as asked:
            answer = sign_up(client, email, handle)
        costs.append(len(asked))
        after = client.get("/accounts/confirm-email/")
        answers.append((seen(answer), seen(after), seen(client.get("/accounts/login/"))))
        # What can be asked after it tells no more: the handle is taken, its page is not there, its password is right.
        again = Client().post("/accounts/signup/", entered(email="z@example.org", username=handle))
        assert "Somebody has this handle already" in again.content.decode()
        assert client.get(f"/people/{handle}/").status_code == 404
        signed = sign_in(Client(), handle, PASSWORD)
        assert signed["Location"] == "/accounts/confirm-email/", (email, signed.content)
    assert answers[1] == answers[2] and abs(costs[1] - costs[2]) <= 1


def test_the_password_just_given_does_not_tell_by_the_address_either() -> None:
    person("anna")
    for email, handle in (("anna@example.org", "aaaa-x"), ("newx@example.org", "bbbb-x")):
        sign_up(Client(), email, handle)
        mine = entered()["password1"] if email.startswith("new") else "not the one of anna"
        assert b"is not right" in sign_in(Client(), email, mine).content


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each hash of a password that is computed: next to that, everything else a request does takes no time."""
    hashes: list[str] = []

    def counting(compute: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **options: Any) -> Any:
            hashes.append(compute.__qualname__)
            return compute(*args, **options)

        return counted

    monkeypatch.setattr(Argon2PasswordHasher, "encode", counting(Argon2PasswordHasher.encode))
    monkeypatch.setattr(Argon2PasswordHasher, "verify", counting(Argon2PasswordHasher.verify))
    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", counting(PBKDF2PasswordHasher.encode))
    return hashes


def test_a_sign_up_takes_as_long_for_a_known_address(computed: list[str]) -> None:
    """A password that is computed for one of both only would tell them apart at once."""
    person("anna")
    counts = []
    for email, handle in (("anna@example.org", "known"), ("new@example.org", "fresh")):
        computed.clear()
        sign_up(Client(), email, handle)
        counts.append(len(computed))
    assert counts[0] == counts[1] > 0


def test_the_mail_tells_the_owner_what_there_is() -> None:
    person("anna", language="nl", display_name="Anna")
    sign_up(Client(), "anna@example.org", "mallory")
    (letter,) = mail.outbox
    assert letter.to == ["anna@example.org"]
    assert f"{settings.SITE_URL}/accounts/login/" in letter.body
    assert f"{settings.SITE_URL}/accounts/password/reset/" in letter.body and "/confirm-email/" not in letter.body
    assert "anna" in letter.body and "mallory" not in letter.body


def test_whoever_confirms_first_has_the_address() -> None:
    first, second = Client(), Client()
    sign_up(first, "a@example.org", "first")
    sign_up(second, "a@example.org", "second")
    links = [link_in(letter) for letter in mail.outbox]
    assert second.post(links[1])["Location"] == "/creators/" and signed_in(second)
    assert "This link no longer works" in first.post(links[0], follow=True).content.decode() and not signed_in(first)
    assert EmailAddress.objects.get().user.handle == "second" and User.objects.get(handle="first").email == ""


@pytest.mark.django_db(transaction=True)
def test_two_who_confirm_one_address_at_once_take_turns() -> None:
    """Each takes the address from the other; whoever is second finds it gone."""
    for number in range(4):
        email = f"same{number}@example.org"
        clients = [Client(), Client()]
        mail.outbox.clear()
        for place, client in enumerate(clients):
            sign_up(client, email, f"one{number}-{place}")
        links = [link_in(letter) for letter in mail.outbox]
        start = threading.Barrier(2)

        def confirm_it(client: Client, link: str, start: threading.Barrier = start) -> int:
            try:
                start.wait(30)
                return int(client.post(link).status_code)
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(confirm_it, clients, links))
        assert 302 in answers and set(answers) <= {302, 404}, answers
        assert EmailAddress.objects.get(email=email).verified and User.objects.filter(email=email).count() == 1


def test_reset_and_another_address_look_the_same_for_known_and_unknown() -> None:
    person("anna")
    person("bert")
    resets = [
        seen(Client().post("/accounts/password/reset/", {"email": f"{name}@example.org"}, follow=True))
        for name in ("anna", "nobody")
    ]
    assert resets[0] == resets[1]
    pages = []
    for name in ("bert", "noone"):
        client = Client()
        client.force_login(User.objects.get(handle="anna"))
        confirm(client)
        answer = client.post("/accounts/email/", {"action_add": "", "email": f"{name}@example.org"}, follow=True)
        pages.append(seen(answer)[3].replace(b"noone", b"bert"))
        EmailAddress.objects.filter(email=f"{name}@example.org", user__handle="anna").delete()
    assert pages[0] == pages[1]


def test_wrong_passwords_take_as_long_for_everybody(computed: list[str]) -> None:
    """One password is computed a try: for a handle, an address, one that is known and one that is not."""
    person("anna")
    for login in ("anna", "nobody", "anna@example.org", "no@example.org"):
        computed.clear()
        assert b"is not right" in sign_in(Client(), login, "wrong").content
        assert len(computed) == 1, (login, computed)


HOSTS = [
    {"HTTP_HOST": "localhost:6666"},
    {"HTTP_HOST": "127.0.0.1"},
    {"HTTP_HOST": "localhost", "HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_X_FORWARDED_PROTO": "https"},
]


@pytest.mark.parametrize("headers", HOSTS)
def test_no_mail_takes_its_links_from_the_request(headers: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    anna = person("anna")
    client = Client(**headers)
    for email in ("anna@example.org", "unknown@example.org"):
        client.post("/accounts/password/reset/", {"email": email})
    sign_up(client, "fresh@example.org", "fresh")
    sign_up(client, "anna@example.org", "stale")
    client.force_login(anna)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.post("/accounts/email/", {"action_add": "", "email": "other@example.org"})
    client.post("/settings/token/", {"name": "bot"})
    change = {"oldpassword": PASSWORD, "password1": "another long walk", "password2": "another long walk"}
    client.post("/accounts/password/change/", change)
    assert len(mail.outbox) == 7
    for letter in mail.outbox:
        words = f"{letter.subject} {letter.body}".replace(settings.SITE_URL, "")
        assert settings.SITE_URL in letter.body and "://" not in words, letter.body
        assert not any(name in words for name in ("6666", "evil", "127.0.0.1:", "testserver")), letter.body


def test_a_link_leads_on_within_the_site_alone() -> None:
    for number, wanted in enumerate(("https://evil.example/", "//evil.example/", "/\\evil.example", "/r/abc/")):
        Client().post(
            f"/accounts/signup/?next={wanted}", entered(email=f"a{number}@example.org", username=f"abc{number}")
        )
    bodies = [str(letter.body) for letter in mail.outbox]
    assert not any("evil" in body for body in bodies) and "next=%2Fr%2Fabc%2F" in bodies[3]
