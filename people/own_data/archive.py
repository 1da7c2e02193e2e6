"""Write the ZIP of an own-data download: the files that apps registered (`people.hooks.own_data`), and two guides that
say in the person's language what each of them is."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from people.hooks import OwnFile, own_data
from people.models import User
from people.own_data.files import check_space

log = logging.getLogger(__name__)

CHUNK = 1 << 20  # bytes
SMALL = 16 * CHUNK  # bytes that a text may need, checked for before it is written
GUIDES = ("README.txt", "index.html")


@dataclass(frozen=True)
class Guided:
    """Files of the ZIP that one sentence describes."""

    about: str
    names: list[str]


class Archive:
    """A ZIP that is written from the front to the end. `touch` is called again and again while bytes are written, and
    raises where nobody needs them any more; `enter` before anything of a room is read."""

    def __init__(self, path: Path, root: str, at: datetime, touch: Callable[[], None], enter: Callable[[int], None]):
        self.path, self.root, self.at = path, root, at.astimezone(UTC)
        self.touch, self.enter = touch, enter
        self.written: list[OwnFile] = []

    def write(self, person: User) -> int:
        """Write everything of a person; returns the number of files."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file, translation.override(person.language):
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
                for source in own_data.values():
                    for one in source(person):
                        self._add(zipped, one)
                self._guide(zipped, person)
            file.flush()
            os.fsync(file.fileno())
        return len(self.written) + len(GUIDES)

    def _add(self, zipped: zipfile.ZipFile, one: OwnFile) -> None:
        """Write a file; nothing where what it is of went meanwhile."""
        if one.room is not None:
            self.enter(one.room)
        with suppress(FileNotFoundError):
            content = one.read()
            if content is None:
                return
            if isinstance(content, Path):
                self._copy(zipped, one.name, content)
            else:
                check_space(len(content) if isinstance(content, bytes) else SMALL)
                self._pour(zipped, one.name, iter([content]) if isinstance(content, bytes) else as_json(content))
            self.written.append(one)

    def _copy(self, zipped: zipfile.ZipFile, name: str, path: Path) -> None:
        """Copy a file of sound or a picture, which does not get smaller. Raises FileNotFoundError before a byte is
        written."""
        with path.open("rb") as source:
            check_space(os.fstat(source.fileno()).st_size)
            self._pour(zipped, name, iter(lambda: source.read(CHUNK), b""), zipfile.ZIP_STORED)

    def _pour(
        self, zipped: zipfile.ZipFile, name: str, pieces: Iterator[bytes], how: int = zipfile.ZIP_DEFLATED
    ) -> None:
        entry = zipfile.ZipInfo(f"{self.root}/{name}", self.at.timetuple()[:6])
        entry.compress_type, entry.external_attr = how, 0o100600 << 16
        with zipped.open(entry, "w", force_zip64=True) as target:
            for piece in pieces:
                self.touch()
                target.write(piece)

    def _guide(self, zipped: zipfile.ZipFile, person: User) -> None:
        named: dict[str, list[str]] = {}
        for one in self.written:
            named.setdefault(one.about, []).append(one.name)
        guided = [Guided(about, names) for about, names in named.items()]
        context = {"person": person, "files": guided, "site_name": settings.SITE_NAME, "site_url": settings.SITE_URL}
        context["at"] = self.at.strftime("%Y-%m-%d %H:%M UTC")
        for name in GUIDES:
            text = render_to_string(f"people/own_data/{name}", context).strip() + "\n"
            self._pour(zipped, name, iter([text.encode()]))


def as_json(content: Any) -> Iterator[bytes]:
    """Write JSON with moments in UTC; an iterator as a list, item by item, so that it may be long."""
    if not isinstance(content, Iterator):
        yield f"{_dumped(content, 1)}\n".encode()
        return
    before = "[\n"
    for item in content:
        yield f"{before}{_dumped(item)}".encode()
        before = ",\n"
    yield b"\n]\n" if before != "[\n" else b"[]\n"


def _dumped(content: Any, indent: int | None = None) -> str:
    return json.dumps(content, default=_plain, ensure_ascii=False, indent=indent)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)  # texts to be translated, receipts' numbers


def digest_of(path: Path, touch: Callable[[], None]) -> str:
    """Return the SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            touch()
            digest.update(data)
    return digest.hexdigest()
