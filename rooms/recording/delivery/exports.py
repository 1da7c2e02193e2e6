"""Everything of a room as one zip, whose content is fixed when it is built, so that each download has the same bytes.

Sound is sent as it lies on the disk. Texts (log, stage, transcript, manifest) are written into a folder named after the
digest of the whole zip. A link contains that digest, so that a download resumed tomorrow continues the same zip, even
if a line was corrected in between.

Apps above this one add texts with `@export_texts.register("transcript/transcript.vtt")`.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
import time
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

from rooms.hooks import export_texts
from rooms.models import Recording, RecordingFile, Room, RoomEvent, Seat
from rooms.recording import store
from rooms.recording.delivery import archive, responses
from rooms.wire.events import as_message, encode, iso

OUTDATED = 2 * 24 * 3600  # seconds after which links to a version have expired
PLAN = "plan.json"
# The beginning of a cell before a character that starts a formula: = + - @, their full-width forms, tab, return.
_FORMULA = re.compile(r"""(?:^|(?<=[;,|"\t\r\n]))[ \xa0]*(?=[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])""")


@dataclass(frozen=True)
class Item:
    """A file of the zip: its name there, its path below the room's folder, its sums, and its fields in the manifest."""

    name: str
    path: str
    size: int
    crc32: int
    sha256: str
    about: dict[str, Any]


@dataclass(frozen=True)
class Export:
    """A version of the zip; `digest` identifies every byte of it."""

    digest: str
    folder: Path
    at: datetime
    items: tuple[Item, ...]

    @property
    def layout(self) -> archive.Layout:
        """Positions of all files in the zip."""
        return archive.layout([archive.ArchiveEntry(item.name, item.size, item.crc32) for item in self.items], self.at)

    async def read(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield the bytes of the zip from `start` up to, not including, `stop`."""
        for piece in self.layout.ranges(start, stop):
            if piece.part.entry is None:
                yield piece.part.header[piece.offset : piece.offset + piece.size]
            else:
                path = self.folder / self.items[piece.part.entry].path
                async for data in responses.read_range(path, piece.offset, piece.offset + piece.size):
                    yield data


def build(recording: Recording) -> Export:
    """Build a version of the zip from the room as it is now.

    Raises OSError where a file is missing or has changed, and where a purge removed the room's folder meanwhile: the
    folder is never created again here.
    """
    room = recording.room
    root = store.exports_folder(room.pk)
    root.mkdir(mode=0o750, exist_ok=True)
    remove_outdated(root)
    scratch = Path(tempfile.mkdtemp(dir=root, prefix=".new-"))
    try:
        return install(room, scratch, items_of(recording, scratch))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def items_of(recording: Recording, scratch: Path) -> list[Item]:
    """Items of the zip: sound, texts and, last, the manifest."""
    room = recording.room
    items = [sound_item(room, file, number) for number, file in enumerate(sound_files(recording))]
    texts = ((name, text(room)) for name, text in sorted(export_texts.items()))
    items += [
        write_text(scratch, f"{room.slug}/{name}", pieces, {"kind": "text"})
        for name, pieces in texts
        if pieces is not None
    ]
    return [*items, write_text(scratch, f"{room.slug}/manifest.json", manifest(room, items), {})]


def install(room: Room, scratch: Path, items: list[Item]) -> Export:
    """Move a version to the folder of its digest; the same version that exists already stays."""
    at = room.started_at or room.ended_at or datetime.fromtimestamp(0, UTC)
    plan = json.dumps({"at": at.isoformat(), "items": [asdict(item) for item in items]}, sort_keys=True)
    digest = hashlib.sha256(plan.encode()).hexdigest()[:32]
    (scratch / PLAN).write_text(plan)
    target = store.exports_folder(room.pk) / digest
    if target.exists():
        os.utime(target)
    else:
        try:
            scratch.rename(target)
        except OSError:
            if not target.exists():  # else another process installed the same version first
                raise
    return load(room.pk, digest)


def load(room_pk: int, digest: str) -> Export:
    """Load a version that was built before. Raises FileNotFoundError."""
    folder = store.exports_folder(room_pk) / digest
    plan = json.loads((folder / PLAN).read_text())
    items = tuple(Item(**{**item, "path": item["path"].replace("{export}", digest)}) for item in plan["items"])
    return Export(digest, store.folder(room_pk), datetime.fromisoformat(plan["at"]), items)


def discard(room_pk: int, digest: str) -> None:
    """Remove a version to which no link was given out."""
    shutil.rmtree(store.exports_folder(room_pk) / digest, ignore_errors=True)


def discard_all(room_pk: int) -> None:
    """Remove every version of a room's zip: links to them end, and a new one is made from the room as it is."""
    shutil.rmtree(store.exports_folder(room_pk), ignore_errors=True)


def remove_outdated(root: Path) -> None:
    """Remove versions whose links have all expired, and scratch folders of killed processes."""
    for folder in root.iterdir():
        with suppress(FileNotFoundError):
            if folder.stat().st_mtime < time.time() - OUTDATED:
                shutil.rmtree(folder)


# --- sound ----------------------------------------------------------------------------------------------------------


def sound_files(recording: Recording) -> list[RecordingFile]:
    """Files of a recording: the mix, then the tracks in the order in which they begin."""
    return list(recording.files.select_related("seat__user").order_by("kind", "start_ms", "pk"))


def sound_item(room: Room, file: RecordingFile, number: int) -> Item:
    """Make the item of a sound file. Raises OSError where its sums are not known yet or its size has changed."""
    path = store.file_path(file)
    if file.crc32 is None:
        raise OSError(f"{file.path} has not been looked through yet")
    size = path.stat().st_size
    if size != file.size:
        raise OSError(f"{file.path} has {size} bytes, and had {file.size} when it was finished")
    about = {"kind": file.kind, "start_ms": file.start_ms, "duration_ms": file.duration_ms}
    if file.seat is None:
        name = path.name
    else:
        about["user"] = file.seat.user.handle
        name = f"tracks/{number:02}-{file.seat.user.handle}{path.suffix}"
    below = path.relative_to(store.folder(room.pk)).as_posix()
    return Item(f"{room.slug}/{name}", below, size, file.crc32, file.sha256, about)


# --- texts ----------------------------------------------------------------------------------------------------------


def write_text(scratch: Path, name: str, pieces: Iterable[str], about: dict[str, Any]) -> Item:
    """Write a text, computing its sums on the way, and make its item."""
    below = name.partition("/")[2]
    path = scratch / below
    if path.parent != scratch:
        path.parent.mkdir(exist_ok=True)
    size, crc32, sha256 = 0, 0, hashlib.sha256()
    with path.open("wb") as file:
        for piece in pieces:
            data = piece.encode()
            size += file.write(data)
            crc32 = zlib.crc32(data, crc32)
            sha256.update(data)
    return Item(name, f"exports/{{export}}/{below}", size, crc32, sha256.hexdigest(), about)


def manifest(room: Room, items: Iterable[Item]) -> Iterator[str]:
    """Manifest of the zip as JSON: the room, and a checksum for each file. Independent of the time of building."""
    about = {
        "slug": room.slug,
        "title": room.title,
        "host": room.host.handle,
        "language": room.language,
        "started_at": iso(room.started_at),
        "ended_at": iso(room.ended_at),
        "end_reason": room.end_reason,
    }
    files = [
        {"path": item.name.partition("/")[2], "size": item.size, "sha256": item.sha256, **item.about} for item in items
    ]
    note = "Times are milliseconds since the room started. The sha256 are of the files in this zip."
    yield json.dumps({"room": about, "note": note, "files": files}, ensure_ascii=False, indent=1) + "\n"


@export_texts.register("log.jsonl")
def log_jsonl(room: Room) -> Iterator[str]:
    """The public event log, one event a line, in the format of the WebSocket."""
    for event in RoomEvent.objects.filter(room=room).order_by("seq").iterator(chunk_size=500):
        yield encode(as_message(event)) + "\n"


# In functional syntax, because "from" is a keyword.
Stint = TypedDict(
    "Stint",
    {
        "user": str,
        "name": str,
        "role": str,
        "place": int,
        "from_ms": int,
        "to_ms": int,
        "from": str | None,
        "to": str | None,
        "left": str,
    },
)


def stints(room: Room) -> Iterator[Stint]:
    """Stays on stage in the order in which they began. `user` is the handle, the only unique name of a person."""
    seats = Seat.objects.filter(room=room).select_related("user").order_by("taken_at", "pk")
    for seat in seats.iterator(chunk_size=500):
        left_at = seat.left_at or room.ended_at
        yield {
            "user": seat.user.handle,
            "name": seat.user.display_name,
            "role": seat.role,
            "place": seat.place,
            "from_ms": room.room_time(seat.taken_at),
            "to_ms": room.room_time(left_at),
            "from": iso(seat.taken_at),
            "to": iso(left_at),
            "left": seat.left_reason,
        }


@export_texts.register("stage.json")
def stage_json(room: Room) -> Iterator[str]:
    """Stays on stage as JSON."""
    yield json.dumps(list(stints(room)), ensure_ascii=False, indent=1) + "\n"


@export_texts.register("stage.csv")
def stage_csv(room: Room) -> Iterator[str]:
    """Stays on stage as CSV."""
    yield from csv_lines(stints(room))


def csv_lines(rows: Iterable[Stint]) -> Iterator[str]:
    """Format stays on stage as CSV, with formulas escaped. A byte order mark tells spreadsheets that it is UTF-8."""
    line = io.StringIO()
    writer = csv.DictWriter(line, fieldnames=Stint.__annotations__)
    line.write(codecs.BOM_UTF8.decode())
    writer.writeheader()
    yield line.getvalue()
    for stint in rows:
        line.seek(0)
        line.truncate()
        writer.writerow({name: escape_formula(cell) if isinstance(cell, str) else cell for name, cell in stint.items()})
        yield line.getvalue()


def escape_formula(text: str) -> str:
    """Put an apostrophe before each character that would start a formula in a spreadsheet, also where that spreadsheet
    splits cells at other separators than the comma."""
    return _FORMULA.sub(lambda match: f"{match[0]}'", text)
