"""The marker of RECORDINGS_DIR: a file with the same folder id as the database (`RecordingsFolder`).

A worker or supervisor with another disk would finish every recording without files, write receipts for copies that it
never saw, and build every room a second time. So code that reads or writes recordings calls this module first; on any
other folder it refuses, changes nothing, and tries again later.

The first check marks an empty folder of a new installation, or the folder of an older version with recordings that the
database knows. Anything else is for an operator to decide: `manage.py recordings adopt`.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from redis.exceptions import RedisError

from core import bus
from core.append_file import sync_folder
from ledger import chain
from rooms.models import RecordingFile, RecordingsFolder, Room

log = logging.getLogger(__name__)

NAME = ".stamtafel"
REFUSED = "recordings:refused"  # key in Redis: the last refusal
TOLD_FOR = 120  # seconds for which /readyz shows a refusal; pending work is tried again at least every 30
CACHE_SECONDS = 5.0  # for which `trouble`, called for each segment of sound, does not read the folder again
_FEW = 50  # rows or folders to compare where nothing is marked yet
_FOREIGN = "its marker is another installation's, or damaged"
_HINT = "Mount the disk of the recordings or set RECORDINGS_DIR; where they moved: manage.py recordings adopt"


class OtherFolder(RuntimeError):
    """RECORDINGS_DIR is not the folder of this installation's recordings. The text says why, and what to do."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"RECORDINGS_DIR ({settings.RECORDINGS_DIR}) is not the folder of our recordings: {why}. {_HINT}"
        )


@dataclass(frozen=True)
class Marker:
    """Content of a marker: the folder's id, and whether it is signed with this installation's LEDGER_KEY."""

    folder: UUID
    is_ours: bool


_expected: dict[Path, UUID] = {}  # folders that passed a check, and their ids
_answers: dict[Path, tuple[float, str]] = {}


def check() -> None:
    """Raise OtherFolder unless RECORDINGS_DIR is the folder in the database; OSError where it cannot be read."""
    wanted = wanted_folder() or _begin()
    if why := differs(wanted):
        raise OtherFolder(why)
    _expected[_root()] = wanted


def trouble() -> str:
    """Reason why RECORDINGS_DIR is not ours; "" where it is, or nothing is marked yet. Cached for CACHE_SECONDS."""
    root, now = _root(), time.monotonic()
    known = _answers.get(root)
    if known is not None and now - known[0] < CACHE_SECONDS:
        return known[1]
    wanted = _expected.get(root) or wanted_folder()
    try:
        why = "" if wanted is None else differs(wanted)
    except OSError as error:
        why = f"it cannot be read ({error.strerror})"
    if wanted is not None and not why:
        _expected[root] = wanted  # from now on `trouble` needs no database: live sound goes on while it is away
    _answers[root] = now, why
    return why


def changed(root: Path) -> str:
    """Reason why a folder is no longer the one that passed a check in this process; "" where it is, or none did. Does
    not use the database."""
    expected = _expected.get(root)
    return "" if expected is None or root != _root() else differs(expected)


def is_signed() -> bool:
    """Whether the folder is marked with this installation's key; a weaker check for while the database is away."""
    marker = read_marker()
    return marker is not None and marker.is_ours


def forget() -> None:
    """Clear all caches, as in a new process."""
    _expected.clear()
    _answers.clear()


def report(error: OtherFolder) -> None:
    """Log a refusal, and store it in Redis for /readyz, which may run on another machine."""
    log.error("%s", error)
    try:
        bus.client().set(bus.key(REFUSED), f"{socket.gethostname()}: {error}"[:500], ex=TOLD_FOR)
    except RedisError as away:
        log.warning("that recordings are refused could not be told: %s", away)


def wanted_folder() -> UUID | None:
    """Id of the folder that the database names; None until one is marked."""
    return RecordingsFolder.objects.values_list("folder", flat=True).first()


def differs(wanted: UUID) -> str:
    """Reason why RECORDINGS_DIR is not the folder with this id; "" where it is. Reads only the marker."""
    marker = read_marker()
    if marker is None:
        return f"it has no marker ({NAME})"
    if marker.folder == wanted:
        return ""
    return "its marker is an older one of ours" if marker.is_ours else _FOREIGN


def read_marker() -> Marker | None:
    """Read the marker of RECORDINGS_DIR; None where there is none."""
    try:
        text = (_root() / NAME).read_text()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        row = json.loads(text)
        folder, signed = UUID(row["folder"]), str(row["signed"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return Marker(UUID(int=0), False)
    return Marker(folder, signed == _signature(folder))


def adopt() -> UUID:
    """Write a new marker to RECORDINGS_DIR, whatever was there, and its id to the database. Returns the id.

    Runs in the caller's transaction (`rooms.actions.adopt_folder`).
    """
    folder = uuid4()
    RecordingsFolder.objects.update_or_create(pk=1, defaults={"folder": folder})
    _write(folder)
    forget()
    return folder


def _begin() -> UUID:
    """Mark the folder of an installation that has none. Concurrent calls agree on the first one's row."""
    with transaction.atomic():
        marker = read_marker()
        if marker is not None and not marker.is_ours:
            raise OtherFolder(_FOREIGN)
        folder = uuid4() if marker is None else marker.folder
        row, new = RecordingsFolder.objects.get_or_create(pk=1, defaults={"folder": folder})
        if new:
            _check_content()
            if marker is None:
                _write(folder)
            log.info("recordings are kept in %s", _root())
    return row.folder


def _check_content() -> None:
    """Raise OtherFolder where the folder does not fit the database: none of the newest files is in it, or all rooms in
    it are unknown."""
    root = _root()
    files = RecordingFile.objects.filter(recording__room__purged_at=None).order_by("-pk")[:_FEW]
    paths = list(files.values_list("path", flat=True))
    if paths and not any((root / path).exists() for path in paths):
        raise OtherFolder("none of the recordings that the database knows is there")
    folders = (int(path.name) for path in root.iterdir() if path.name.isdecimal()) if root.exists() else iter(())
    rooms = list(islice(folders, _FEW))
    if rooms and not Room.objects.filter(pk__in=rooms).exists():
        raise OtherFolder("the recordings in it are of rooms that the database does not know")


def _write(folder: UUID) -> None:
    """Write the marker atomically and durably."""
    root = _root()
    root.mkdir(mode=0o750, parents=True, exist_ok=True)
    scratch = root / f"{NAME}.{os.getpid()}"
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), "w") as file:
        json.dump({"folder": str(folder), "signed": _signature(folder)}, file)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(root / NAME)
    sync_folder(root)


def _signature(folder: UUID) -> str:
    return chain.sign(settings.LEDGER_KEY, "recordings", {"folder": str(folder)})


def _root() -> Path:
    return Path(settings.RECORDINGS_DIR)
