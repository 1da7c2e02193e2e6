"""Ports on loopback on which ffmpeg receives the mix. RTP takes an even port, ffmpeg the next one too."""

from __future__ import annotations

import random
import socket
from collections.abc import Collection


class NoPort(RuntimeError):
    """Every port of the range is in use."""


def free_port(first: int, last: int, taken: Collection[int]) -> int:
    """An even port of the range that we have not given out and that nobody listens on; raises NoPort."""
    ports = [port for port in range(first + first % 2, last, 2) if port not in taken]
    random.shuffle(ports)
    for port in ports:
        if _is_free(port) and _is_free(port + 1):
            return port
    raise NoPort(f"no free port from {first} to {last}")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
