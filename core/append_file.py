"""Append-only files outside of the database: JSON, one object a line.

A process may be killed in the middle of a line, so a reader reports a torn line as None, and a writer never continues
one.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any


def append_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Append lines and fsync; they are on disk when this returns. Several processes may append at once."""
    lines = "".join(json.dumps(row, sort_keys=True, separators=(",", ":")) + "\n" for row in rows).encode()
    if not lines:
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    new = not path.exists()
    with os.fdopen(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640), "r+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = os.fstat(file.fileno()).st_size
        if size and os.pread(file.fileno(), 1, size - 1) != b"\n":
            lines = b"\n" + lines
        written = 0
        while written < len(lines):
            written += os.write(file.fileno(), lines[written:])
        os.fsync(file.fileno())
    if new:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Fsync a folder, so that names added to or removed from it survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Yield (line number from 1, object); None for a line that cannot be read. A missing file has no lines."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, _parsed(line)


def read_new_rows(path: Path, begin: int) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Yield (position of its end in bytes, object) of each whole line from the position `begin` on. A last line without
    its end is left for later: it may be being written."""
    with path.open("rb") as file:
        file.seek(begin)
        end = begin
        for line in file:
            if not line.endswith(b"\n"):
                return
            end += len(line)
            if line.strip():
                yield end, _parsed(line.decode(errors="replace"))


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None
