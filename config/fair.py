"""Fair queueing of HTTP requests: each address has a queue of its own, so that a flood only delays its sender.

`REQUESTS_AT_ONCE` requests of each address run at once in this process: fewer than there are database connections. A
request's turn ends when its response begins; a slow reader (`config/patience.py`) holds neither a turn nor a database
connection.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core.client_address import address_of_scope, counted_as
from core.lines import LineFull, Lines
from rooms.rules.identity import one_cookie_header

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

FREE = frozenset({"/healthz"})  # paths that never wait
BUSY = b"Too many requests from your network are waiting. Try again in a moment.\n"


class Handler(ASGIHandler):
    """Django's handler with one change of thread for middleware and view together. Django makes one for each part that
    is not asynchronous, seven a page, and ours are all of that kind.

    It also closes the view's database connection before the first byte of a large response. Django itself closes it
    when all was sent: twelve readers who stopped reading held all twelve connections.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        """Join middleware and view to one call, which is not asynchronous."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Get the response in the request's own thread."""
        return await sync_to_async(self.get_response)(request)

    def create_request(self, scope: Mapping[str, Any], body_file: IO[bytes]) -> Any:
        """Build the request, with the one cookie header that sockets read too."""
        return super().create_request({**scope, "headers": one_cookie_header(scope["headers"])}, body_file)

    async def send_response(self, response: HttpResponseBase, send: Send) -> None:
        if response.streaming or len(getattr(response, "content", b"")) > self.chunk_size:
            await sync_to_async(close_old_connections)()  # in the thread in which the view ran
        await super().send_response(response, send)


class FairQueue:
    """ASGI middleware that queues HTTP requests by address."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.lines = Lines("REQUESTS_AT_ONCE", "REQUESTS_WAITING")

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["path"] in FREE:
            await self.application(scope, receive, send)
            return
        try:
            async with self.lines.turn(client_of(scope)) as turn:

                async def sending(message: Mapping[str, Any]) -> None:
                    turn.end()
                    await send(message)

                await self.application(scope, receive, sending)
        except LineFull:
            await refuse(send)


def client_of(scope: dict[str, Any]) -> str:
    """Return the key under which a request's address is counted."""
    # All headers of that name, joined: a proxy appends its own after those of clients, and the last entry counts.
    forwarded = [value.decode("latin1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return counted_as(address_of_scope(scope, {"x-forwarded-for": ",".join(forwarded)}))


async def refuse(send: Send) -> None:
    """Answer 429 in plain text."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"retry-after", b"5")]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": BUSY})
