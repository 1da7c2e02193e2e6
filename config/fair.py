"""Requests of one address wait in a line of their own, so that who sends a thousand waits for the thousand alone.

A few of each address are at work at once in this process (`REQUESTS_AT_ONCE`): fewer than there are connections to the
database. A request's turn is over when its answer begins; how fast that is read is between the two ends
(`config/patience.py`), and takes nobody's turn. No connection to the database is held meanwhile either.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections
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
    """Django's, which gives the view's connection to the database back before the first byte of a large answer.

    Django itself does so when all of it was sent: twelve readers who stopped reading had all twelve connections.
    """

    def create_request(self, scope: Mapping[str, Any], body_file: IO[bytes]) -> Any:
        """The request, with the cookies that sockets would read too."""
        return super().create_request({**scope, "headers": one_cookie_header(scope["headers"])}, body_file)

    async def send_response(self, response: HttpResponseBase, send: Send) -> None:
        if response.streaming or len(getattr(response, "content", b"")) > self.chunk_size:
            await sync_to_async(close_old_connections)()  # in the thread in which the view ran
        await super().send_response(response, send)


class Fair:
    """The door for HTTP."""

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
    """The key under which a request's address is counted."""
    # Of two headers of one name the last, as pages and sockets read it: a proxy puts its own after what clients sent.
    forwarded = [value.decode("latin1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return counted_as(address_of_scope(scope, {"x-forwarded-for": ",".join(forwarded)}))


async def refuse(send: Send) -> None:
    """Say in plain text that so many wait already."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"retry-after", b"5")]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": BUSY})
