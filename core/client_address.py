"""The network address that a request or a socket came from, and the key under which an address is counted.

Behind a proxy of ours (`BEHIND_PROXY`) the last entry of X-Forwarded-For is the client: nginx writes it itself
(`deploy/nginx/stamtafel.conf`), and what a client wrote stands before it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"
NETWORK_BITS = 64  # of an IPv6 address: one connection at home has all the rest to choose from


def address_of_request(request: HttpRequest) -> str:
    """The client's address; `UNKNOWN` where the server did not say one."""
    return _client(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))


def address_of_scope(scope: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    """The same for an ASGI scope with its headers by lower-case name."""
    peer = (scope.get("client") or ("",))[0]
    return _client(str(peer), headers.get("x-forwarded-for", ""))


def counted_as(address: str) -> str:
    """The key under which an address is counted: IPv4 by itself, IPv6 by its /64, an IPv4 written as IPv6 as IPv4."""
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
