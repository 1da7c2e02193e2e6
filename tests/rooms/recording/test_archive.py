"""The zip: read by those who know the format, in any pieces, and right where 32 bits end."""

from __future__ import annotations

import io
import os
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rooms.recording.delivery.archive import ArchiveEntry, Layout, layout

AT = datetime(2026, 11, 23, 18, 30, 14, tzinfo=UTC)
GIB = 1 << 30
BEYOND = 4 * GIB + 12345
CRC_OF_ZEROS = 0x1E83137D  # of so many of them: computed once, and compared with what is read
names = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="/\\:"), min_size=1, max_size=30)
files = st.dictionaries(names, st.binary(max_size=2000), max_size=8)


def entries(content: dict[str, bytes]) -> list[ArchiveEntry]:
    return [ArchiveEntry(name, len(data), zlib.crc32(data)) for name, data in content.items()]


def made(plan: Layout, content: dict[str, bytes], start: int = 0, stop: int | None = None) -> bytes:
    """The bytes of a range, as the server puts them together."""
    data = list(content.values())
    out = b""
    for piece in plan.ranges(start, plan.size if stop is None else stop):
        whole = piece.part.header if piece.part.entry is None else data[piece.part.entry]
        out += whole[piece.offset : piece.offset + piece.size]
    return out


@given(files)
@settings(max_examples=150, deadline=None)
def test_the_standard_library_reads_back_every_file(content: dict[str, bytes]) -> None:
    plan = layout(entries(content), AT)
    whole = made(plan, content)
    assert len(whole) == plan.size
    with zipfile.ZipFile(io.BytesIO(whole)) as read:
        assert read.testzip() is None
        assert {info.filename: read.read(info) for info in read.infolist()} == content
        assert all(info.date_time == (2026, 11, 23, 18, 30, 14) for info in read.infolist())


@given(files, st.data())
@settings(max_examples=150, deadline=None)
def test_any_range_is_the_same_bytes_as_of_the_whole(content: dict[str, bytes], data: st.DataObject) -> None:
    plan = layout(entries(content), AT)
    whole = made(plan, content)
    start = data.draw(st.integers(0, plan.size))
    stop = data.draw(st.integers(start, plan.size))
    assert made(plan, content, start, stop) == whole[start:stop]
    assert made(plan, content, 0, start) + made(plan, content, start) == whole


def test_the_same_entries_make_the_same_bytes() -> None:
    content = {"a/é.txt": b"one", "b": b""}
    assert layout(entries(content), AT) == layout(entries(content), AT)


def test_unzip_finds_nothing_wrong(tmp_path: Path) -> None:
    content = {"room/mix.m4a": os.urandom(70_000), "room/log.jsonl": b"", "room/naïve – “ok”.txt": b"x"}
    file = tmp_path / "all.zip"
    file.write_bytes(made(layout(entries(content), AT), content))
    done = subprocess.run(["unzip", "-t", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def write_sparse(path: Path, plan: Layout) -> None:
    """A zip of files of zeros, without writing them."""
    with path.open("wb") as out:
        for part in plan.parts:
            out.seek(part.start)
            out.write(part.header)
        out.truncate(plan.size)


# One byte below, at and above 4 GiB - 1 for a file, and the same for the place of the file behind it.
@pytest.mark.parametrize("size", [0xFFFFFFFF - 200, 0xFFFFFFFE, 0xFFFFFFFF, 0x1_0000_0000, 5 * GIB])
def test_sizes_and_places_beyond_4_gb(tmp_path: Path, size: int) -> None:
    files = [ArchiveEntry("long.opus", size, 7), ArchiveEntry("after.txt", 5, 9), ArchiveEntry("last.txt", 0, 0)]
    plan = layout(files, AT)
    file = tmp_path / "large.zip"
    write_sparse(file, plan)
    with zipfile.ZipFile(file) as read:
        found = {info.filename: (info.file_size, info.compress_size, info.CRC) for info in read.infolist()}
        assert found == {"long.opus": (size, size, 7), "after.txt": (5, 5, 9), "last.txt": (0, 0, 0)}
        for info in read.infolist():
            read.open(info).close()  # reads the local header and compares it with the directory


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path]:
    """A folder where the holes of a file are nothing: on a disk the kernel fills its cache with them as they are read,
    four gigabytes, which takes four times as long as to read them."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as folder:
        yield Path(folder)


def test_a_file_beyond_4_gb_is_read(in_memory: Path) -> None:
    """To its end by the standard library, which is twice as fast at it as unzip; unzip reads all around it."""
    long = ArchiveEntry("long.opus", BEYOND, CRC_OF_ZEROS)
    plan = layout([long, ArchiveEntry("after.txt", 3, zlib.crc32(bytes(3)))], AT)
    file = in_memory / "large.zip"
    write_sparse(file, plan)
    with zipfile.ZipFile(file) as read:
        assert read.testzip() is None
    listed = subprocess.run(["unzip", "-l", str(file)], capture_output=True, text=True, check=True)
    assert str(BEYOND) in listed.stdout.split(), listed.stdout
    done = subprocess.run(["unzip", "-t", str(file), "after.txt"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "No errors" in done.stdout, done.stdout + done.stderr
    with subprocess.Popen(["unzip", "-p", str(file), "long.opus"], stdout=subprocess.PIPE) as reading:
        assert reading.stdout is not None and reading.stdout.read(GIB >> 8) == bytes(GIB >> 8)
        reading.kill()


def test_more_files_than_16_bits_count(tmp_path: Path) -> None:
    content = {f"{number}.txt": b"" for number in range(70_000)}
    file = tmp_path / "many.zip"
    file.write_bytes(b"".join(part.header for part in layout(entries(content), AT).parts))
    with zipfile.ZipFile(file) as read:
        assert len(read.infolist()) == 70_000


@pytest.mark.parametrize("year", [1970, 1980, 2107, 2200])
def test_years_that_dos_did_not_know(year: int) -> None:
    content = {"a": b"a"}
    whole = made(layout(entries(content), AT.replace(year=year)), content)
    with zipfile.ZipFile(io.BytesIO(whole)) as read:
        assert read.infolist()[0].date_time[0] == min(max(year, 1980), 2107)
