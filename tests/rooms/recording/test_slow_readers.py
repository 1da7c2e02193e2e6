"""Whoever reads slowly must not make the server hold what they have not read."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from django.conf import settings

from rooms import actions
from rooms.models import Recording, RecordingFile, Room
from rooms.recording import links, store
from tests.processes import Site
from tests.rooms.people import open_room

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
    values = {"path": store.relative(path), "start_ms": 0, "duration_ms": 1, "size": LARGE, "sha256": "0" * 64}
    RecordingFile.objects.create(recording=recording, kind=RecordingFile.Kind.MIX, **values)
    return room


def memory(pid: int) -> int:
    """What a process holds, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) * 1024


def test_a_large_download_waits_for_its_reader(web: Site) -> None:
    room = large_room()
    addresses = [
        links.address(room.pk, "mix", room.host_id, "mix.m4a"),
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
    time.sleep(1)
    open_files = [link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    assert "mix.m4a" not in open_files
