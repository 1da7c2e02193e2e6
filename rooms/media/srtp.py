"""Keys for RTP between our own processes, and a way to hand them to ffmpeg that other users cannot read.

A port on loopback takes packets from every user of the machine. With SRTP a packet counts only when it was made with
the key. Keys never stand in a command line (`ps` shows those to everybody) nor in Redis: the ones of forwards live in
memory as long as the ffmpeg that needs them, the one of a mountpoint is derived (`derived_key`).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

SUITE_BITS = 80  # as Janus names it
SUITE = "AES_CM_128_HMAC_SHA1_80"  # the same as SDP and ffmpeg name it
KEY_BYTES = 30  # 16 of the key, 14 of the salt


class Hidden(bytes):
    """A word of a command line that is handed over as a file which only the process itself can open."""


def new_key() -> str:
    """A random master key and salt in base64."""
    return b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def derived_key(secret: str, *words: str) -> str:
    """The same for the same words: known again after a restart without being kept anywhere."""
    digest = hmac.new(secret.encode(), ":".join(("srtp", *words)).encode(), hashlib.sha512).digest()
    return b64encode(digest[:KEY_BYTES]).decode()


def crypto_attribute(key: str) -> str:
    """The line of an SDP that names the key (RFC 4568)."""
    return f"a=crypto:1 {SUITE} inline:{key}\n"


def output_preset(key: str) -> Hidden:
    """The preset file (`-fpre`) that makes ffmpeg's `srtp://` output use the key."""
    return Hidden(f"srtp_out_suite={SUITE}\nsrtp_out_params={key}\n".encode())


@contextmanager
def hidden_as_files(words: Sequence[str | bytes]) -> Iterator[tuple[list[str], tuple[int, ...]]]:
    """The command line with each hidden word as the path of a file in memory, and the open files to pass on."""
    opened: list[int] = []
    try:
        line = []
        for word in words:
            if isinstance(word, bytes):
                opened.append(os.memfd_create("stamtafel", os.MFD_CLOEXEC))
                os.write(opened[-1], word)
                line.append(f"/proc/self/fd/{opened[-1]}")
            else:
                line.append(word)
        yield line, tuple(opened)
    finally:
        for number in opened:
            os.close(number)
