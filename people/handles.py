"""Handles as people write them: one way to read them for addresses, forms, the API, sockets and commands."""

from __future__ import annotations

import re

from people.spelling import plain_handle

# 3 to 30 ASCII letters and digits; "-" and "_" stand between them.
PATTERN = "[a-zA-Z0-9](?:[a-zA-Z0-9]|[_-](?=[a-zA-Z0-9])){2,29}"
_HANDLE = re.compile(PATTERN)


def read_handle(text: object) -> str | None:
    """The handle in what somebody wrote, with or without its @ and spaces around it; None for what is none.

    Capitals stay as they are written: they do not matter when it is looked up.
    """
    if not isinstance(text, str):
        return None
    written = plain_handle(text)
    return written if _HANDLE.fullmatch(written) else None
