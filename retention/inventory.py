"""Files of a room's folder: their checksums, their list for the receipt, and their removal."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from core.append_file import sync_folder
from retention.artefacts import kind_of
from rooms.models import RecordingFile
from rooms.recording import marker, track_memory
from rooms.recording.hls import window
from rooms.recording.store import folder, remove_folder

READ = 1 << 20


@dataclass(frozen=True)
class InventoryFile:
    """One file: path relative to the room's folder, size in bytes, mtime in ns, SHA-256 (hex)."""

    path: str
    size: int
    changed_ns: int
    sha256: str


Inventory = Mapping[str, InventoryFile]


def scan(room_pk: int, known: Inventory | None = None) -> dict[str, InventoryFile]:
    """Scan a room's folder; return its files by path. Those with the size and mtime of `known` are not read again."""
    root, found = folder(room_pk), {}
    for path in walk(root):
        with contextlib.suppress(FileNotFoundError):  # removed during the scan
            state = path.lstat()
            name = path.relative_to(root).as_posix()
            before = (known or {}).get(name)
            if before is not None and (before.size, before.changed_ns) == (state.st_size, state.st_mtime_ns):
                found[name] = before
            else:
                found[name] = InventoryFile(name, state.st_size, state.st_mtime_ns, checksum(path, state.st_mode))
    return found


def walk(root: Path) -> Iterator[Path]:
    """Yield the files and symbolic links below a folder; links are not followed."""
    for at, folders, names in os.walk(root):
        for name in (*names, *(name for name in folders if Path(at, name).is_symlink())):
            yield Path(at, name)


def checksum(path: Path, mode: int) -> str:
    """Compute the SHA-256 of a file's content, of a symbolic link's target path, or of nothing for a special file."""
    if stat.S_ISLNK(mode):
        return hashlib.sha256(os.fsencode(path.readlink())).hexdigest()
    if not stat.S_ISREG(mode):
        return hashlib.sha256(b"").hexdigest()
    with path.open("rb", buffering=0) as file:
        digest, buffer = hashlib.sha256(), bytearray(READ)
        while size := file.readinto(buffer):
            digest.update(memoryview(buffer)[:size])
    return digest.hexdigest()


def receipt_files(rooms: Sequence[int], found: Mapping[int, Inventory]) -> dict[int, list[dict[str, Any]]]:
    """List the files of each room for its receipt, compared with the checksums recorded in RecordingFile."""
    recorded: dict[int, dict[str, tuple[int, str]]] = {pk: {} for pk in rooms}
    rows = RecordingFile.objects.filter(recording__room_id__in=rooms)
    for pk, path, size, sha256 in rows.values_list("recording__room_id", "path", "size", "sha256"):
        recorded[pk][path.removeprefix(f"{pk}/")] = (size, sha256)
    return {pk: [*entries(found[pk], recorded[pk])] for pk in rooms}


def entries(found: Inventory, recorded: Mapping[str, tuple[int, str]]) -> Iterator[dict[str, Any]]:
    """Yield one entry per file, by path. `recorded`: the earlier checksum where it differs; `missing`: not on disk."""
    for path in sorted({*found, *recorded}):
        entry: dict[str, Any] = {"path": path, "kind": kind_of(path)}
        if path not in found:
            size, sha256 = recorded[path]
            yield {**entry, "size": size, "sha256": sha256, "missing": True}
            continue
        entry |= {"size": found[path].size, "sha256": found[path].sha256}
        if path in recorded and recorded[path][1] != found[path].sha256:
            entry["recorded"] = recorded[path][1]
        yield entry


def remove(rooms: Sequence[int]) -> None:
    """Remove the folders of these rooms and sync the removal to disk. Safe to repeat: missing folders are skipped."""
    marker.check()
    for pk in rooms:
        window.remove(pk)
        track_memory.remove(pk)
        root = folder(pk)
        if root.is_symlink() or root.is_file():
            root.unlink(missing_ok=True)
        elif root.exists():
            remove_folder(root)
    sync_folder(Path(settings.RECORDINGS_DIR))


def folders() -> set[int]:
    """Return the keys of rooms that have a folder."""
    marker.check()
    return {int(path.name) for path in Path(settings.RECORDINGS_DIR).iterdir() if path.name.isdecimal()}
