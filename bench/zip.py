"""Memory and speed of downloading everything as a zip, compared with `cat` of the same bytes.

    python bench/zip.py [--sizes 10M 5G] [--rounds 3]

A `web` process of ours (with PostgreSQL and Redis of its own) sends the zip of a room whose mix is as large as asked,
of random bytes. Speed is of bytes read from a plain socket on the same machine, `cat` writes the same file into a pipe
that is read the same way; rounds take turns. Memory is the process' highest while it sends (VmHWM, set back before).
Then a reader who takes one megabyte and no more for some seconds: a server that does not wait would hold the whole zip.
At last a download that breaks off in eight places and goes on with Range and If-Range must be the same file, and
`unzip -t` must like it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.wire import site

READ = 1 << 20
UNITS = {"M": 10**6, "G": 10**9}
STANDS = 4.0  # seconds that the slow reader reads nothing


@dataclass
class Answer:
    """A response whose head has been read."""

    connection: socket.socket
    status: int
    headers: dict[str, str]
    begun: bytes


def ask(port: int, path: str, **headers: str) -> Answer:
    """Send a request on a new connection; return the response."""
    connection = socket.create_connection(("127.0.0.1", port))
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n{extra}\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        if not (data := connection.recv(65536)):
            raise ConnectionError("closed before an answer came")
        head += data
    head, _end, begun = head.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin1").split("\r\n")
    found = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
    return Answer(connection, int(first.split()[1]), found, begun)


def drain(answer: Answer, take: Callable[[memoryview], Any] | None = None, most: int | None = None) -> int:
    """Read to the end, or until `most` bytes have come; return how many came."""
    buffer = bytearray(READ)
    view, count = memoryview(buffer), len(answer.begun)
    if take:
        take(memoryview(answer.begun))
    with answer.connection:
        while most is None or count < most:
            got = answer.connection.recv_into(buffer)
            if not got:
                break
            if take:
                take(view[:got])
            count += got
    return count


def cat(path: Path) -> float:
    """Return the seconds that `cat` needs to write the file into a pipe."""
    buffer = bytearray(READ)
    began = time.monotonic()
    with subprocess.Popen(["cat", str(path)], stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdout is not None
        while os.readv(process.stdout.fileno(), [buffer]):
            pass
    return time.monotonic() - began


def highest(pid: int, reset: bool = False) -> int:
    """Return the peak memory of a process since it was reset, in bytes."""
    if reset:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


def a_room(number: int, size: int) -> tuple[Any, Path]:
    """Make an ended room with a mix of `size` random bytes."""
    from rooms import actions
    from rooms.models import Recording, RecordingFile
    from rooms.recording import store
    from tests.support.rooms import open_room

    room = open_room(f"host{number}", title=f"A long evening, {number}")
    actions.end_room(room.pk, room.host)
    path = store.mix_path(room.pk)
    path.parent.mkdir(parents=True, exist_ok=True)
    block = os.urandom(1 << 25)
    with path.open("wb") as file:
        while (left := size - file.tell()) > 0:
            file.write(block[:left])
    recording, _new = Recording.objects.update_or_create(room=room, defaults={"state": Recording.State.READY})
    about = {"start_ms": 0, "duration_ms": 1, "size": size, "sha256": "0" * 64}
    RecordingFile.objects.create(recording=recording, kind="mix", path=store.relative(path), **about)
    return room, path


def broken_pieces(port: int, address: str, size: int, etag: str, pieces: int) -> str:
    """Return the SHA-256 of a download that breaks off repeatedly and is resumed."""
    digest, at = hashlib.sha256(), 0
    for piece in range(1, pieces + 1):
        answer = ask(port, address, Range=f"bytes={at}-", If_Range=etag)
        assert answer.status == 206, answer.status
        to_come = size - at if piece == pieces else size * piece // pieces - at
        parts = [to_come]

        def take(data: memoryview, parts: list[int] = parts) -> None:
            digest.update(data[: parts[0]])
            parts[0] -= min(len(data), parts[0])

        drain(answer, take, to_come)
        at += to_come
    return digest.hexdigest()


def slow(port: int, address: str, pid: int) -> int:
    """Return how much memory grows while a reader takes one megabyte and then nothing."""
    before = highest(pid, reset=True)
    answer = ask(port, address)
    answer.connection.recv(READ)
    time.sleep(STANDS)
    grown = highest(pid) - before
    answer.connection.close()
    return grown


def rounds(port: int, address: str, path: Path, size: int, pid: int, count: int) -> Iterator[tuple[float, float, int]]:
    """Return seconds of ours, seconds of cat, and growth of memory; rounds take turns."""
    for _round in range(count):
        before = highest(pid, reset=True)
        began = time.monotonic()
        came = drain(ask(port, address))
        ours = time.monotonic() - began
        assert came == size, f"{came} of {size} bytes came"
        yield ours, cat(path), highest(pid) - before


def measure(port: int, pid: int, number: int, size: int, count: int) -> None:
    """Measure one size: make it, download it, break it off, test it."""
    from rooms import actions
    from rooms.models import RecordingFile
    from rooms.recording.sums import checksums

    room, path = a_room(number, size)
    began = time.monotonic()
    RecordingFile.objects.filter(recording__room=room).update(crc32=checksums(path).crc32)
    reading = time.monotonic() - began
    began = time.monotonic()
    first = actions.download_everything(room.pk, room.host)
    building = time.monotonic() - began
    began = time.monotonic()
    made = actions.download_everything(room.pk, room.host)
    again = time.monotonic() - began
    assert made.digest == first.digest
    drain(ask(port, made.address))  # fills the page cache, for both
    results = list(rounds(port, made.address, path, made.size, pid, count))
    ours, theirs = (median(result[place] for result in results) for place in (0, 1))
    grown = max(result[2] for result in results)
    print(f"{size / 1e6:,.0f} MB ({made.size:,} bytes as a zip)")
    print(f"  checksum         {reading:.2f} s, by a worker before any link")
    print(f"  link made in     {building:.3f} s, {again:.3f} s the second time")
    print(f"  sent in          {ours:.3f} s = {made.size / ours / 1e6:,.0f} MB/s (median of {count})")
    print(
        f"  cat              {theirs:.3f} s = {size / theirs / 1e6:,.0f} MB/s; ratio of the times {ours / theirs:.1f}"
    )
    print(f"  memory           {grown / 1e6:+.1f} MB at most; process at {highest(pid) / 1e6:.0f} MB")
    print(f"  a slow reader    {slow(port, made.address, pid) / 1e6:+.1f} MB in {STANDS:.0f} s")
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        file = Path(folder) / "all.zip"
        with file.open("wb") as out:
            answer = ask(port, made.address)
            drain(answer, out.write)
        with file.open("rb") as whole:
            digest = hashlib.file_digest(whole, "sha256").hexdigest()
        resumed = broken_pieces(port, made.address, made.size, answer.headers["etag"], 8)
        tested = subprocess.run(["unzip", "-tq", str(file)], capture_output=True, text=True, check=False)
    print(f"  broken 8 times   {'the same file' if digest == resumed else 'ANOTHER FILE'}")
    print(f"  unzip -t         {tested.stdout.strip() or tested.stderr.strip()}")
    path.unlink()
    if digest != resumed or tested.returncode:
        sys.exit(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["10M", "5G"])
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with site() as (running, parts):
        for number, size in enumerate(asked.sizes):
            pid = served_by(running.running["web"].pid)
            measure(parts.instance.block.web, pid, number, int(size[:-1]) * UNITS[size[-1]], asked.rounds)


def served_by(pid: int) -> int:
    """Return the process that serves: the one started, or its only child."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else pid


if __name__ == "__main__":
    main()
