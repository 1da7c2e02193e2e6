"""Files of clips that no row names: a process was killed between a commit and the work that follows it."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from core.batches import run_each
from rooms.models import Clip
from rooms.recording import store
from rooms.recording.clips.making import LEASE, remove_file


def remove_unnamed() -> None:
    """Delete what no row names in the folders of clips. What is younger than a lease may be of an attempt that goes
    on."""
    folders = Path(settings.RECORDINGS_DIR).glob("*/clips")
    rooms = sorted(int(folder.parent.name) for folder in folders if folder.parent.name.isdecimal())
    run_each(rooms, _remove_unnamed, "tidying the clips of a room")


def _remove_unnamed(room_pk: int) -> None:
    left = _older_than(store.clips_folder(room_pk), time.time() - LEASE.total_seconds())
    # Read after the folder: a row names its file before that is written.
    named = Clip.objects.filter(room=room_pk).exclude(file="") if left else Clip.objects.none()
    for file in sorted(left - set(named.values_list("file", flat=True))):
        remove_file(room_pk, file)


def _older_than(folder: Path, moment: float) -> set[str]:
    """Names of files, and of folders of attempts at one, that were written before a moment (Unix time)."""
    names: set[str] = set()
    with suppress(FileNotFoundError):  # the room is purged
        for path in list(folder.iterdir()):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < moment:
                    names.add(path.name.removeprefix("."))
    return names
