"""Slow readers: the server must not hold in memory what they have not read."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from deploy.local.process import wait_for
from people.actions import standing
from rooms import actions
from rooms.models import Recording, RecordingFile, Room
from rooms.recording import store
from rooms.recording.delivery import links
from tests.support.greedy import GREEDY, HONEST, ask, head, line_of, unread
from tests.support.processes import Site
from tests.support.rooms import make_public, open_room

LARGE = 400_000_000  # bytes
MOST = 30_000_000  # bytes that may be in memory for one reader


def large_room() -> Room:
    """An ended room with a mix of that many zeros, which take no place on the disk."""
    room = open_room("host")
    actions.end_room(room.pk, room.host)
    path = store.mix_path(room.pk)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(LARGE)
    recording, _new = Recording.objects.update_or_create(room=room, defaults={"state": Recording.State.READY})
    known = {"size": LARGE, "sha256": "0" * 64, "crc32": 0}
    values = {"path": store.relative(path), "start_ms": 0, "duration_ms": 1, **known}
    RecordingFile.objects.create(recording=recording, kind=RecordingFile.Kind.MIX, **values)
    return room


def memory(pid: int) -> int:
    """Return the memory of a process in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) * 1024


def test_a_large_download_waits_for_its_reader(web: Site) -> None:
    room = large_room()
    addresses = [
        links.address(room.pk, "mix", room.host, "mix.m4a"),
        actions.download_everything(room.pk, room.host).address,
    ]
    pid = web.running["web"].pid
    web.status("/healthz")  # what the first answer takes is not the reader's
    before = memory(pid)
    connections = []
    for address in addresses:
        connection = socket.create_connection(("127.0.0.1", settings.PORT))
        connection.sendall(f"GET {address} HTTP/1.1\r\nHost: localhost:{settings.PORT}\r\n\r\n".encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connections.append(connection)
    time.sleep(3)
    assert memory(pid) - before < MOST, "what nobody has read yet lies in memory"
    # Who comes back reads on, and others are served meanwhile.
    assert web.status("/healthz") == 200
    taken = 0
    while taken < 20_000_000:
        taken += len(connections[0].recv(1 << 20))
    # Who goes away is forgotten.
    for connection in connections:
        connection.close()
    wait_for("the end of what nobody reads", lambda: "mix.m4a" not in open_files(pid), seconds=20)


def open_files(pid: int) -> list[str]:
    """Names of the files that a process has open at this moment."""
    names = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed while we were looking
            names.append(link.readlink().name)
    return names


def test_unread_downloads_hold_no_connection_to_the_database(site: Site) -> None:
    """Thirty readers who stopped, of twelve connections in the pool: pages are there at once, from both addresses."""
    site.start("web", DEBUG="true")
    room = large_room()
    make_public(room)
    lines = unread(GREEDY, links.address(room.pk, "mix", None, "mix.m4a"), 30)
    assert all(line.recv(15).startswith(b"HTTP/1.1 200") for line in lines)
    with ThreadPoolExecutor(10) as pool:
        for address in (HONEST, GREEDY):
            answers = list(pool.map(lambda _number, address=address: ask(address, "/"), range(10)))
            assert [status for status, _seconds in answers] == [200] * 10
    for line in lines:
        line.close()


def test_one_client_has_so_many_downloads_open_and_others_have_theirs(site: Site) -> None:
    site.start("web", DEBUG="true", DOWNLOADS_PER_PERSON="3", DOWNLOADS_PER_ADDRESS="4")
    room = large_room()
    make_public(room)
    own, published = (links.address(room.pk, "mix", user, "mix.m4a") for user in (room.host, None))
    lines = unread(GREEDY, own, 3) + unread(GREEDY, published, 4)
    assert all(line.recv(15).startswith(b"HTTP/1.1 200") for line in lines)
    assert ask(GREEDY, own)[0] == ask(HONEST, own)[0] == 429, "a person is one, wherever from"
    assert ask(GREEDY, published)[0] == 429
    with line_of(HONEST) as other:
        other.sendall(head(published))
        assert other.recv(15).startswith(b"HTTP/1.1 200")
    lines[0].close()
    wait_for("the place of a download that ended", lambda: ask(HONEST, own, most=1000)[0] == 200, seconds=30)
    for line in lines[1:]:
        line.close()


def test_a_download_ends_with_the_right_to_it(web: Site) -> None:
    """Somebody keeps a download open, slowly reading, while the account is closed: cut, and never taken for whole."""
    room = large_room()
    address = links.address(room.pk, "mix", room.host, "mix.m4a")
    with socket.create_connection(("127.0.0.1", settings.PORT)) as line:
        line.sendall(f"GET {address} HTTP/1.1\r\nHost: localhost:{settings.PORT}\r\n\r\n".encode())
        taken = len(line.recv(65536))
        for _ in range(20):
            time.sleep(0.1)
            taken += len(line.recv(1 << 18))
        standing.close_account(room.host, None, "asked for it")
        closed_at, line_closed = time.monotonic(), False
        line.settimeout(20)
        while not line_closed and time.monotonic() - closed_at < 20:
            got = len(line.recv(1 << 18))
            taken += got
            line_closed = got == 0
            time.sleep(0.05)
    assert line_closed and taken < LARGE / 2, "bytes went on and on"
    assert "the right to it has ended" in web.log("web").read_text()
