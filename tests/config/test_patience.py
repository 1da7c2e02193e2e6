"""Connections that drip, stall or come by the hundred are cut; honest ones that are only slow are not."""

from __future__ import annotations

import http.client
import os
import re
import select
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.local.certificate import certificate
from deploy.local.process import answers, start, stop, wait_for
from deploy.local.programs import command
from rooms.recording.delivery import links
from tests.rooms.recording.test_slow_readers import large_room
from tests.support.greedy import GREEDY, HONEST, Form, ask, head, is_cut, line_of, port, unread
from tests.support.processes import Site

pytestmark = pytest.mark.alone
POST = head("/accounts/login/", "Content-Length: 11250", "Connection: close", method="POST")


def drip(first: bytes, piece: bytes, seconds: float, pause: float = 0.3) -> float | None:
    """Send a piece again and again; seconds until the other side ended it, None where it did not."""
    began = time.monotonic()
    with line_of(GREEDY) as connection:
        connection.sendall(first)
        while time.monotonic() - began < seconds:
            try:
                connection.sendall(piece)
            except ConnectionError:
                return time.monotonic() - began
            if is_cut(connection, pause) is not None:
                return time.monotonic() - began
    return None


def flow() -> int:
    """A body at 2.5 KB a second, for longer than a slow one gets: the answer's status."""
    with line_of(HONEST) as connection:
        connection.sendall(POST)
        for _number in range(9):
            connection.sendall(b"x" * 1250)
            time.sleep(0.5)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status


def too_much() -> bool:
    """A body without an end; whether it was ended."""
    with line_of(GREEDY) as connection:
        connection.sendall(head("/accounts/login/", "Transfer-Encoding: chunked", method="POST"))
        try:
            for _number in range(200):
                connection.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
                time.sleep(0.01)
        except ConnectionError:
            return True
    return False


def idle_and_used() -> bool:
    """Two connections that stay open, one of them in use; whether the idle one was ended, and alone."""
    idle, used = (http.client.HTTPConnection("127.0.0.1", port(), 10) for _number in range(2))
    for connection in (idle, used):
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    for _number in range(9):
        time.sleep(0.5)
        used.request("GET", "/healthz")
        used.getresponse().read()
    return is_cut(idle.sock, 60) is not None


def read_slowly(address: str) -> int:
    """Bytes taken in five seconds, at 40 KB a second as a phone on a bad line; it still flows then."""
    with line_of(HONEST, buffer=32768) as connection:
        connection.sendall(head(address))
        taken, began = 0, time.monotonic()
        while time.monotonic() - began < 5:
            got = len(connection.recv(8192))
            assert got, "cut"
            taken += got
            time.sleep(max(0.0, began + taken / 40_000 - time.monotonic()))
    return taken


def is_gone(connection: socket.socket) -> bool:
    """Whether the other side is gone; what came before lies in our own kernel still. It reads: ask once only."""
    connection.settimeout(2)
    try:
        for _number in range(2):
            connection.sendall(b"x")
            time.sleep(0.2)
        while connection.recv(1 << 20):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


def test_what_drips_or_stalls_is_cut_and_what_is_only_slow_is_not(site: Site) -> None:
    limits = {"HEAD_SECONDS": "2", "IDLE_SECONDS": "3", "BODY_MOST_BYTES": "70000"}
    site.start("web", DEBUG="true", SLOWEST_SECONDS="3", SLOWEST_BYTES="1000", **limits)
    room = large_room()
    address = links.address(room.pk, "mix", room.host, "mix.m4a")
    stalled = unread(GREEDY, address, 1)[0]
    short = line_of(GREEDY, buffer=2048)
    short.sendall(head("/") * 8)  # short answers, none of them read
    with ThreadPoolExecutor(8) as pool:
        heads = pool.submit(drip, b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"X-Drip: 1\r\n", 90)
        bodies = pool.submit(drip, POST, b"x", 90)
        flowing, much, idle = pool.submit(flow), pool.submit(too_much), pool.submit(idle_and_used)
        taken = pool.submit(read_slowly, address)
        ended = heads.result()
        assert ended is not None and ended > 1.5
        assert bodies.result() is not None
        assert flowing.result() == 403, "without a token; but it was read to its end"
        assert much.result() and idle.result()
        assert taken.result() > 100_000
    unread_ones = re.compile(r"127\.0\.0\.2.* is cut: it read too slowly")
    wait_for("both ends", lambda: len(unread_ones.findall(site.log("web").read_text())) == 2)
    assert is_gone(stalled) and is_gone(short)
    log = site.log("web").read_text()
    assert "127.0.0.3" not in "".join(line for line in log.splitlines() if "is cut" in line)


def test_one_address_takes_neither_all_connections_nor_all_sign_ups(site: Site) -> None:
    site.start("web", DEBUG="true", CONNECTIONS_PER_ADDRESS="30", HEAD_SECONDS="30", SIGNUPS_PER_ADDRESS="3")
    lines, refused = [], 0
    for _number in range(60):
        try:
            lines.append(line_of(GREEDY))
        except ConnectionResetError:  # cut before the kernel had told us that it was open
            refused += 1
    wait_for("the end of half of them", lambda: refused + len(select.select(lines, [], [], 0)[0]) >= 30)
    time.sleep(1)
    assert refused + len(select.select(lines, [], [], 0)[0]) == 30, "no more than those"
    assert ask(HONEST, "/healthz")[0] == 200
    for connection in lines:
        connection.close()
    wait_for("places for others", lambda: ask(GREEDY, "/healthz")[0] == 200)  # connections that closed do not count
    form = Form(GREEDY, "/accounts/signup/")
    answers = [form.send(username="x") for _number in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["Retry-After"]) > 60
    assert Form(HONEST, "/accounts/signup/").send(username="x").status == 200


def test_over_tls_the_same_clocks_run(site: Site, tmp_path: Path) -> None:
    """Which ends of a connection hang in which wrapper is Twisted's own business, and easily got wrong."""
    pem = certificate(tmp_path, [])
    limits = {"HEAD_SECONDS": "5", "IDLE_SECONDS": "60", "CONNECTIONS_PER_ADDRESS": "10", "SLOWEST_SECONDS": "3"}
    web = start(command("web", port(), "127.0.0.1", pem), tmp_path / "web.log", {**os.environ, **limits})
    try:
        wait_for("web", lambda: answers(port()), lambda: web.poll() is None)
        context = ssl._create_unverified_context()
        drips = [context.wrap_socket(line_of(GREEDY)) for _number in range(9)]
        plain = line_of(GREEDY)  # not even the handshake
        with suppress(ConnectionResetError):  # cut while it connects
            assert is_cut(line_of(GREEDY), 10) is not None, "one too many"
        room = large_room()
        stalled = context.wrap_socket(line_of(HONEST, buffer=4096))
        stalled.sendall(head(links.address(room.pk, "mix", room.host, "mix.m4a")))
        for line in (*drips, plain):
            with suppress(ssl.SSLError):
                assert is_cut(line, 90) is not None
        wait_for("places for others", lambda: healthy_over_tls(context))
        wait_for("its end", lambda: "it read too slowly" in (tmp_path / "web.log").read_text())
    finally:
        stop(web)


def healthy_over_tls(context: ssl.SSLContext) -> bool:
    """Whether the address that had too many open is served again."""
    try:
        with context.wrap_socket(line_of(GREEDY)) as again:
            again.sendall(head("/healthz"))
            return again.recv(15) == b"HTTP/1.1 200 OK"
    except OSError:
        return False
