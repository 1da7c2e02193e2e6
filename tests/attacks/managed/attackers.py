"""Small tools of an attacker: requests and sockets written by hand, from an address of one's own."""

from __future__ import annotations

import http.client
import itertools
import json
import re
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

import redis
from django.conf import settings
from django.db import connection
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from people.models import Creator, User
from rooms.models import Room
from tests.support.people import PASSWORD, person, session_cookie

SHARED = 30.0  # seconds for what takes one or two where nothing else runs
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_numbers = itertools.count(1)


def fresh(name: str) -> str:
    """A handle that nobody has yet."""
    return f"{name}{next(_numbers)}"


def somebody(name: str = "guest") -> User:
    """An account that can sign in with `PASSWORD`."""
    return person(fresh(name))


def host_of() -> str:
    """The handle of a new host."""
    host = somebody("host")
    Creator.objects.create(user=host, added_at=host.date_joined)
    return host.handle


@dataclass(frozen=True)
class Answer:
    """Response of the site to one request."""

    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def where(self) -> str:
        """Where it leads."""
        return self.headers.get("Location", "")

    @property
    def code(self) -> str:
        """The API's word for a refusal."""
        try:
            return str(json.loads(self.text)["error"]["code"])
        except (ValueError, KeyError, TypeError):
            return ""


class Browser:
    """Cookies and forms, sent from an address of this machine; or whatever else an attacker writes."""

    def __init__(self, address: str = "127.0.0.2", user: User | None = None) -> None:
        self.address, self.cookies = address, dict[str, str]()
        if user is not None:
            name, _is, value = session_cookie(user).partition("=")
            self.cookies[name] = value

    @property
    def cookie(self) -> str:
        """As a header."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def send(self, method: str, path: str, body: str | bytes | None = None, **headers: str) -> Answer:
        """One request; `X_Some_Header` is written X-Some-Header."""
        line = http.client.HTTPConnection("127.0.0.1", settings.PORT, timeout=30, source_address=(self.address, 0))
        sent = {"Host": f"localhost:{settings.PORT}", **({"Cookie": self.cookie} if self.cookies else {})}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            line.request(method, path, body, sent)
            found = line.getresponse()
            for text in found.headers.get_all("Set-Cookie") or []:
                self._take(text, path)
            return Answer(found.status, found.headers, found.read().decode(errors="replace"))
        finally:
            line.close()

    def _take(self, text: str, path: str) -> None:
        for name, morsel in SimpleCookie(text).items():
            if morsel["max-age"] == "0":
                self.cookies.pop(name, None)
            elif path.startswith(morsel["path"] or "/"):
                self.cookies[name] = morsel.value

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, **headers)

    def post(self, path: str, form: dict[str, str] | None = None, *, page: str = "", **headers: str) -> Answer:
        """A form as its page sends it; `page` where another one has it."""
        token = _TOKEN.search(self.get(page or path, **headers).text)
        body = urlencode({"csrfmiddlewaretoken": token[1] if token else "", **(form or {})})
        headers.setdefault("Referer", f"http://{headers.get('Host', f'localhost:{settings.PORT}')}{path}")
        return self.send("POST", path, body, Content_Type="application/x-www-form-urlencoded", **headers)

    def sign_in(self, login: str, password: str = PASSWORD, **headers: str) -> bool:
        """By the page everybody uses."""
        self.post("/accounts/login/", {"login": login, "password": password}, **headers)
        return self.is_in()

    def is_in(self) -> bool:
        """Whether its cookie opens a page of its own."""
        return self.get("/settings/").status == 200

    def api(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """A program's request, with the page's cookie and token where there is one."""
        if self.cookies and "csrftoken" not in self.cookies:
            self.cookies["csrftoken"] = "k" * 32
        headers.setdefault("X_CSRFToken", self.cookies.get("csrftoken", ""))
        text = json.dumps({} if body is None else body)
        return self.send(method, f"/api/v1{path}", text, Content_Type="application/json", **headers)


class Socket:
    """An open socket of a room."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.number = 0
        self.seen: list[dict[str, Any]] = []

    def next(self, within: float = 10.0) -> dict[str, Any]:
        """The next message."""
        message: dict[str, Any] = json.loads(self.socket.recv(within))
        self.seen.append(message)
        return message

    def ask(self, verb: str, within: float = SHARED, **values: Any) -> dict[str, Any]:
        """A verb's answer. `{"error": {"code": "closed"}}` where the server closed instead."""
        self.number += 1
        end = time.monotonic() + within
        try:
            self.socket.send(json.dumps({"id": self.number, "do": verb, **values}))
            while (message := self.next(end - time.monotonic())).get("re") != self.number:
                assert time.monotonic() < end, f"{verb} is not answered"
        except ConnectionClosed:
            return {"error": {"code": "closed"}}
        return message

    def code(self, verb: str, **values: Any) -> str:
        """The word by which a verb is refused; "ok" where it is not."""
        return str(self.ask(verb, **values).get("error", {}).get("code", "ok"))

    def closed(self, within: float = SHARED) -> int:
        """The code by which the server closes."""
        end = time.monotonic() + within
        try:
            while True:
                self.next(max(0.01, end - time.monotonic()))
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006

    def refusal(self) -> str:
        """Why it was put out: the last error that answers nothing."""
        told = [message["error"]["code"] for message in self.seen if "error" in message and "re" not in message]
        return str(told[-1]) if told else ""


@contextmanager
def socket_of(room: Room, browser: Browser | None = None, origin: str = "", **headers: str) -> Generator[Socket]:
    """Open one as a page does, up to its snapshot or its refusal."""
    browser = browser or Browser()
    sent = {"Host": f"localhost:{settings.PORT}", **({"Cookie": browser.cookie} if browser.cookies else {}), **headers}
    with connect(
        f"ws://127.0.0.1:{settings.PORT}/ws/rooms/{room.slug}/",
        origin=Origin(origin or f"http://localhost:{settings.PORT}"),
        additional_headers={name: value for name, value in sent.items() if name != "Host"},
        source_address=(browser.address, 0),
        max_size=None,
        open_timeout=SHARED,
        proxy=None,
    ) as opened:
        socket = Socket(opened)
        while socket.next(SHARED).get("type") != "snapshot" and "error" not in socket.seen[-1]:
            pass
        yield socket


def handles_of(user: User) -> list[dict[str, Any]]:
    """The connections in Janus that the media supervisor keeps for a person."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        texts = client.hvals(f"{settings.REDIS_PREFIX}media:handles")
    assert isinstance(texts, list)
    return [handle for handle in map(json.loads, texts) if handle["who"] == f"u:{user.pk}"]


def forget_connection() -> None:
    """Close this thread's connection to the database."""
    connection.close()
