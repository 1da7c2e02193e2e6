"""Arrivals by a shared link, which a page names in its socket's address (`?by=`). What merely loads a page, such as the
preview of a link, opens no socket, and counts for nobody."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import parse_qs

from rooms import actions
from rooms.rules.identity import Who
from rooms.rules.refusals import RoomRefused

log = logging.getLogger(__name__)


def query_field(scope: dict[str, Any], name: str) -> str:
    """Return a field of the socket's address; empty where it has none."""
    try:
        fields = parse_qs(str(scope.get("query_string", b""), "latin1"), max_num_fields=10)
        return fields.get(name, [""])[0]
    except ValueError:  # more fields than any page of ours sends
        return ""


def note_arrival(code: str, who: Who, address: str) -> None:
    """Count a person who came by the shared link with this code, if they were not counted before. Somebody who comes
    too fast to be counted comes in all the same; `address` is the client's."""
    try:
        actions.arrive(code, who, address=address)
    except RoomRefused as refused:
        log.info("an arrival by a shared link is not counted: %s", refused.code)
