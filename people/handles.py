"""The one parser of handles, for addresses, forms, the API, sockets and commands."""

from __future__ import annotations

import re

from people.spelling import plain_handle

# 3 to 30 ASCII letters and digits; "-" and "_" stand between them.
PATTERN = "[a-zA-Z0-9](?:[a-zA-Z0-9]|[_-](?=[a-zA-Z0-9])){2,29}"
_HANDLE = re.compile(PATTERN)


def read_handle(text: object) -> str | None:
    """Return the handle in a text, with or without its @ and spaces around it; None where there is none.

    Capitals are kept: look-ups ignore them.
    """
    if not isinstance(text, str):
        return None
    written = plain_handle(text)
    return written if _HANDLE.fullmatch(written) else None
