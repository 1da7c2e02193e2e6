"""One client that takes all it can from an address of its own, and the small tools of plain sockets that it is made of.

    PORT=8000 python -m tests.support.greedy '{"slug": "…", "cookies": ["…"], "file": "/files/…", "sdp": "…", …}'

As a program it says in JSON what it got. It runs in a process of its own, so that it slows nobody who is measured.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import socket
import sys
import time
import urllib.parse
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

GREEDY, HONEST = "127.0.0.2", "127.0.0.3"
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def port() -> int:
    """The site's."""
    return int(os.environ["PORT"])


def line_of(address: str, *, buffer: int = 0, within: float = 10.0) -> socket.socket:
    """A connection to the site's web process from an address; `buffer`: how much its kernel takes in unread."""
    connection = socket.socket()
    if buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.bind((address, 0))
    connection.settimeout(within)
    connection.connect(("127.0.0.1", port()))
    return connection


def head(path: str, *headers: str, method: str = "GET") -> bytes:
    """The head of a request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{port()}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def ask(address: str, path: str, *headers: str, within: float = 10.0, most: int = 1 << 20) -> tuple[int, float]:
    """Status and seconds of one request, whose answer is read up to `most` bytes; 0 where nothing came."""
    began = time.monotonic()
    try:
        with line_of(address, within=within) as connection:
            connection.sendall(head(path, *headers, "Connection: close"))
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            answer.read(most)
            return answer.status, time.monotonic() - began
    except (OSError, http.client.HTTPException):
        return 0, time.monotonic() - began


def unread(address: str, path: str, count: int, *, buffer: int = 4096) -> list[socket.socket]:
    """So many downloads of which nothing is read."""
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
        self.connection = http.client.HTTPConnection("127.0.0.1", port(), 10, source_address=(address, 0))
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        self.token = (_TOKEN.search(answer.read().decode()) or ["", ""])[1]
        cookies = [value.partition(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie"]
        self.cookie = "; ".join(cookies)

    def send(self, **values: str) -> http.client.HTTPResponse:
        """The answer, read."""
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": self.token, **values})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": self.cookie}
        headers["Referer"] = f"http://127.0.0.1:{port()}{self.path}"
        self.connection.request("POST", self.path, body, headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer


# --- all of it at once ------------------------------------------------------------------------------------------------


class Greed:
    """Everything at once, each as fast as it is let."""

    def __init__(self, slug: str, cookies: list[str], file: str, sdp: str, **sizes: int) -> None:
        self.slug, self.cookies, self.file, self.sdp = slug, cookies, file, sdp
        self.sizes = {"sockets": 60, "checks": 40, "pages": 20, "files": 30, "drips": 60, "signups": 3, **sizes}
        self.got: Counter[str] = Counter()

    async def run(self, seconds: float) -> None:
        """For so long; what fails is tried again at once."""
        works = {
            "sockets": lambda: self._socket("listen", ""),
            "checks": lambda: self._socket("check_offer", self.cookies[0]),
            "pages": lambda: self._page("/"),
            "signups": lambda: self._page("/accounts/signup/"),
            "files": lambda: self._hold(head(self.file)),
            "drips": self._drip,
        }
        tasks = [
            asyncio.create_task(self._again(works[name])) for name, size in self.sizes.items() for _ in range(size)
        ]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _again(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except (OSError, WebSocketException, TimeoutError, EOFError) as error:
                self.got[type(error).__name__] += 1
                await asyncio.sleep(0.1)

    async def _socket(self, verb: str, cookie: str) -> None:
        """Take a place for sound, and never connect it."""
        origin: Any = f"http://localhost:{port()}"
        headers = {"Cookie": cookie} if cookie else {}
        address = f"ws://127.0.0.1:{port()}/ws/rooms/{self.slug}/"
        site: Any = {"local_addr": (GREEDY, 0), "additional_headers": {**headers, "Host": f"localhost:{port()}"}}
        async with connect(address, origin=origin, **site) as socket_:
            self.got["sockets"] += 1
            for number in range(1, 1_000_000):
                await socket_.send(json.dumps({"id": number, "do": verb, "sdp": self.sdp}))
                async with asyncio.timeout(20):
                    while (message := json.loads(await socket_.recv())).get("re") != number:
                        if "error" in message:
                            self.got[message["error"]["code"]] += 1
                self.got[f"{verb} {message.get('use') or message.get('error', {}).get('code', 'ok')}"] += 1
                await asyncio.sleep(2)

    async def _page(self, path: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port(), local_addr=(GREEDY, 0))
        try:
            writer.write(head(path, "Connection: close"))
            status = (await reader.readline()).split(b" ")[1:2]
            self.got[f"page {status[0].decode() if status else 'cut'}"] += 1
            await reader.read()
        finally:
            writer.close()

    async def _hold(self, sent: bytes) -> None:
        """Ask for something large, and read nothing."""
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.bind((GREEDY, 0))
            connection.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(connection, ("127.0.0.1", port()))
            await loop.sock_sendall(connection, sent)
            self.got["files"] += 1
            await asyncio.sleep(30)

    async def _drip(self) -> None:
        _reader, writer = await asyncio.open_connection("127.0.0.1", port(), local_addr=(GREEDY, 0))
        try:
            self.got["drips"] += 1
            writer.write(b"GET / HTTP/1.1\r\n")
            while True:
                writer.write(b"X-Drip: 1\r\n")
                await writer.drain()
                await asyncio.sleep(1)
        finally:
            writer.close()


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    length = asked.pop("seconds")
    greed = Greed(**asked)
    asyncio.run(greed.run(length))
    sys.stdout.write(json.dumps(greed.got) + "\n")
