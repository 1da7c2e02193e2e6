"""Backpressure of a WebSocket: wait while its peer does not read.

In ASGI `send` may wait until the peer keeps up, as in Uvicorn. Daphne's returns at once and buffers without limit, so
there a Twisted push producer is registered, which is paused while more than 64 KiB wait.
"""

from __future__ import annotations

import asyncio
from typing import Any


class WriteGate:
    """Gate that is open while the peer reads; a push producer for Twisted."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    def pauseProducing(self) -> None:
        self._open.clear()

    def resumeProducing(self) -> None:
        self._open.set()

    def stopProducing(self) -> None:
        self._open.set()

    async def wait_open(self) -> None:
        """Wait until the peer has read most of what was sent."""
        if not self._open.is_set():
            await self._open.wait()


def gate_of(send: Any) -> WriteGate:
    """Make the gate of the connection behind Daphne's `send`; on servers whose `send` waits it is always open."""
    gate = WriteGate()
    bound = getattr(send, "args", ())
    transport = getattr(bound[0], "transport", None) if bound else None
    if transport is not None and hasattr(transport, "registerProducer"):
        transport.unregisterProducer()  # the HTTP channel's, left by the handshake
        transport.registerProducer(gate, True)
    return gate


def abort(send: Any) -> None:
    """Cut a connection at once, also where its peer does not read; does nothing on servers other than Daphne."""
    bound = getattr(send, "args", ())
    transport = getattr(bound[0], "transport", None) if bound else None
    if transport is not None and hasattr(transport, "abortConnection"):
        transport.abortConnection()
