"""One parser for input of two kinds of client: cookies of pages and sockets, JSON of the API and sockets."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils.translation import get_language_from_request
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from config.fair import Handler
from config.plain_input import drop_cookies
from core.api.parsers import PlainJSONParser
from rooms.live.frames import BadFrame, parse
from rooms.rules import identity
from tests.support.people import person, session_cookie

NAME = settings.SESSION_COOKIE_NAME
ODD = ["a[b]=1", "x=a b", '{"a": 1, "b": [2]}', '"quoted; value"', "=", ";;", "novalue", f"{NAME}=other", "é=ü", "$P=/"]
ONE = st.sampled_from([*ODD, f"{NAME}=abc", f'{NAME}="abc"', f"{NAME.upper()}=x"]) | st.text(max_size=12)
COOKIES = st.lists(st.lists(ONE, max_size=5), min_size=1, max_size=3)


def scope_of(*cookies: bytes) -> dict[str, Any]:
    headers = [(b"host", b"localhost"), *((b"cookie", cookie) for cookie in cookies)]
    return {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}


def by_pages(scope: dict[str, Any]) -> dict[str, str]:
    request, wrong = Handler().create_request(scope, io.BytesIO())
    assert wrong is None
    drop_cookies(request)
    return dict(request.COOKIES)


@given(COOKIES)
@effort(max_examples=300, deadline=None)
def test_pages_and_sockets_read_the_same_cookies(headers: list[list[str]]) -> None:
    scope = scope_of(*("; ".join(cookies).encode("utf-8", "replace") for cookies in headers))
    assert identity.cookies_of(identity.headers_of(scope)) == by_pages(scope)


@pytest.mark.django_db
@pytest.mark.parametrize("foreign", [*ODD[:7], "x=a b; y=c d", 'pref={"k":"v w"}', "a=1; a=2"])
def test_a_foreign_cookie_signs_nobody_out(foreign: str) -> None:
    guest = person("guest")
    header = f"{foreign}; {session_cookie(guest)}"
    client = Client(HTTP_COOKIE=header)
    assert client.get("/api/v1/me/").json()["handle"] == "guest"
    cookies = identity.cookies_of(identity.headers_of(scope_of(header.encode())))
    assert identity.who_of_cookies(cookies).user == guest


TAGS = [
    "nl",
    "nl-BE",
    "NL_nl",
    "nl-nl-x-private",
    "en-GB",
    "de",
    "*",
    "nl;q=0.1",
    "en;q=0",
    "nl;q=x",
    "x" * 600,
    "é",
    "",
]
WANTED = st.lists((st.sampled_from(TAGS) | st.text(max_size=8)), max_size=4).map(",".join)


@given(st.lists(WANTED, max_size=2), st.sampled_from([None, *TAGS]) | st.text("nlNLbeBE-_", max_size=6))
@effort(max_examples=300, deadline=None)
def test_pages_and_sockets_speak_the_same_language(wanted: list[str], chosen: str | None) -> None:
    """Of a signed-out reader: what browsers ask for, and what was chosen in the footer of a page."""
    cookie = [] if chosen is None else [f"{settings.LANGUAGE_COOKIE_NAME}={chosen}".encode()]
    scope = scope_of(*cookie)
    scope["headers"] += [(b"accept-language", text.encode("utf-8", "replace")) for text in wanted]
    request, _wrong = Handler().create_request(scope, io.BytesIO())
    assert request is not None
    drop_cookies(request)
    headers = identity.headers_of(scope)
    spoken = identity.language_of(headers, identity.cookies_of(headers), identity.Who(None, "l:1"))
    assert spoken == get_language_from_request(request) and spoken.lower() in dict(settings.LANGUAGES)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [
        ("nl-BE", "nl"),
        ("NL-nl;q=0.9, en;q=0.1", "nl"),
        ("de, nl;q=0.5", "nl"),
        ("*", "en"),
        ("rubbish;;q=,", "en"),
        ("", "en"),
    ],
)
def test_a_page_is_in_the_language_that_is_wanted(client: Client, wanted: str, spoken: str) -> None:
    answer = client.get("/api/v1/me/", headers={"accept-language": wanted})
    assert answer.headers["Content-Language"] == spoken


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
).map(json.dumps)
RAW = st.sampled_from(
    [
        "[" * 1000 + "]" * 1000,
        "[" * 20 + "]" * 20,
        '{"a": 1, "a": 2}',
        "NaN",
        "-Infinity",
        "1e999",
        "9" * 5000,
        "9" * 30,
        '"\\ud800"',
        '"\\u0000"',
        "nonsense",
        "",
        '{"a":}',
    ]
)


@given(JSON | RAW | st.text('[]{}":,0123456789eE.-+ntrue\\u ', max_size=20))
@effort(max_examples=300, deadline=None)
def test_the_api_and_sockets_take_the_same_json(text: str) -> None:
    """A value that stands in a body and in a frame: both take it, or both refuse it in words of their own."""
    body = '{"id": 1, "do": "ping", "value": ' + text + "}"
    try:
        frame = parse({"text": body})
    except BadFrame as refused:
        assert refused.code in ("bad_value", "bad_frame", "unknown_verb")
        frame = None
    try:
        value = PlainJSONParser().parse(io.BytesIO(body.encode()))
    except ParseError as error:
        assert error.status_code == 400
        value = None
    assert (frame is None) == (value is None)
    if frame is not None:
        assert {"id": frame.id, "do": frame.verb, **frame.args} == value
