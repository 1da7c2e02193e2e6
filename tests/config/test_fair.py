"""Under which key the line of a request is found: one that a client cannot choose."""

from __future__ import annotations

from typing import Any

import pytest

from config.fair import client_of


def scope(*forwarded: str, peer: str = "192.0.2.7") -> dict[str, Any]:
    return {"client": (peer, 5000), "headers": [(b"x-forwarded-for", value.encode()) for value in forwarded]}


@pytest.mark.parametrize(
    ("headers", "counted"),
    [
        ([], "192.0.2.7"),
        (["198.51.100.1"], "198.51.100.1"),
        (["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
        (["203.0.113.9", "198.51.100.1"], "198.51.100.1"),
        (["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        (["::ffff:198.51.100.1"], "198.51.100.1"),
    ],
)
def test_behind_our_proxy_the_last_one_counts(settings: Any, headers: list[str], counted: str) -> None:
    settings.BEHIND_PROXY = True
    assert client_of(scope(*headers)) == counted
    settings.BEHIND_PROXY = False
    assert client_of(scope(*headers)) == "192.0.2.7", "what a client claims decides nothing"
