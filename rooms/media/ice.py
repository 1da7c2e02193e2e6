"""ICE servers for browsers: STUN, and TURN with credentials that expire. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any


def ice_servers(
    now: float, name: str, stun_urls: Sequence[str], turn_urls: Sequence[str], turn_secret: str, seconds: int
) -> list[dict[str, Any]]:
    """RTCPeerConnection's `iceServers` for one person; `now` in epoch seconds, credentials end after `seconds`.

    coturn's `use-auth-secret`: the username is `<end>:<name>`, the password its HMAC-SHA1 in base64.
    """
    servers: list[dict[str, Any]] = []
    if stun_urls:
        servers.append({"urls": list(stun_urls)})
    if turn_urls and turn_secret:
        username = f"{int(now) + seconds}:{name}"
        digest = hmac.new(turn_secret.encode(), username.encode(), hashlib.sha1).digest()
        credential = base64.b64encode(digest).decode()
        servers.append({"urls": list(turn_urls), "username": username, "credential": credential})
    return servers
