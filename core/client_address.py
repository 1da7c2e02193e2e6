"""The network address of a client, and the key under which addresses are counted.

Behind our own proxy (`BEHIND_PROXY`) the last entry of X-Forwarded-For is the client: nginx appends it itself
(`deploy/nginx/stamtafel.conf`); entries before it come from the client and are not trusted.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"
NETWORK_BITS = 64  # of an IPv6 address: a home connection may use any address of its /64


def address_of_request(request: HttpRequest) -> str:
    """Return the client's address; `UNKNOWN` where the server gave none."""
    return _client(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))


def address_of_scope(scope: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    """Return the client's address for an ASGI scope; `headers` by lower-case name."""
    peer = (scope.get("client") or ("",))[0]
    return _client(str(peer), headers.get("x-forwarded-for", ""))


@functools.lru_cache(4096)
def counted_as(address: str) -> str:
    """Return the key under which an address is counted: an IPv4 address itself (mapped ones too), an IPv6 address'
    /64."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return UNKNOWN
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, NETWORK_BITS), strict=False))
    return str(ip)


def _client(peer: str, forwarded: str) -> str:
    claimed = forwarded.rpartition(",")[2].strip() if settings.BEHIND_PROXY else ""
    return claimed or peer or UNKNOWN
