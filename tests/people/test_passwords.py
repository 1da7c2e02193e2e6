"""One password on every keyboard: composed (Windows, Android) or decomposed (as macOS may send it), by every way in."""

from __future__ import annotations

import unicodedata
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher, check_password, make_password
from django.core.management import call_command
from django.test import Client

from people.models import User
from tests.support.people import person
from tests.support.ways_in import confirm, entered, reset, sign_in, signed_in

pytestmark = pytest.mark.django_db
COMPOSED = unicodedata.normalize("NFC", "één café à la crème")
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)
BOTH = pytest.mark.parametrize(("first", "then"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)], ids=["nfc", "nfd"])


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Any) -> None:
    """Use a fast hasher: these tests are about the input of hashes, and sign in several times each."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]


def gets_in(password: str, handle: str = "anna") -> bool:
    browser = Client()
    sign_in(browser, handle, password)
    return signed_in(browser)


def old_account(password: str) -> User:
    """An account whose password was hashed as it was typed."""
    anna = person("anna")
    User.objects.filter(pk=anna.pk).update(password=make_password(password))
    anna.refresh_from_db()
    return anna


@BOTH
def test_signing_up_and_in(first: str, then: str) -> None:
    browser = Client()
    assert browser.post("/accounts/signup/", entered(username="anna", password1=first)).status_code == 302
    anna = User.objects.get(handle="anna")
    assert check_password(COMPOSED, anna.password)
    assert anna.check_password(first) and anna.check_password(then) and not anna.check_password(then + "x")


@BOTH
def test_changing_it(first: str, then: str) -> None:
    anna = person("anna")
    anna.set_password(first)
    anna.save()
    browser = Client()
    sign_in(browser, "anna", then)
    fields = {"oldpassword": then, "password1": first + " 2", "password2": then + " 2"}
    assert browser.post("/accounts/password/change/", fields).status_code == 302
    assert gets_in(first + " 2") and not gets_in(first)


@BOTH
def test_a_reset_and_saying_it_again(first: str, then: str) -> None:
    person("anna")
    reset("anna@example.org", first)
    browser = Client()
    sign_in(browser, "anna", then)
    assert signed_in(browser)
    confirm(browser, first)
    confirm(browser, then)
    assert signed_in(browser)


@BOTH
def test_an_old_password_still_works_and_is_hashed_anew(first: str, then: str) -> None:
    """`first` was hashed as typed, long ago: whoever types it so gets in, and from then on however they type it."""
    old_account(first)
    assert gets_in(first)
    assert check_password(COMPOSED, User.objects.get().password)
    assert gets_in(then) and not gets_in(then + "x")


def test_saying_an_old_password_again_signs_nobody_out() -> None:
    """A new hash would end the session that asks."""
    anna = old_account(DECOMPOSED)
    browser = Client()
    browser.force_login(anna)
    confirm(browser, DECOMPOSED)
    assert signed_in(browser)


def test_as_many_hashes_whether_somebody_is_found_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    anna = person("anna")
    anna.set_password("something else")
    anna.save()
    counted: list[str] = []
    encode = MD5PasswordHasher.encode

    def count(self: MD5PasswordHasher, password: str, salt: str) -> str:
        counted.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", count)

    def hashes(handle: str, password: str) -> int:
        counted.clear()
        sign_in(Client(), handle, password)
        return len(counted)

    for password in ("plain and wrong", COMPOSED, DECOMPOSED):
        assert hashes("anna", password) == hashes("nobody", password) > 0


def test_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", DECOMPOSED)
    given: dict[str, Any] = {"handle": "boss", "email": "boss@example.org", "interactive": False, "stdout": StringIO()}
    call_command("createsuperuser", **given)
    assert check_password(COMPOSED, User.objects.get().password)


@pytest.mark.parametrize("login", ["@anna", " Anna ", "\uff21\uff2e\uff2e\uff21", "Anna@Example.ORG"])
def test_a_handle_or_address_as_a_keyboard_writes_it(login: str) -> None:
    browser = Client()
    person("anna")
    sign_in(browser, login)
    assert signed_in(browser)


def test_a_handle_is_kept_in_plain_letters() -> None:
    assert Client().post("/accounts/signup/", entered(username=" @\uff21\uff4e\uff4e\uff41")).status_code == 302
    assert User.objects.get().handle == "Anna"
