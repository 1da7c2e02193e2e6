"""A real WebSocket client of a room: as a browser's page, with its origin and cookies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from channels.db import database_sync_to_async as sync_to_async
from django.conf import settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from people.models import User
from rooms.models import Room
from rooms.rules.identity import COOKIE
from tests.support.people import session_cookie

WITHIN = 10.0  # seconds; a machine that runs other tests too may be slow, never this slow


class Page:
    """One page of a room. Keeps every message; `wait_for` looks at those it has not consumed yet.

    The option `listener` is the value of the listener cookie that its browser has.
    """

    def __init__(self, room: Room | str, user: User | None = None, *, port: int | None = None, **options: Any) -> None:
        self.slug = room if isinstance(room, str) else room.slug
        self.path = f"/ws/rooms/{self.slug}/"
        self.user = user
        self.port = port or settings.PORT
        self.options = options
        self.seen: list[dict[str, Any]] = []
        self.unread: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.number = 0
        self.cookie = ""
        self.socket: ClientConnection
        self.reader: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        headers = dict(self.options.pop("headers", {}))
        cookies = [f"{COOKIE}={listener}"] if (listener := self.options.pop("listener", "")) else []
        if self.user is not None:
            secure = "__Host-" if "ssl" in self.options else ""  # as the site itself calls it there
            self.cookie = secure + await sync_to_async(session_cookie)(self.user)
            cookies.append(self.cookie)
        if cookies:
            headers["Cookie"] = "; ".join(cookies)
        origin = self.options.pop("origin", f"http://localhost:{self.port}")
        name = self.options.pop("page", "")
        query = f"?page={name}" if name else ""
        scheme = "wss" if "ssl" in self.options else "ws"
        self.socket = await connect(
            f"{scheme}://localhost:{self.port}{self.path}{query}",
            origin=origin,
            additional_headers=headers,
            max_size=None,
            **self.options,
        )
        self.reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.socket.close()
        await self.reader

    async def _read(self) -> None:
        try:
            async for text in self.socket:
                message = json.loads(text)
                self.seen.append(message)
                self.unread.put_nowait(message)
        except ConnectionClosed:
            return

    @property
    def snapshot(self) -> dict[str, Any]:
        return next(message for message in reversed(self.seen) if message.get("type") == "snapshot")

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.seen if message.get("type") == kind]

    @property
    def seqs(self) -> list[int]:
        return [message["seq"] for message in self.seen if "seq" in message and "data" in message]

    async def wait_for(self, what: str | Callable[[dict[str, Any]], bool], within: float = WITHIN) -> dict[str, Any]:
        """The next message that fits: of a type, or for which `what` is true."""
        fits = what if callable(what) else (lambda message: message.get("type") == what)
        async with asyncio.timeout(within):
            while True:
                message = await self.unread.get()
                if fits(message):
                    return message

    async def ask(self, verb: str, within: float = WITHIN, **args: Any) -> dict[str, Any]:
        """Send a verb and wait for its answer; what comes in between stays in `seen` only."""
        self.number += 1
        number = self.number
        await self.send({"id": number, "do": verb, **args})
        return await self.wait_for(lambda message: message.get("re") == number, within)

    async def send(self, message: Any) -> None:
        await self.socket.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def closed(self, within: float = WITHIN) -> int | None:
        """The close code, once the server has closed."""
        async with asyncio.timeout(within):
            await self.socket.wait_closed()
        return self.socket.close_code


class OutsidePage(Page):
    """One page outside of rooms, with the socket of its person."""

    def __init__(self, user: User | None = None, **options: Any) -> None:
        super().__init__("", user, **options)
        self.path = "/ws/me/"

    async def number_is(self, messages: int, within: float = WITHIN) -> None:
        """Wait until the page shows this number of unread messages."""
        await self.wait_for(lambda message: message.get("messages") == messages, within)


def code(answer: dict[str, Any]) -> str:
    """Why it was refused; "ok" when it was not."""
    error = answer.get("error")
    return "ok" if error is None else str(error["code"])
