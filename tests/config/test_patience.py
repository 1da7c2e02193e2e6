"""Connections that drip, stall or come by the hundred are cut; honest ones that are only slow are not."""

from __future__ import annotations

import http.client
import re
import socket
import time

import pytest

from tests.greedy import GREEDY, HONEST, Form, ask, head, is_cut, line_of, unread
from tests.processes import Site
from tests.rooms.recording.test_slow_readers import large_room
from rooms.recording import links

pytestmark = pytest.mark.alone


def drip(connection: socket.socket, piece: bytes, seconds: float, pause: float = 0.3) -> float | None:
    """Send a piece again and again; seconds until the other side ended it, None where it did not."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        try:
            connection.sendall(piece)
        except ConnectionError:
            return time.monotonic() - began
        if is_cut(connection, pause) is not None:
            return time.monotonic() - began
    return None


def test_a_head_that_drips_is_cut(site: Site) -> None:
    site.start("web", HEAD_SECONDS="2")
    with line_of(GREEDY) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        ended = drip(connection, b"X-Drip: 1\r\n", 12)
    assert ended is not None and 1.5 < ended < 6


def test_a_body_that_drips_is_cut_and_one_that_flows_is_not(site: Site) -> None:
    site.start("web", DEBUG="true", SLOWEST_SECONDS="2", SLOWEST_BYTES="1000")
    ask_for = head("/accounts/login/", "Content-Length: 20000", "Connection: close", method="POST")
    with line_of(GREEDY) as dripping:
        dripping.sendall(ask_for)
        assert drip(dripping, b"x", 12) is not None
    with line_of(HONEST) as flowing:
        flowing.sendall(ask_for)
        for _number in range(10):
            flowing.sendall(b"x" * 2000)
            time.sleep(0.5)
        answer = http.client.HTTPResponse(flowing)
        answer.begin()
        assert answer.status == 403, "without a token; but it was read to its end"


def test_a_body_that_is_too_large_is_not_taken_in(site: Site) -> None:
    site.start("web", BODY_MOST_BYTES="70000")
    with line_of(GREEDY) as connection:
        connection.sendall(head("/accounts/login/", "Transfer-Encoding: chunked", method="POST"))
        with pytest.raises(ConnectionError):
            for _number in range(200):
                connection.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
                time.sleep(0.01)


def test_a_connection_that_asks_nothing_more_is_closed_and_one_that_does_is_not(site: Site) -> None:
    site.start("web", IDLE_SECONDS="2")
    idle, used = (http.client.HTTPConnection("127.0.0.1", site_port(site), 10) for _number in range(2))
    for connection in (idle, used):
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    for _number in range(5):
        time.sleep(1)
        used.request("GET", "/healthz")
        used.getresponse().read()
    assert is_cut(idle.sock, 1) is not None


def site_port(site: Site) -> int:
    return int(site.url.rpartition(":")[2])


def test_who_does_not_read_is_cut_and_who_reads_slowly_is_not(site: Site) -> None:
    """Large answers and short ones; the slow one reads 40 KB a second, as a phone on a bad line."""
    site.start("web", DEBUG="true", SLOWEST_SECONDS="3", SLOWEST_BYTES="2000", IDLE_SECONDS="60")
    room = large_room()
    address = links.address(room.pk, "mix", room.host_id, "mix.m4a")
    stalled = unread(GREEDY, address, 1)[0]
    short = line_of(GREEDY, buffer=2048)
    short.sendall(head("/") * 8)  # answers of a few kilobytes each, none of them read
    slow = line_of(HONEST, buffer=32768)
    slow.sendall(head(address))
    taken, began = 0, time.monotonic()
    while time.monotonic() - began < 10:
        taken += len(slow.recv(8192))
        time.sleep(max(0.0, began + taken / 40_000 - time.monotonic()))
    assert taken > 300_000
    for greedy in (stalled, short):
        with pytest.raises((ConnectionError, TimeoutError)):  # what came before the cut lies in our own kernel
            greedy.settimeout(2)
            greedy.sendall(b"x")
            time.sleep(0.2)
            greedy.sendall(b"x")
            while greedy.recv(1 << 20):
                pass
            raise ConnectionError("closed")
    log = site.log("web").read_text()
    assert len(re.findall(r"127\.0\.0\.2.* is cut: it read too slowly", log)) == 2
    assert "127.0.0.3" not in "".join(line for line in log.splitlines() if "is cut" in line)
    slow.sendall(b"")
    assert slow.recv(8192), "it still flows"


def test_one_address_does_not_take_all_connections(site: Site) -> None:
    site.start("web", CONNECTIONS_PER_ADDRESS="30", HEAD_SECONDS="30")
    lines = [line_of(GREEDY) for _number in range(60)]
    refused = sum(is_cut(connection, 0.05) is not None for connection in lines)
    assert refused == 30
    assert ask(HONEST, "/healthz")[0] == 200
    for connection in lines:
        connection.close()
    time.sleep(1.5)
    assert ask(GREEDY, "/healthz")[0] == 200, "those that closed do not count"


def test_sign_ups_have_a_pace_by_address(site: Site) -> None:
    site.start("web", DEBUG="true", SIGNUPS_PER_ADDRESS="3")
    form = Form(GREEDY, "/accounts/signup/")
    answers = [form.send(username="x") for _number in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["Retry-After"]) > 60
    assert Form(HONEST, "/accounts/signup/").send(username="x").status == 200
