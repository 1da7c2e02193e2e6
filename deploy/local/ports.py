"""Claims of blocks of ports, exclusive on the machine.

Blocks lie below the kernel's range for outgoing connections. The owner of a block listens on its first port on
loopback: the kernel lets only one process do so, and frees the port when that process dies, however it dies.
"""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

FIRST = 10_400
LAST = 32_000
WIDTH = 1_600


class NoPorts(Exception):
    """Every block is held by a running checkout or test run, or has ports used by other programs."""


@dataclass(frozen=True)
class Block:
    """The ports of a block, by program; ranges are (first, last), both included."""

    first: int

    postgres = property(lambda self: self.first + 1)
    redis = property(lambda self: self.first + 2)
    janus = property(lambda self: self.first + 3)
    janus_admin = property(lambda self: self.first + 4)
    manager = property(lambda self: self.first + 5)
    web = property(lambda self: self.first + 6)
    webrtc = property(lambda self: (self.first + 20, self.first + 1_119))
    audiobridge = property(lambda self: (self.first + 1_120, self.first + 1_219))
    streaming = property(lambda self: (self.first + 1_220, self.first + 1_419))
    loopback = property(lambda self: (self.first + 1_420, self.first + 1_599))

    def fixed(self) -> list[int]:
        """Return the ports on which one program each listens (TCP, loopback)."""
        return [self.first + offset for offset in range(1, 7)]


class Claim:
    """A block held for as long as this object lives, at the latest until the process ends. Raises NoPorts."""

    def __init__(self, preferred: int | None = None) -> None:
        self.holder, self.block = self._claim(preferred)

    def _claim(self, preferred: int | None) -> tuple[socket.socket, Block]:
        first = (preferred,) if preferred is not None else ()
        start = os.getpid() % ((LAST - FIRST) // WIDTH)
        blocks = list(range(FIRST, LAST - WIDTH + 1, WIDTH))
        for base in (*first, *blocks[start:], *blocks[:start]):
            holder = hold(base)
            if holder is None:
                continue
            block = Block(base)
            if all(is_free(port) for port in block.fixed()):
                return holder, block
            holder.close()
        raise NoPorts(
            f"no free block of {WIDTH} ports from {FIRST} to {LAST}: stop a checkout or a test run that still runs"
        )

    def release(self) -> None:
        """Release the block."""
        self.holder.close()


def hold(port: int) -> socket.socket | None:
    """Return a listening socket on a loopback port; None where the port is taken."""
    holder = socket.socket()
    try:
        holder.bind(("127.0.0.1", port))
        holder.listen(1)
    except OSError:
        holder.close()
        return None
    return holder


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on this TCP port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def previous_block(file: Path) -> int | None:
    """Return the first port of the block used last time; None where the file has no valid one."""
    try:
        first = int(file.read_text())
    except (OSError, ValueError):
        return None
    return first if FIRST <= first <= LAST - WIDTH else None
