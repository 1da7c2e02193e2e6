"""Downloads that nobody reads."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.http import StreamingHttpResponse
from django.test import RequestFactory

from core.client_address import counted_as
from rooms.recording.delivery import downloads
from tests.support.waiting import wait_until

ADDRESS = "127.0.0.9"


async def _bytes() -> AsyncIterator[bytes]:
    yield b"sound"
    yield b"and more of it"


def _places_taken() -> int:
    key = f"{settings.REDIS_PREFIX}quota:{downloads.OF_ADDRESS.name}:{counted_as(ADDRESS)}"
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        return int(client.zcard(key))


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Without the garbage collector, which may come by late in a process with little to do."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class HangsUp:
    """A client of Django's handler that hangs up at a moment of its request: while the response is made (in a thread,
    as views are), or with its head or the first bytes on the way."""

    def __init__(self, at: str) -> None:
        self.at = at
        self.asked = False
        self.gone = asyncio.Event()
        self.handler = ASGIHandler()
        self.handler.get_response_async = self.respond  # type: ignore[method-assign]

    async def respond(self, request: Any) -> Any:
        if self.at == "the view":
            self.gone.set()
        return await sync_to_async(self.view, thread_sensitive=False)(request)

    def view(self, request: Any) -> Any:
        response = downloads.limited(request, StreamingHttpResponse(_bytes()), None, lambda: True)
        assert response.status_code == 200 and _places_taken() > 0
        if self.at == "the view":
            time.sleep(0.1)
        return response

    async def receive(self) -> dict[str, Any]:
        if not self.asked:
            self.asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == self.at:
            self.gone.set()
            await asyncio.sleep(60)

    async def run(self) -> None:
        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
        await self.handler.handle({**scope, "client": (ADDRESS, 1)}, self.receive, self.send)


@pytest.mark.parametrize("at", ["the view", "http.response.start", "http.response.body"])
async def test_clients_that_hang_up_at_once_hold_nothing(at: str, uncollected: None, settings: Any) -> None:
    settings.DOWNLOADS_PER_ADDRESS = 60
    await asyncio.gather(*(HangsUp(at).run() for _client in range(60)))
    await asyncio.to_thread(wait_until, lambda: _places_taken() == 0, 10, "the places are free")


def test_a_response_that_is_dropped_before_its_first_byte_gives_its_place_back() -> None:
    """Clients that ask and hang up at once, as a player does that seeks, do not use up what they may have open."""
    request = RequestFactory(REMOTE_ADDR=ADDRESS).get("/")
    response = downloads.limited(request, StreamingHttpResponse(_bytes()), None, lambda: True)
    assert response.status_code == 200 and _places_taken() == 1
    del response
    wait_until(lambda: _places_taken() == 0, 10, "the place is free")
