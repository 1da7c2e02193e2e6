"""Guessing is slowed, and nobody locks out another."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.core import mail
from django.test import Client

from people.models import User
from tests.support.people import PASSWORD, person
from tests.support.staff import SECRET, second_step_of
from tests.support.ways_in import code_of, entered, sign_in, signed_in

pytestmark = pytest.mark.django_db
ATTACKER, OWNER = "127.0.0.2", "127.0.0.3"
TOO_MANY = "Too many tries from here"
WRONG = "address or password is not right"


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    """Use a fast hasher: these tests count hundreds of tries."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]


def somebody(handle: str) -> User:
    user = person(handle)
    User.objects.filter(pk=user.pk).update(password=make_password(PASSWORD))
    return user


def at(address: str) -> Client:
    return Client(REMOTE_ADDR=address)


@pytest.mark.parametrize("login", ["anna", "anna@example.org", "@ANNA"])
def test_an_attacker_locks_out_nobody_else_and_is_refused_with_the_right_password(login: str) -> None:
    somebody("anna")
    attacker, owner = at(ATTACKER), at(OWNER)
    pages = [sign_in(attacker, login, "wrong").content.decode() for _number in range(50)]
    assert WRONG in pages[0] and TOO_MANY in pages[-1]
    assert sum(WRONG in page for page in pages) <= 7
    assert TOO_MANY in sign_in(attacker, "anna").content.decode() and not signed_in(attacker)
    assert sign_in(owner, "anna").status_code == 302 and signed_in(owner)


def test_the_limit_is_the_same_for_an_account_that_is_not_there() -> None:
    pages = [sign_in(at(ATTACKER), "nobody", "wrong").content.decode() for _number in range(8)]
    assert WRONG in pages[4] and TOO_MANY in pages[-1]


def test_one_address_over_many_handles_is_slowed(settings: Any) -> None:
    settings.SIGN_IN_TRIES_ADDRESS = 10
    attacker = at(ATTACKER)
    pages = [sign_in(attacker, f"handle{number}", "wrong").content.decode() for number in range(40)]
    assert sum(WRONG in page for page in pages) < 20 and TOO_MANY in pages[-1]
    somebody("anna")
    assert sign_in(at(OWNER), "anna").status_code == 302


def test_many_addresses_slow_a_handle_but_not_the_browser_that_knows_it(settings: Any) -> None:
    settings.SIGN_IN_TRIES_ACCOUNT = 10
    somebody("anna")
    owner = at(OWNER)
    assert sign_in(owner, "anna").status_code == 302
    owner.post("/accounts/logout/")
    pages = [sign_in(at(f"127.0.9.{number}"), "anna", "wrong").content.decode() for number in range(1, 16)]
    assert sum(WRONG in page for page in pages) < 13 and TOO_MANY in pages[-1]
    assert TOO_MANY in sign_in(at("127.0.0.9"), "anna").content.decode()
    # The owner's browser, even at the attackers' address.
    owner.defaults["REMOTE_ADDR"] = "127.0.9.3"
    assert sign_in(owner, "anna").status_code == 302 and signed_in(owner)


def test_the_cookie_of_a_browser_is_a_limit_of_its_own_and_opens_nothing() -> None:
    somebody("anna")
    somebody("bert")
    mallory = at(ATTACKER)
    sign_in(mallory, "bert")
    mallory.post("/accounts/logout/")
    assert mallory.cookies["stamtafel_device"]["httponly"]
    pages = [sign_in(mallory, "anna", "wrong").content.decode() for _number in range(8)]
    assert TOO_MANY in pages[-1]  # it knows bert, not anna
    pages = [sign_in(mallory, "bert", "wrong").content.decode() for _number in range(8)]
    assert TOO_MANY in pages[-1]
    forged = at(OWNER)
    forged.cookies["stamtafel_device"] = mallory.cookies["stamtafel_device"].value[:-3] + "abc"
    assert sign_in(forged, "anna").status_code == 302


def test_right_passwords_cost_nothing() -> None:
    somebody("anna")
    for _number in range(9):
        assert sign_in(at(OWNER), "anna").status_code == 302


def test_codes_are_limited_by_account_and_address() -> None:
    second_step_of(somebody("anna"))
    attacker, owner = at(ATTACKER), at(OWNER)
    for client in (attacker, owner):
        assert sign_in(client, "anna")["Location"].startswith("/accounts/2fa/authenticate/")
    step = "/accounts/2fa/authenticate/"
    pages = [attacker.post(step, {"code": "000000"}).content.decode() for _number in range(12)]
    assert TOO_MANY in pages[-1] and TOO_MANY not in pages[3]
    assert attacker.post(step, {"code": code_of(SECRET)}).status_code == 200 and not signed_in(attacker)
    assert owner.post(step, {"code": code_of(SECRET)}).status_code == 302 and signed_in(owner)


def test_nobody_is_flooded_with_mails_and_the_page_says_the_same() -> None:
    somebody("anna")
    answers = [
        at(f"127.0.8.{n}").post("/accounts/password/reset/", {"email": "anna@example.org"}) for n in range(1, 12)
    ]
    assert {answer.status_code for answer in answers} == {302} and len(mail.outbox) == 4
    for number in range(1, 12):
        form = entered(email="anna@example.org", username=f"other{number}")
        assert at(f"127.0.8.{number}").post("/accounts/signup/", form)["Location"] == "/accounts/confirm-email/"
    assert len(mail.outbox) == 8


def test_one_address_has_only_so_many_mails_sent(settings: Any) -> None:
    settings.ACCOUNT_MAILS_BY = 6
    client = at(ATTACKER)
    for number in range(12):
        client.post("/accounts/password/reset/", {"email": f"a{number}@example.org"})
    assert len(mail.outbox) <= 7
