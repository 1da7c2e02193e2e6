"""Shared parts of the benches of live events: our site on services of its own, a bare server, and cheap sockets.

A socket here is a few lines over asyncio's transport: it stores each message with the moment at which the system had it
(`Stamped`) and decodes it only afterwards, so that the client is not what is measured. Moments are CLOCK_MONOTONIC, one
for all processes.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from deploy.local.process import answers, bound, start, stop, wait_for
from deploy.local.throwaway import Throwaway
from tests.support.processes import Site
from tests.support.services import FOREIGN

ROOT = Path(__file__).resolve().parent.parent
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
READ_AT_ONCE = 65536  # bytes
NOW_AND_THEN = 0.05  # seconds


def many_files(sockets: int) -> None:
    """Raise the limit of open files of this process and its children. Exits where the system does not allow it."""
    need = sockets + 500
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < need:
        if hard != resource.RLIM_INFINITY and hard < need:
            sys.exit(f"{need} open files are needed and {hard} allowed: raise the limit (ulimit -Hn {need})")
        resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard))


def admitting(sockets: int) -> dict[str, str]:
    """Return settings whose limits admit `sockets` from one address several times over."""
    names = ("SOCKETS_PER_ADDRESS", "SOCKETS_NEW_PER_ADDRESS", "HANDSHAKES_WAITING", "CONNECTIONS_PER_ADDRESS")
    return dict.fromkeys(names, str(min(100_000, 20 * sockets + 600)))


@contextmanager
def site(*others: str, static: bool = False, limits: dict[str, str] | None = None) -> Iterator[tuple[Site, Throwaway]]:
    """Run PostgreSQL, Redis and our `web` process (and `others`) in a temporary folder, on their own ports.

    `static`: with files that pages need; `limits`: settings that admit more from one address.
    """
    for name in FOREIGN:
        os.environ.pop(name, None)
    parts = Throwaway()
    try:
        os.environ.update({**parts.start(), **(limits or {})})
        port = str(parts.instance.block.web)
        os.environ.update(
            {"DJANGO_SETTINGS_MODULE": "config.settings", "PORT": port, "SITE_URL": f"http://localhost:{port}"}
        )
        import django

        django.setup()
        from django.core.management import call_command

        from tests.support.migrated import migrate

        migrate(parts.instance.postgres)
        if static:
            call_command("collectstatic", "--no-input", verbosity=0)
        web = Site(parts.folder / "logs")
        try:
            yield web.start("web", *others), parts
        finally:
            web.stop()
    finally:
        parts.stop()


@contextmanager
def bare(port: int, folder: Path, greeting: str = "") -> Iterator[int]:
    """Start a bare `websockets` server that greets and broadcasts; its process id."""
    (folder / "greeting").write_text(greeting)
    command = [sys.executable, str(ROOT / "bench" / "bare.py"), str(port), str(folder / "greeting")]
    process = start(bound(command), folder / "bare.log")
    try:
        wait_for("the bare server", lambda: answers(port), lambda: process.poll() is None)
        yield process.pid
    finally:
        stop(process)


class Stamped(socket.socket):
    """A connection that tells when the system had what was read last. A client that waits for a processor, which a
    listener's own device would not, has read it later. Of several messages in one read TCP tells the time of the last:
    what is measured must not come more often than it is read."""

    TIMESTAMPS = 35  # SO_TIMESTAMPNS, for which Python has no name; its answers have the same number
    TIME = struct.Struct("ll")  # struct timespec: seconds and nanoseconds of the wall clock

    def __init__(self) -> None:
        super().__init__()
        self.setsockopt(socket.SOL_SOCKET, self.TIMESTAMPS, 1)
        self.setblocking(False)
        self.at = 0.0

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        data, others, _flags, _address = self.recvmsg(size, socket.CMSG_SPACE(self.TIME.size), flags)
        self.at, by_the_wall = time.monotonic(), time.time()
        for level, kind, content in others:
            if (level, kind) == (socket.SOL_SOCKET, self.TIMESTAMPS):
                seconds, nanoseconds = self.TIME.unpack(content)
                self.at -= by_the_wall - seconds - nanoseconds / 1e9
        return data


class Socket(asyncio.Protocol):
    """A WebSocket client: handshake by hand, every text stored with its moment, pings answered."""

    def __init__(
        self, port: int, path: str, cookie: str = "", tls: ssl.SSLContext | None = None, address: str = "127.0.0.1"
    ) -> None:
        """`address` is its own, of 127.0.0.0/8: of each address a server admits a few at once."""
        self.port, self.path, self.cookie, self.tls, self.address = port, path, cookie, tls, address
        self.messages: list[tuple[float, bytes]] = []
        self.closed: str | None = None
        self.open = False
        self.buffer = bytearray()
        self.wire: Stamped
        self.transport: asyncio.Transport
        self.first: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def connect(self) -> None:
        """Connect and upgrade; `first` is set to the moment of the first message."""
        loop = asyncio.get_running_loop()
        name = "localhost" if self.tls else None
        self.wire = Stamped()
        self.wire.bind((self.address, 0))
        await loop.sock_connect(self.wire, ("127.0.0.1", self.port))
        await loop.create_connection(lambda: self, sock=self.wire, ssl=self.tls, server_hostname=name)

    @property
    def origin(self) -> str:
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        cookie = f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        transport.write(
            f"GET {self.path} HTTP/1.1\r\nHost: localhost:{self.port}\r\nOrigin: {self.origin}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n{cookie}"
            "Sec-WebSocket-Key: c3RhbXRhZmVsLWJlbmNoIQ==\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        now = time.monotonic() if self.tls else self.wire.at  # TLS reads for itself
        self.buffer += data
        if not self.open and not self._handshake():
            return
        while (frame := self._frame()) is not None:
            kind, payload = frame
            if kind == TEXT:
                self.messages.append((now, payload))
                if not self.first.done():
                    self.first.set_result(now)
            elif kind == PING:
                self.transport.write(bytes([0x80 | PONG, 0x80 | len(payload), 0, 0, 0, 0]) + payload)
            elif kind == CLOSE:
                self.closed = f"closed with {int.from_bytes(payload[:2], 'big')}"
                self.transport.close()

    def _handshake(self) -> bool:
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        if not self.buffer.startswith(b"HTTP/1.1 101"):
            self.closed = self.buffer[:end].split(b"\r\n")[0].decode("latin1")
            self.transport.close()
            return False
        del self.buffer[: end + 4]
        self.open = True
        return True

    def _frame(self) -> tuple[int, bytes] | None:
        """Return the next whole frame, or None; servers neither mask nor, here, fragment."""
        buffer = self.buffer
        if len(buffer) < 2:
            return None
        size, head = buffer[1], 2
        if size >= 126:
            head = 4 if size == 126 else 10
            size = int.from_bytes(buffer[2:head], "big")
        if len(buffer) < head + size:
            return None
        kind, payload = buffer[0] & 15, bytes(buffer[head : head + size])
        del buffer[: head + size]
        return kind, payload

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = self.closed or f"connection lost: {error}"
        self.lost.set_result(None)
        if not self.first.done():
            self.first.set_exception(ConnectionError(self.closed))
            self.first.exception()  # retrieved, so that asyncio does not log it where nobody waits

    def decoded(self) -> list[tuple[float, dict[str, Any]]]:
        """Everything that came, decoded."""
        return [(at, json.loads(text)) for at, text in self.messages]

    def say(self, text: bytes) -> None:
        """Send a text, masked with zeros; at most 64 KiB."""
        size = bytes([0x80 | len(text)]) if len(text) < 126 else bytes([0x80 | 126]) + len(text).to_bytes(2, "big")
        self.transport.write(bytes([0x80 | TEXT]) + size + bytes(4) + text)

    def cut(self) -> None:
        """Abort the connection, as when a network is lost."""
        self.transport.abort()

    def read(self) -> None:
        """Read what is there of a connection that is not watched."""
        if self.transport.is_closing():
            return
        try:
            while data := self.wire.recv(READ_AT_ONCE):
                self.data_received(data)
        except BlockingIOError:
            return
        except ConnectionError as error:
            self.closed = f"connection lost: {error}"
        self.transport.resume_reading()  # asyncio finds out that it is over


@asynccontextmanager
async def reading_now_and_then(sockets: list[Socket]) -> AsyncIterator[None]:
    """Read from sockets without TLS every 50 ms, not when something arrives. A server that sends wakes who waits for
    it, on its own core and in the middle of its work: listeners have a core of their own, the one in their hands."""
    for each in sockets:
        each.transport.pause_reading()

    async def read() -> None:
        while True:
            await asyncio.sleep(NOW_AND_THEN)
            for each in sockets:
                each.read()

    reading = asyncio.create_task(read())
    try:
        yield
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading  # raises what it ended by
        for each in sockets:
            each.transport.resume_reading()


def cpu(pid: int) -> float:
    """Return the processor seconds of a process with all its threads, user and system."""
    return time.clock_gettime((~pid << 3) | 2)  # what clock_getcpuclockid(3) returns; /proc counts in steps of 10 ms


def rss(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def share(values: list[float], part: float) -> float:
    """Return the quantile `part` of the values."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def load() -> str:
    """Return the machine's cores and load, for the report."""
    model = subprocess.run(["uname", "-m"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{os.cpu_count()} cores {model}, load {os.getloadavg()[0]:.1f}"


def a_room() -> tuple[int, str]:
    """Make a live room with its host and speakers on stage, recorded with consent; return (pk, slug)."""
    from django.conf import settings

    from rooms import actions
    from tests.support.people import person
    from tests.support.rooms import consented, open_room

    room = open_room()
    for number in range(3):
        guest = consented(person(f"guest{number}"), room)
        actions.take_seat(room.pk, guest)
    actions.record_consent(room.host, room, settings.CONSENT_VERSION)
    return room.pk, room.slug
