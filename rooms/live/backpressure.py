"""Know when a socket's peer does not read.

ASGI lets `send` wait until the peer keeps up. Uvicorn does; Daphne returns at once and lets the bytes pile up in
memory, so there we ask Twisted itself: a registered producer is paused while more than 64 KiB wait.
"""

from __future__ import annotations

import asyncio
from typing import Any


class Gate:
    """Open while the peer reads. A Twisted push producer, as far as Twisted can tell."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    def pauseProducing(self) -> None:
        self._open.clear()

    def resumeProducing(self) -> None:
        self._open.set()

    def stopProducing(self) -> None:
        self._open.set()

    async def passable(self) -> None:
        """Wait until the peer has read most of what was sent."""
        if not self._open.is_set():
            await self._open.wait()


def gate_of(send: Any) -> Gate:
    """A gate on the connection behind Daphne's `send`; one that stays open on servers whose `send` waits itself."""
    gate = Gate()
    bound = getattr(send, "args", ())
    transport = getattr(bound[0], "transport", None) if bound else None
    if transport is not None and hasattr(transport, "registerProducer"):
        transport.unregisterProducer()  # the HTTP channel's, which the handshake left behind
        transport.registerProducer(gate, True)
    return gate


def abort(send: Any) -> None:
    """Cut a connection whose peer does not read, so that nothing waits for it; a no-op on other servers."""
    bound = getattr(send, "args", ())
    transport = getattr(bound[0], "transport", None) if bound else None
    if transport is not None and hasattr(transport, "abortConnection"):
        transport.abortConnection()
