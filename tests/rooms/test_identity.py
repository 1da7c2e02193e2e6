"""Identity: cookies that cannot be forged, the same for pages and sockets, and checks of the origin."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.core import signing
from django.test import Client

from rooms.rules import identity
from rooms.rules.identity import COOKIE, COOKIE_DAYS, Who, new_key, sign, unsign
from tests.support.people import person, session_cookie
from tests.support.rooms import open_room

DAY = 86400


def made_at(when: float, key: str, monkeypatch: pytest.MonkeyPatch) -> str:
    with monkeypatch.context() as patch:
        patch.setattr("django.core.signing.time.time", lambda: when)
        return sign(key)


def test_a_cookie_of_ours_is_believed() -> None:
    key = new_key()
    assert key.startswith("a:") and unsign(sign(key)) == key
    assert new_key() != key


def test_a_cookie_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    assert unsign(made_at(now - (COOKIE_DAYS - 1) * DAY, "a:mine", monkeypatch)) == "a:mine"
    assert unsign(made_at(now - (COOKIE_DAYS + 1) * DAY, "a:mine", monkeypatch)) is None


def test_a_cookie_that_was_touched_is_nobodys() -> None:
    good = sign("a:mine")
    key, moment, seal = good.rsplit(":", 2)
    other = signing.TimestampSigner(salt="something else").sign("a:mine")
    forged = [
        "",
        ":",
        "a:mine",
        f"a:other:{moment}:{seal}",
        f"{key}:zzzzzz:{seal}",
        f"{key}:{moment}:",
        good[:-1],
        other,
    ]
    for cookie in [None, *forged, good + "x", "é", "\ud800", "a:" + "x" * 100_000]:
        assert unsign(cookie) is None, repr(cookie)[:60]
    assert unsign(sign("u:1")) is None, "an account is proven by a session, never by this cookie"


def test_another_installation_cannot_make_one(settings: Any) -> None:
    mine = sign("a:mine")
    settings.SECRET_KEY = "y" * 50
    assert unsign(mine) is None


@pytest.mark.django_db
def test_a_page_gives_a_key_once_and_takes_no_forged_one(client: Client) -> None:
    address = open_room().get_absolute_url()
    first = client.get(address).cookies[COOKIE]
    assert first["httponly"] and first["samesite"] == "Lax" and first["max-age"] == COOKIE_DAYS * DAY
    assert COOKIE not in client.get(address).cookies, "the browser has one"
    client.cookies[COOKIE] = "a:forged:1abcde:nothing"
    again = client.get(address).cookies[COOKIE]
    assert unsign(again.value) not in (None, unsign(first.value))
    client.cookies.clear()
    assert COOKIE not in client.get("/").cookies
    assert COOKIE not in client.get("/r/nosuchroom/").cookies


@pytest.mark.django_db
def test_who_is_signed_in_needs_no_key(client: Client) -> None:
    room = open_room()
    client.force_login(person("guest"))
    assert COOKIE not in client.get(room.get_absolute_url()).cookies


@pytest.mark.django_db
def test_a_socket_knows_who_the_page_knows() -> None:
    guest = person("guest")
    session = session_cookie(guest)
    listener = f"{COOKIE}={sign('a:mine')}"
    who = identity.who_of_cookies(identity.cookies_of({"cookie": f"{session}; {listener}"}))
    assert (who.user, who.key) == (guest, f"u:{guest.pk}")
    assert identity.who_of_cookies(identity.cookies_of({"cookie": listener})) == Who(None, "a:mine")
    guest.is_active = False
    guest.save()
    closed = identity.who_of_cookies(identity.cookies_of({"cookie": f"{session}; {listener}"}))
    assert closed == Who(None, "a:mine"), "a closed account is nobody's"


@pytest.mark.django_db
@pytest.mark.parametrize("cookie", ["", ";;;", "=", "\x00=\x01", f"{COOKIE}=", f"{COOKIE}=a:x:y:z", "sessionid=forged"])
def test_cookies_that_are_none(cookie: str) -> None:
    who = identity.who_of_cookies(identity.cookies_of({"cookie": cookie}))
    assert who.user is None and who.key.startswith("a:") and who.key != "a:x"


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("https://tables.example", "10.0.0.1:8000", True),
        ("https://trusted.example", "tables.example", True),
        ("http://localhost:8000", "localhost:8000", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("http://localhost:8001", "localhost:8000", False),
        ("http://tables.example", "10.0.0.1", False),
        ("https://tables.example.evil.example", "tables.example", False),
        ("https://evil.example", "evil.example", False),
        ("https://evil.example", "tables.example", False),
        ("wss://tables.example", "tables.example", False),
        ("https://", "tables.example", False),
        ("http://[", "tables.example", False),
        ("null", "tables.example", False),
        ("", "tables.example", False),
    ],
)
def test_origins(settings: Any, origin: str, host: str, allowed: bool) -> None:
    settings.SITE_URL, settings.CSRF_TRUSTED_ORIGINS = "https://tables.example", ["https://trusted.example"]
    settings.ALLOWED_HOSTS = ["localhost", "[::1]", "tables.example"]
    assert identity.origin_allowed({"origin": origin, "host": host}) is allowed
    assert identity.origin_allowed({"host": host}) is False
