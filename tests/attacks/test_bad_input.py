"""Malformed input to every address and verb is refused with a text, never with a server error or a traceback."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Generator
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from core.threads import in_thread
from people.models import User
from rooms.live.verbs.table import VERBS
from rooms.models import Room
from tests.attacks.addresses import addresses
from tests.support.client import Page, code
from tests.support.people import person, session_cookie
from tests.support.processes import LogTail, Site
from tests.support.rooms import consented, open_room, seated

pytestmark = pytest.mark.django_db(transaction=True)

CSRF = "k" * 32
OCTAL = '"\\000\\000\\000\\000\\000\\000\\000\\000"'  # read as eight NULs
LONG = "9" * 6000
FIELDS = (
    *("title", "topic", "language", "display_name", "about", "time_zone", "handle", "user", "version", "text"),
    *("login", "password", "password1", "email", "next", "plan", "action", "speak_policy", "transcribe", "published"),
    *("captions", "revision", "remove", "code", "name", "starts_at", "minimum", "old_enough", "rules", "_selected"),
    *("category", "starts", "ends", "words", "once", "form_owner"),
)
Headers = list[tuple[str, str]]
COOKIES = {
    name: [("Cookie", f"{cookie}={value}")]
    for cookie in ("sessionid", "csrftoken", "stamtafel_listener", "django_language", "tz", "messages")
    for name, value in {
        f"{cookie} of NULs": OCTAL,
        f"{cookie} too long": "x" * 5000,
        f"{cookie} of bytes": "\xff\xfe\xed\xa0\x80",
        f"{cookie} as a path": "../../../etc/passwd",
    }.items()
}
HEADERS: dict[str, Headers] = {
    **COOKIES,
    "a NUL in a header": [("X-Anything", "a\x00b"), ("Referer", "\x00")],
    "languages without end": [("Accept-Language", ",".join(["xx-" + "y" * 40] * 200))],
    "a language of NULs": [("Accept-Language", "\x00,en;q=NaN,*;q=1e999")],
    "a range of nonsense": [("Range", f"bytes={LONG}-{LONG}"), ("If-Range", "\xff\x00")],
    "ranges": [("Range", "bytes=-0,1-,--,5-1")],
    "dates of nonsense": [("If-Modified-Since", "Sun, 99 Nov 99999 99:99:99 GMT"), ("If-None-Match", 'W/"\x00')],
    "another host": [("Host", "evil.example:99999")],
    "a host of nonsense": [("Host", "[::1")],
    "a token of bytes": [("Authorization", "Token \xff\x00")],
    "a token of words": [("Authorization", "Token a b c")],
    "a type of nonsense": [("Content-Type", "multipart/form-data; boundary=\x00"), ("Accept", "\x00/\x00;q=x")],
    "a charset that is none": [("Content-Type", "text/html; charset=hex")],
    "an override": [("X-HTTP-Method-Override", "\x00"), ("X-Forwarded-Host", "evil.example")],
    "an address that is none": [("X-Forwarded-For", "\x00, 1.2.3, ::::")],
    "an encoding that is none": [("Content-Encoding", "gzip"), ("Accept-Encoding", "gzip;q=x, \x00")],
}
QUERIES = (
    *("?q=%00&next=%00&p=%00&o=%00", "?%00=1", "?q=%ED%A0%80&next=%ED%A0%80", f"?p={LONG}&page={LONG}&o=-{LONG}"),
    *("?from=NaN&to=1e999&after=-1&cursor=%FF&order=%00", "?" + "a=1&" * 2000, "?next=//evil.example&pk__exact=%27"),
)
SUFFIXES = ("%00", "%ED%A0%80", "%F0%9F%98%80", LONG, "..%2f..%2fmanage.py", "%0d%0aX:%201", "%27%22%3E")
FORM = "application/x-www-form-urlencoded"


def fields(value: str) -> bytes:
    """A form with every field that forms of ours have, set to one value (percent-encoded)."""
    return "&".join(f"{name}={value}" for name in FIELDS).encode()


def values(value: str) -> bytes:
    """The same as JSON, the value as it is written there."""
    return ("{" + ",".join(f'"{name}":{value}' for name in FIELDS) + "}").encode()


def parts(value: bytes, border: bytes = b"b") -> bytes:
    """The same as multipart, with a file."""
    form = b"".join(
        b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (border, name.encode(), value)
        for name in FIELDS
    )
    file = b'--%s\r\nContent-Disposition: form-data; name="picture"; filename="a\x00.png"\r\n\r\n%s\r\n'
    return form + file % (border, value) + b"--%s--\r\n" % border


JSON_VALUES = {
    "NUL": '"\\u0000"',
    "half a pair": '"\\ud800"',
    "a huge number": "1" + "0" * 400,
    "a number without end": LONG,
    "infinity": "1e999",
    "NaN": "NaN",
    "true": "true",
    "null": "null",
    "a list": '["\\ud800"]',
    "an object": '{"\\ud800": "\\u0000"}',
    "a long text": json.dumps("é" * 20_000),
}
BODIES: dict[str, tuple[str, bytes]] = {
    **{f"JSON: {name}": ("application/json", values(text)) for name, text in JSON_VALUES.items()},
    "JSON: lists in lists": ("application/json", b"[" * 1000 + b"]" * 1000),
    "JSON: objects in objects": ("application/json", b'{"title":' * 1000 + b"1" + b"}" * 1000),
    "JSON: deep in a field": ("application/json", values("[" * 900 + "]" * 900)),
    "JSON: only brackets": ("application/json", b"[" * 100_000),
    "JSON: keys twice": ("application/json", b'{"title":"a","title":"b","user":"a","user":"b"}'),
    "JSON: no object": ("application/json", b'["title"]'),
    "JSON: a number": ("application/json", b"1"),
    "JSON: cut off": ("application/json", b'{"title":'),
    "JSON: no UTF-8": ("application/json", b'{"title":"\xff\xfe"}'),
    "JSON: in UTF-16": ("application/json; charset=utf-16", json.dumps({"title": "x"}).encode("utf-16")),
    "JSON: charset hex": ("application/json; charset=hex", b"7b7d"),
    "JSON: charset idna": ("application/json; charset=idna", b"{}"),
    "JSON: nothing": ("application/json", b""),
    "form: NUL": (FORM, fields("%00")),
    "form: half a pair": (FORM, fields("%ED%A0%80")),
    "form: no UTF-8": (FORM, fields("%FF%FE")),
    "form: long": (FORM, fields("9" * 2000)),
    "form: too many": (FORM, b"a=1&" * 3000),
    "form: names of NUL": (FORM, b"%00=1&title%00=2"),
    "form: charset hex": (FORM + "; charset=hex", fields("1")),
    "multipart: NUL": ("multipart/form-data; boundary=b", parts(b"\x00")),
    "multipart: half a pair": ("multipart/form-data; boundary=b", parts(b"\xed\xa0\x80")),
    "multipart: no border": ("multipart/form-data", parts(b"1")),
    "multipart: cut off": ("multipart/form-data; boundary=b", parts(b"1")[:70]),
    "multipart: another border": ("multipart/form-data; boundary=c", parts(b"1")),
    "multipart: base64 that is none": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="x"\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n--b--\r\n',
    ),
    "no type": ("", b"\x00\x01"),
    "text": ("text/plain", b"title=1"),
    "a type of nonsense": ("\x00/;;", b"title=1"),
}


class Attacker:
    """One connection that is kept; notes what was answered with a failure."""

    def __init__(self, headers: Headers) -> None:
        self.headers = headers
        self.line = http.client.HTTPConnection("localhost", settings.PORT, timeout=30)
        self.failures: list[str] = []
        self.sent = 0

    def send(self, method: str, path: str, what: str, headers: Headers, body: bytes | None = None) -> int:
        """The status of the answer; 0 where the server hung up, which it may do on what is no HTTP."""
        self.sent += 1
        try:
            self.line.putrequest(method, path, skip_host=any(name == "Host" for name, _value in headers))
            for name, value in self._merged(headers):
                self.line.putheader(name, value.encode("latin1"))
            if body is not None:
                self.line.putheader("Content-Length", str(len(body)))
            self.line.endheaders(body)
            answer = self.line.getresponse()
            text, status = answer.read(), answer.status
        except (http.client.HTTPException, ConnectionError):
            self.line.close()
            return 0
        if status >= 500 and not (status == 503 and any(name in path for name in ("/readyz", ".m3u8"))):
            self.failures.append(f"{status} {method} {path[:70]} ({what}) {text[:60]!r}")
        return status

    def _merged(self, headers: Headers) -> Headers:
        """Our cookies and the hostile ones in one header, the hostile last, so that they win."""
        hostile = [value for name, value in headers if name == "Cookie"]
        ours = [value for name, value in self.headers if name == "Cookie"]
        others = [pair for pair in [*self.headers, *headers] if pair[0] != "Cookie"]
        named = {value.partition("=")[0] for value in hostile}
        kept = [cookie for value in ours for cookie in value.split("; ") if cookie.partition("=")[0] not in named]
        cookies = "; ".join([*kept, *hostile])
        return [*others, *([("Cookie", cookies)] if cookies else [])]


@pytest.fixture
def web(static_files: None, site: Site) -> Generator[Site]:
    """The web process as in production, without debug pages. Its log has no traceback afterwards."""
    # One person sends all of it: what is turned away for its pace would never reach the code that is attacked.
    site.start("web", PAGES_PER_PERSON="1000000", PAGES_PER_ADDRESS="1000000")
    log = LogTail(site.log("web"))
    yield site
    log.assert_no_failure()


@pytest.fixture
def room() -> Room:
    room = open_room()
    consented(room.host, room)
    seated("nora", room)
    return room


def places(room: Room) -> list[str]:
    """Addresses with parameters that lead somewhere."""
    known = {"slug": room.slug, "handle": "nora", "kind": "vtt", "pk": "1", "name": f"people/{'0' * 32}.webp"}
    known["receipt"] = str(UUID(int=1))
    return addresses(known)


def staff() -> Headers:
    """Signed in with every right; a new session, for some addresses end it."""
    user = User.objects.filter(handle="boss").first() or person("boss", is_staff=True, is_superuser=True)
    return [("Cookie", f"{session_cookie(user)}; csrftoken={CSRF}"), ("X-CSRFToken", CSRF)]


def turn(number: int, inputs: list[Any], few: int) -> list[Any]:
    """A few of the inputs for an address, other ones for the next: all code that is shared meets all of them."""
    return [inputs[(number * few + each) % len(inputs)] for each in range(few)]


def is_ours(path: str) -> bool:
    """Whether we wrote what answers; the admin and the pages of accounts are mostly the framework's."""
    return not path.startswith(("/admin/", "/accounts/"))


def hostile_gets(attacker: Attacker, room: Room) -> None:
    """Headers, cookies, queries and ends of addresses."""
    inputs = [*(("", name, headers) for name, headers in HEADERS.items()), *((query, "query", []) for query in QUERIES)]
    for query, what, headers in inputs:
        for path in ("/", f"/r/{room.slug}/", "/api/v1/me/", "/accounts/login/", "/admin/people/user/"):
            attacker.send("GET", path + query, what, headers)
    for number, path in enumerate(places(room)):
        for query, what, headers in turn(number, inputs, 4 if is_ours(path) else 1):
            attacker.send("GET", path + query, what, headers)
        attacker.send("GET", path.rstrip("/") + SUFFIXES[number % len(SUFFIXES)], "suffix", [])
    for path in ("/static/", "/pictures/", "/r/", "/hls/", "/files/", "/people/", "/nowhere/"):
        for suffix in SUFFIXES:
            attacker.send("GET", path + suffix, "suffix", [])


def methods_of(attacker: Attacker, path: str) -> list[str]:
    """Under which methods an address takes a body."""
    asked = ("POST", "PATCH", "PUT", "DELETE") if path.startswith("/api/") else ("POST",)
    return [method for method in asked if attacker.send(method, path, "nothing", [], b"") not in (404, 405)]


def hostile_bodies(attacker: Attacker, room: Room) -> None:
    """Bodies to whatever takes one: all to three addresses that stand for the rest, some to each."""
    inputs = [(name, [("Content-Type", kind)] if kind else [], body) for name, (kind, body) in BODIES.items()]
    for number, path in enumerate(places(room)):
        for method in methods_of(attacker, path):
            everything = path in ("/api/v1/me/", "/people/nora/follow/", "/settings/", "/settings/picture/")
            for what, kind, body in inputs if everything else turn(number, inputs, 9 if is_ours(path) else 2):
                attacker.send(method, path, what, kind, body)
        if "logout" in path or "password" in path:
            attacker.headers = staff()


def answer(path: str, headers: Headers, body: bytes | None = None) -> tuple[int, str]:
    """Status and text of a GET, or of a POST of JSON."""
    line = http.client.HTTPConnection("localhost", settings.PORT, timeout=30)
    sent = {**dict(headers), **({"Content-Type": "application/json"} if body is not None else {})}
    line.request("GET" if body is None else "POST", path, body, sent)
    found = line.getresponse()
    return found.status, found.read().decode()


def test_what_no_client_sends_is_refused_in_words_and_never_a_failure(web: Site, room: Room) -> None:
    attacker = Attacker(staff())
    hostile_gets(attacker, room)
    hostile_bodies(attacker, room)
    assert attacker.send("GET", "/settings/", "who is still signed in", []) == 200
    assert attacker.failures == [], "\n".join(attacker.failures)
    assert attacker.sent > 1000
    status, text = answer("/api/v1/rooms/?q=%00", attacker.headers)
    assert status == 400 and json.loads(text)["error"]["code"] == "bad_value"
    status, text = answer("/rules/?q=%00", [*attacker.headers, ("Accept-Language", "nl")])
    assert status == 400 and "<h1>" in text and "Traceback" not in text
    for body in (b"[" * 1000, b'{"title":"\\ud800"}', b'{"title":1e999}', b'{"title":"a","title":"b"}', b"x" * 300_000):
        status, text = answer("/api/v1/rooms/", attacker.headers, body)
        assert status == 400 and json.loads(text)["error"]["code"] == "bad_value", body[:30]
    assert answer("/settings/", [("Cookie", f"csrftoken={OCTAL}; sessionid={OCTAL}")])[0] == 302, "signed out, no more"


# --- WebSockets -----------------------------------------------------------------------------------------------------


async def knock(site: Site, slug: str, headers: Headers) -> int:
    """Shake hands with hostile headers: the close code or HTTP status, 1000 where the socket greets us."""
    try:
        async with connect(
            f"{site.ws_url}/ws/rooms/{slug}/",
            origin=Origin(site.url),
            additional_headers=headers,
            open_timeout=10,
            proxy=None,
        ) as socket:
            first = json.loads(await asyncio.wait_for(socket.recv(), 10))
            if first.get("type") == "snapshot":
                return 1000
            await socket.wait_closed()
            return socket.close_code or 0
    except InvalidStatus as refused:
        return refused.response.status_code
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 0


async def test_what_no_client_sends_over_a_socket(web: Site, room: Room) -> None:
    await hostile_handshakes(web, room)
    await hostile_frames(room)


async def hostile_handshakes(web: Site, room: Room) -> None:
    """Cookies, headers and addresses."""
    for what, headers in HEADERS.items():
        # A client of WebSockets sends no NUL, and another host is another origin.
        if "Host" not in dict(headers) and not any("\x00" in value for _name, value in headers):
            code = await knock(web, room.slug, headers)
            assert code == 1000, f"{what}: {code}"
    signed = await in_thread(session_cookie, room.host)
    for cookie in (f"x=a b; {signed}", f'{signed}; y="\\000"', f"a[b]=1; {signed}"):
        async with Page(room, headers={"Cookie": cookie}) as page:
            assert (await page.wait_for("snapshot"))["you"]["user"] == "host", cookie
    for slug in ("%00", "%ED%A0%80", LONG[:2000], "..", "a%0d%0a"):
        assert await knock(web, slug, []) in (400, 403, 404, 4404), slug


FRAMES = [
    "\x00",
    "[" * 1000,
    '{"id":1,"do":"consent","version":' + "[" * 900 + "]" * 900 + "}",
    '{"id":1e999,"do":"ping"}',
    '{"id":NaN,"do":"ping"}',
    f'{{"id":{LONG},"do":"ping"}}',
    '{"id":1,"id":2,"do":"ping"}',
    '{"id":1,"do":"\\ud800"}',
    '{"id":1,"do":["ping"]}',
    '{"\\ud800":1,"id":1,"do":"ping"}',
    "null",
    "1",
    b"\xff\xfe",
]


async def hostile_frames(room: Room) -> None:
    """Frames that are none, and verbs with arguments that are none."""
    for frame in FRAMES:
        async with Page(room, room.host) as page:
            await page.wait_for("snapshot")
            await page.send(frame)
            answer = await page.wait_for(lambda message: "error" in message or "ok" in message)
            assert answer.get("ok") or answer["error"]["text"], repr(frame)[:60]
    hostile = ["\\u0000", "\\ud800", "v=0\\r\\na=\\ud800", "candidate:1 1 udp 1 \\ud800 5 typ host", "x\\u202e"]
    odd = [*(f'"{text}"' for text in hostile), "1e999", LONG, "NaN", '{"candidate":"\\ud800"}']
    for verb in ("check_offer", "candidate", "mute"):
        for text in odd:
            assert await said(room, verb, [text]) <= {"bad_frame", "bad_sdp", "bad_candidate", "bad_value"}, (
                verb,
                text,
            )
    # Some verbs have no arguments, and wait for a supervisor that does not run here.
    for verb in sorted(VERBS.keys() - {"end", "leave_seat", "listen", "listen_stop", "check_stop"}):
        assert "unavailable" not in await said(room, verb, ["[]", "{}", "-1", "true", '"v=0"', "9" * 18]), verb


async def said(room: Room, verb: str, texts: list[str]) -> set[str]:
    """The codes of what a verb answers to each of these values in all of its arguments."""
    names = ("sdp", "candidate", "handle", "user", "version", "seat_pk", "sdpMid")
    codes = set()
    async with Page(room, room.host) as page:
        await page.wait_for("snapshot")
        for text in texts:
            arguments = ",".join(f'"{name}":{text}' for name in names)
            await page.send(f'{{"id":1,"do":"{verb}",{arguments}}}')
            codes.add(code(await page.wait_for(lambda message: "error" in message or "re" in message)))
    return codes
