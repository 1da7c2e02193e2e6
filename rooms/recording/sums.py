"""Sizes and checksums of files, for rows, receipts and zips."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

READ = 1 << 20  # bytes


@dataclass(frozen=True)
class Sums:
    """Size in bytes, SHA-256 in hex and CRC-32 of a file."""

    size: int
    sha256: str
    crc32: int


def checksums(path: Path) -> Sums:
    """Compute size and checksums of a file in one reading. Raises OSError."""
    size, sha256, crc32 = 0, hashlib.sha256(), 0
    with path.open("rb") as file:
        while data := file.read(READ):
            size += len(data)
            sha256.update(data)
            crc32 = zlib.crc32(data, crc32)
    return Sums(size, sha256.hexdigest(), crc32)
