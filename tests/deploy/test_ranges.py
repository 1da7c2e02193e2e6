"""Ranges of files: what we answer and what nginx answers in our place are the same."""

from __future__ import annotations

import http.client
import random
import socket
from collections.abc import Generator
from pathlib import Path

import pytest

from deploy.local.process import answers, bound, need, start, stop, wait_for
from rooms.recording.delivery.ranges import Range, Unsatisfiable, asked

SHIPPED = Path(__file__).parents[2] / "deploy" / "nginx" / "stamtafel.conf"
SIZES = (0, 1, 100)
CONF = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; {user}
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; keepalive_requests 100000; location / {{ root {folder}/files; max_ranges 1; }} }}
}}
"""
KNOWN = [
    *("bytes=0-", "bytes=-5", "bytes=5-", "bytes=0-0", "bytes=99-", "bytes=100-", "bytes=0-1000", "bytes=-1000"),
    *("bytes=-0", "bytes=5-2", "bytes=abc", "bytes=", "bytes=-", "bytes=--1", "bytes=1-2-3", "BYTES=1-2", "bytes =1-2"),
    *("bytes=1-2,5-6", "bytes=1-2,500-", "bytes=500-,1-2", "bytes=1-2,x", "bytes=x,1-2", "bytes=1-2,", "bytes=,1-2"),
    *("bytes= 1 - 2 ", "bytes=1 2-3", "bytes=+1-2", "bytes=0x1-2", "bytes=1-2;q=1", "items=0-5", "bytes", "0-5"),
    *("bytes=9223372036854775807-", "bytes=9223372036854775808-", "bytes=0-9223372036854775807", "bytes=0-" + "9" * 40),
]


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Generator[http.client.HTTPConnection]:
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "files").mkdir()
    for size in SIZES:
        (folder / "files" / str(size)).write_bytes(bytes(range(size)))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = int(taken.getsockname()[1])
    for path in (folder, folder / "files", folder.parent):
        path.chmod(0o755)
    (folder / "nginx.conf").write_text(CONF.format(folder=folder, port=port, user="user root;"))
    line = [need("nginx", "nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    process = start(bound(line, death="TERM"), folder / "nginx.log")
    wait_for("nginx", lambda: answers(port), lambda: process.poll() is None)
    yield http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    stop(process)


def theirs(nginx: http.client.HTTPConnection, size: int, header: str) -> str:
    nginx.request("GET", f"/{size}", headers={"Range": header})
    answer = nginx.getresponse()
    answer.read()
    return f"{answer.status} {answer.headers.get('Content-Range', '') if answer.status == 206 else ''}"


def ours(size: int, header: str) -> str:
    try:
        wanted: Range | None = asked(header, size)
    except Unsatisfiable:
        return "416 "
    return "200 " if wanted is None else f"206 {wanted.header(size)}"


def test_we_answer_as_nginx_does(nginx: http.client.HTTPConnection) -> None:
    chance = random.Random(11)
    made = ["bytes=" + "".join(chance.choices("0123456789-, x", k=chance.randint(0, 9))) for _number in range(400)]
    different = {
        (size, header): (ours(size, header), found)
        for size in SIZES
        for header in [*KNOWN, *made]
        if ours(size, header.strip()) != (found := theirs(nginx, size, header))
    }
    assert different == {}


def test_the_configuration_that_we_ship_allows_one_range() -> None:
    place = SHIPPED.read_text().partition("location /_recordings/ {")[2].partition("}")[0]
    assert "max_ranges 1;" in place
