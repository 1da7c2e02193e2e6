"""What lies in a room's folder, with checksums, and how it is removed."""

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
class Found:
    """One file: its path below the room's folder, what tells that it was written to, and its checksum."""

    path: str
    size: int
    changed_ns: int
    sha256: str


Inventory = Mapping[str, Found]


def look(room_pk: int, known: Inventory | None = None) -> dict[str, Found]:
    """All files of a room. What is `known` and was not written to since is not read again."""
    root, found = folder(room_pk), {}
    for path in walk(root):
        with contextlib.suppress(FileNotFoundError):  # removed while we look: then it is not there
            state = path.lstat()
            name = path.relative_to(root).as_posix()
            before = (known or {}).get(name)
            if before is not None and (before.size, before.changed_ns) == (state.st_size, state.st_mtime_ns):
                found[name] = before
            else:
                found[name] = Found(name, state.st_size, state.st_mtime_ns, checksum(path, state.st_mode))
    return found


def walk(root: Path) -> Iterator[Path]:
    """Everything in a folder that is no folder itself; links are not followed."""
    for at, folders, names in os.walk(root):
        for name in (*names, *(name for name in folders if Path(at, name).is_symlink())):
            yield Path(at, name)


def checksum(path: Path, mode: int) -> str:
    """SHA-256 of a file's content; of a link, of where it points."""
    if stat.S_ISLNK(mode):
        return hashlib.sha256(os.fsencode(path.readlink())).hexdigest()
    if not stat.S_ISREG(mode):
        return hashlib.sha256(b"").hexdigest()
    with path.open("rb", buffering=0) as file:
        digest, buffer = hashlib.sha256(), bytearray(READ)
        while size := file.readinto(buffer):
            digest.update(memoryview(buffer)[:size])
    return digest.hexdigest()


def listed(rooms: Sequence[int], found: Mapping[int, Inventory]) -> dict[int, list[dict[str, Any]]]:
    """The files of each room as a receipt has them, compared with what was written down when they were finished."""
    recorded: dict[int, dict[str, tuple[int, str]]] = {pk: {} for pk in rooms}
    rows = RecordingFile.objects.filter(recording__room_id__in=rooms)
    for pk, path, size, sha256 in rows.values_list("recording__room_id", "path", "size", "sha256"):
        recorded[pk][path.removeprefix(f"{pk}/")] = (size, sha256)
    return {pk: [*entries(found[pk], recorded[pk])] for pk in rooms}


def entries(found: Inventory, recorded: Mapping[str, tuple[int, str]]) -> Iterator[dict[str, Any]]:
    """One entry a file, by path. `recorded`: the checksum it once had, if another; `missing`: not on disk."""
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
    """Remove the folders of these rooms, for good also if the power fails next. What is gone already is no matter."""
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
    """Rooms that have a folder."""
    marker.check()
    return {int(path.name) for path in Path(settings.RECORDINGS_DIR).iterdir() if path.name.isdecimal()}
