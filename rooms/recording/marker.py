"""The marker of RECORDINGS_DIR: a file that must name the same folder as the database does (`RecordingsFolder`).

A worker or supervisor with another disk would finish every recording with no files, write receipts of copies that it
never saw, and build every room a second time. So whoever reads or writes recordings asks here first, and on any other
folder refuses, changes nothing, and tries again later.

The first one to ask marks an empty folder of a new installation, or the folder in which an older version kept the
recordings that the database knows. Everything else is for an operator to decide: `manage.py recordings adopt`.
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
REFUSED = "recordings:refused"  # key in Redis: what the last process that refused said
TOLD_FOR = 120  # seconds that a refusal stands in /readyz; work that is left is tried again at least each 30
BELIEVED = 5.0  # seconds until the folder is looked at again where it is asked for each piece of sound
_FEW = 50  # rows or folders that are compared where nothing is marked yet
_FOREIGN = "its marker is another installation's, or damaged"
_HINT = "Mount the disk of the recordings or set RECORDINGS_DIR; where they moved: manage.py recordings adopt"


class OtherFolder(RuntimeError):
    """RECORDINGS_DIR is not where this installation keeps its recordings. The text says why, and what to do."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"RECORDINGS_DIR ({settings.RECORDINGS_DIR}) is not the folder of our recordings: {why}. {_HINT}"
        )


@dataclass(frozen=True)
class Marker:
    """The content of a marker: which folder it is, and whether an installation with our key (LEDGER_KEY) wrote it."""

    folder: UUID
    is_ours: bool


_expected: dict[Path, UUID] = {}  # folders that were found to be right, and how they were marked
_answers: dict[Path, tuple[float, str]] = {}


def check() -> None:
    """Raise OtherFolder unless RECORDINGS_DIR is the one that the database names; OSError where it cannot be read."""
    wanted = wanted_folder() or _begin()
    if why := differs(wanted):
        raise OtherFolder(why)
    _expected[_root()] = wanted


def trouble() -> str:
    """Why RECORDINGS_DIR is not ours; "" where it is, or where nothing is marked yet. An answer counts 5 seconds."""
    root, now = _root(), time.monotonic()
    known = _answers.get(root)
    if known is not None and now - known[0] < BELIEVED:
        return known[1]
    wanted = _expected.get(root) or wanted_folder()
    try:
        why = "" if wanted is None else differs(wanted)
    except OSError as error:
        why = f"it cannot be read ({error.strerror})"
    if wanted is not None and not why:
        _expected[root] = wanted  # from now on without the database: listeners hear on while it is away
    _answers[root] = now, why
    return why


def changed(root: Path) -> str:
    """Why a folder is not the one any more that this process found right before; "" where it is, or none was. Asks no
    database."""
    expected = _expected.get(root)
    return "" if expected is None or root != _root() else differs(expected)


def is_signed() -> bool:
    """Whether an installation with our key marked this folder: what can be known while the database is away."""
    found = read()
    return found is not None and found.is_ours


def forget() -> None:
    """Forget what was found, as a new process would."""
    _expected.clear()
    _answers.clear()


def report(error: OtherFolder) -> None:
    """Log a refusal, and let /readyz know of it: it may be on another machine than the pages."""
    log.error("%s", error)
    try:
        bus.client().set(bus.key(REFUSED), f"{socket.gethostname()}: {error}"[:500], ex=TOLD_FOR)
    except RedisError as away:
        log.warning("that recordings are refused could not be told: %s", away)


def wanted_folder() -> UUID | None:
    """The folder that the database names; None until one is marked."""
    return RecordingsFolder.objects.values_list("folder", flat=True).first()


def differs(wanted: UUID) -> str:
    """Why RECORDINGS_DIR is another folder than this; "" where it is this one. Reads nothing but the marker."""
    found = read()
    if found is None:
        return f"it has no marker ({NAME})"
    if found.folder == wanted:
        return ""
    return "its marker is an older one of ours" if found.is_ours else _FOREIGN


def read() -> Marker | None:
    """The marker of RECORDINGS_DIR; None where there is none."""
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
    """Mark RECORDINGS_DIR anew, whatever was there, and let the database name it. What marked it before is over.

    Inside the caller's transaction: `rooms.actions.adopt_folder`.
    """
    folder = uuid4()
    RecordingsFolder.objects.update_or_create(pk=1, defaults={"folder": folder})
    _write(folder)
    forget()
    return folder


def _begin() -> UUID:
    """Mark the folder of an installation that has marked none. Of several at once one does; others see its row."""
    with transaction.atomic():
        found = read()
        if found is not None and not found.is_ours:
            raise OtherFolder(_FOREIGN)
        folder = uuid4() if found is None else found.folder
        row, new = RecordingsFolder.objects.get_or_create(pk=1, defaults={"folder": folder})
        if new:
            _check_content()
            if found is None:
                _write(folder)
            log.info("recordings are kept in %s", _root())
    return row.folder


def _check_content() -> None:
    """Raise OtherFolder where the folder cannot be what the database speaks of: all its files are elsewhere, or all
    rooms in it are unknown."""
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
    """All of it or nothing, and on the disk when this returns."""
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
