"""A socket that closes is gone at once, with its queue and its tasks: none of them waits for a search for garbage."""

from __future__ import annotations

import asyncio
import gc
import inspect
import weakref
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.conf import settings

from people.models import User
from rooms.live.hub import Hub, _hubs, hub
from rooms.live.routing import websocket_urlpatterns
from rooms.live.send_queue import SendQueue
from tests.support.people import person, session_cookie
from tests.support.rooms import open_room
from tests.support.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = f"http://localhost:{settings.PORT}"


@pytest.fixture
async def own_hub() -> AsyncGenerator[Hub]:
    gc.collect()
    gc.disable()
    yield hub()
    gc.enable()
    made = _hubs.pop(asyncio.get_running_loop())
    for task in list(made.tasks):
        task.cancel()
    await asyncio.gather(*made.tasks, return_exceptions=True)
    await made.redis.aclose()


def opened(path: str, user: User | None) -> Any:
    cookie = session_cookie(user) if user is not None else ""
    headers = [(b"host", b"localhost"), (b"origin", ORIGIN.encode()), (b"cookie", cookie.encode())]
    return WebsocketCommunicator(URLRouter(websocket_urlpatterns), path, headers)


@pytest.mark.parametrize("where", ["a room", "a room, signed out", "elsewhere"])
async def test_nothing_of_a_closed_socket_stays(own_hub: Hub, where: str) -> None:
    room, user = await run(open_room)(), await run(person)("guest")
    path = "/ws/me/" if where == "elsewhere" else f"/ws/rooms/{room.slug}/"
    page = await run(opened)(path, None if "signed out" in where else user)
    assert (await page.connect())[0]
    await page.receive_from(timeout=20)

    socket = weakref.ref(_socket_of(*own_hub.sockets))
    await page.disconnect()
    del page
    await until(lambda: not own_hub.sockets and socket() is None, what="the end of the socket")


def _socket_of(send_queue: SendQueue) -> Any:
    """The socket that a queue ends when it is full."""
    on_drop: Any = send_queue.on_drop
    return on_drop.__self__ if inspect.ismethod(on_drop) else on_drop.__closure__[0].cell_contents
