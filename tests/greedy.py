"""One client at an address of its own: plain sockets and HTTP from 127.0.0.x, as an attacker or a neighbour comes."""

from __future__ import annotations

import http.client
import re
import socket
import time
import urllib.parse
from contextlib import suppress

from django.conf import settings

GREEDY, HONEST = "127.0.0.2", "127.0.0.3"
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def line_of(address: str, *, buffer: int = 0, within: float = 10.0) -> socket.socket:
    """A connection to the site's web process from an address; `buffer`: how much its kernel takes in unread."""
    connection = socket.socket()
    if buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.bind((address, 0))
    connection.settimeout(within)
    connection.connect(("127.0.0.1", settings.PORT))
    return connection


def head(path: str, *headers: str, method: str = "GET") -> bytes:
    """The head of a request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{settings.PORT}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def ask(address: str, path: str, *headers: str, within: float = 10.0) -> tuple[int, float]:
    """Status and seconds of one request; 0 where nothing came."""
    began = time.monotonic()
    with line_of(address, within=within) as connection:
        connection.sendall(head(path, *headers, "Connection: close"))
        answer = http.client.HTTPResponse(connection)
        try:
            answer.begin()
            answer.read()
        except (OSError, http.client.HTTPException):
            return 0, time.monotonic() - began
        return answer.status, time.monotonic() - began


def unread(address: str, path: str, count: int, *, buffer: int = 4096) -> list[socket.socket]:
    """So many downloads whose sender waits: a little is read of each, and no more."""
    lines = []
    for _number in range(count):
        connection = line_of(address, buffer=buffer)
        connection.sendall(head(path))
        lines.append(connection)
    return lines


def is_cut(connection: socket.socket, within: float) -> float | None:
    """Seconds until the other side ended a connection; None where it did not."""
    began = time.monotonic()
    connection.settimeout(0.2)
    while time.monotonic() - began < within:
        with suppress(TimeoutError):
            try:
                if not connection.recv(65536):
                    return time.monotonic() - began
            except ConnectionError:
                return time.monotonic() - began
    return None


class Form:
    """A page with a form: fetched for its token, sent as a browser does."""

    def __init__(self, address: str, path: str) -> None:
        self.path = path
        self.connection = http.client.HTTPConnection("localhost", settings.PORT, 10, source_address=(address, 0))
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        self.token = (_TOKEN.search(answer.read().decode()) or ["", ""])[1]
        cookies = [value.partition(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie"]
        self.cookie = "; ".join(cookies)

    def send(self, **values: str) -> http.client.HTTPResponse:
        """The answer, read."""
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": self.token, **values})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": self.cookie}
        headers["Referer"] = f"http://localhost:{settings.PORT}{self.path}"
        self.connection.request("POST", self.path, body, headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer
