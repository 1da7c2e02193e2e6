"""Static files answered without Django's middleware: byte for byte what it would answer, and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.test import override_settings

from config.static_files import CHUNK, StaticHandler

# Of Django's own way, which is compared here.
pytestmark = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume synchronous iterators:Warning")

THOSE_OF_DJANGO = [
    "config.headers.safe_headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
]
PAGE = Path(settings.STATIC_ROOT) / "css" / "tokens.css"
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


async def ask(application: Any, path: str, method: str = "GET", scheme: str = "http", **headers: str) -> Answer:
    """Status, headers in order and body of an answer, which came in pieces of at most CHUNK bytes."""
    sent = [(name.lower().replace("_", "-").encode(), value.encode("latin1")) for name, value in headers.items()]
    asked = {"method": method, "scheme": scheme, "path": path, "query_string": b""}
    known = {"headers": [(b"host", b"localhost"), *sent], "client": ("127.0.0.1", 4000), "server": ("127.0.0.1", 80)}
    scope = {"type": "http", "http_version": "1.1", **asked, **known}
    waiting = [{"type": "http.request"}]
    told: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.Event().wait()  # the client stays
        return waiting.pop()

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    await application(scope, receive, send)
    head, *pieces = told
    assert [piece.get("more_body", False) for piece in pieces] == [True] * (len(pieces) - 1) + [False]
    assert all(len(piece.get("body", b"")) <= CHUNK for piece in pieces)
    return head["status"], sorted(head["headers"]), b"".join(piece.get("body", b"") for piece in pieces)


@pytest.fixture
def files(static_files: None) -> list[str]:
    """Addresses of collected files: a style sheet, and the largest one."""
    root = Path(settings.STATIC_ROOT)
    paths = [PAGE, max(root.rglob("*"), key=lambda path: path.stat().st_size)]
    assert paths[1].stat().st_size > 2 * CHUNK
    return [f"/static/{path.relative_to(root)}" for path in paths]


ASKED: dict[str, dict[str, str]] = {
    "a file": {},
    "compressed": {"Accept_Encoding": "gzip, br"},
    "with gzip": {"Accept_Encoding": "gzip"},
    "a part": {"Range": "bytes=2-5"},
    "its end": {"Range": "bytes=-7"},
    "a part that is not there": {"Range": "bytes=999999999-"},
    "nonsense for a part": {"Range": "\xff"},
    "nonsense for a time": {"If_Modified_Since": "Sun, 99 Nov 99999 99:99:99 GMT"},
    "known since tomorrow": {"If_Modified_Since": "Sun, 01 Nov 2099 09:00:00 GMT"},
    "known": {"If_None_Match": "*"},
    "its head": {"method": "HEAD"},
    "a method that it has not": {"method": "POST"},
    "by HTTPS": {"scheme": "https"},
}


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("redirects", [False, True])
async def test_it_is_what_django_answers(files: list[str], name: str, redirects: bool) -> None:
    strict = {"SECURE_HSTS_SECONDS": 60, "SECURE_SSL_REDIRECT": redirects}
    with override_settings(MIDDLEWARE=THOSE_OF_DJANGO, **strict):
        django, ours = ASGIHandler(), StaticHandler()
        for path in files:
            expected = await ask(django, path, **ASKED[name])
            assert await ask(ours, path, **ASKED[name]) == expected
            assert redirects or expected[0] != 301
    assert b"Permissions-Policy" in dict(expected[1]) and b"X-Content-Type-Options" in dict(expected[1])


async def test_a_known_file_is_not_sent_again(files: list[str]) -> None:
    ours, content = StaticHandler(), PAGE.read_bytes()
    status, headers, body = await ask(ours, files[0])
    assert status == 200 and body == content
    assert (await ask(ours, files[0], If_None_Match=dict(headers)[b"ETag"].decode()))[::2] == (304, b"")


async def test_other_addresses_are_django_s(files: list[str]) -> None:
    """No address leads out of the folder."""
    ours = StaticHandler()
    assert (await ask(ours, "/healthz"))[0] == 200
    for path in ("/static/nowhere.css", "/static/../manage.py", "/static/", "/static", f"/{files[0]}", files[0] + "/"):
        assert path not in ours.whitenoise.files
