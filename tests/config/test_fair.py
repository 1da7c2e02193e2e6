"""Under which key the line of a request is found: one that a client cannot choose; and what a request costs."""

from __future__ import annotations

from typing import Any, cast

import pytest
from asgiref import testing
from asgiref.sync import SyncToAsync

from config.fair import Handler, client_of


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


@pytest.mark.django_db(transaction=True)
async def test_a_page_changes_its_thread_three_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it begins, for all that makes the response, and at its end."""
    changes = []
    real = SyncToAsync.__call__

    def counted(call: Any, *args: Any, **named: Any) -> Any:
        changes.append(call.func)
        return real(call, *args, **named)

    monkeypatch.setattr(SyncToAsync, "__call__", counted)
    asked = {
        "type": "http",
        "method": "GET",
        "path": "/nowhere/",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    page = cast(Any, testing.ApplicationCommunicator)(Handler(), asked)
    await page.send_input({"type": "http.request", "body": b""})
    assert (await page.receive_output())["status"] == 404
    assert (await page.receive_output())["body"]
    await page.wait()
    assert len(changes) == 3, changes
