"""The connection of a WebSocket behind the server's `send`, for what ASGI does not offer: wait while the peer does not
read, write a frame that is encoded once for a whole room, cut.

In ASGI `send` may wait until the peer keeps up, as in Uvicorn. Daphne's returns at once and buffers without limit, so
there a Twisted push producer is registered, which is paused while more than 64 KiB wait. On servers other than Daphne
an outlet is always open, and takes no frames.
"""

from __future__ import annotations

import asyncio
from typing import Any

from autobahn.websocket.protocol import WebSocketProtocol
from twisted.internet.tcp import Connection

TEXT = 0x81  # first byte of a whole text frame (RFC 6455, 5.2)


def frame_of(text: str) -> bytes:
    """Encode a message as the frame that a server sends: one piece, not masked, not compressed (RFC 6455, 5.2)."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        head = bytes((TEXT, size))
    elif size < 1 << 16:
        head = bytes((TEXT, 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((TEXT, 127)) + size.to_bytes(8, "big")
    return head + payload


class Outlet:
    """One connection; a push producer for Twisted."""

    def __init__(self, send: Any) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._protocol: Any = (getattr(send, "args", ()) or (None,))[0]
        transport = getattr(self._protocol, "transport", None)
        self._transport = transport if hasattr(transport, "registerProducer") else None
        if self._transport is not None:
            self._transport.unregisterProducer()  # the HTTP channel's, left by the handshake
            self._transport.registerProducer(self, True)
        # Not one that wraps another, as Twisted's own TLS: what passes its `write` by would leave as plain text.
        self._is_plain = isinstance(transport, Connection) and not transport.TLS

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

    def write(self, frame: bytes) -> bool:
        """Write a frame to the socket at once, where the connection is open and its peer reads; returns whether it was
        taken. What does not fit goes the way of all else, through the buffer of the transport, and so does the frame
        where that holds something, or encrypts: then nothing can pass anything else.
        """
        transport = self._transport
        if transport is None or not self._open.is_set() or self._protocol.state != WebSocketProtocol.STATE_OPEN:
            return False
        if self._protocol.send_queue or transport.disconnecting:
            return False
        is_direct = self._is_plain and transport.dataBuffer == b"" and not transport._tempDataLen
        sent = transport.writeSomeData(frame) if is_direct else 0
        if not isinstance(sent, int):  # the connection is lost: the transport finds that out by itself
            sent = 0
        if sent < len(frame):
            transport.write(frame[sent:])
        return True


def abort(send: Any) -> None:
    """Cut a connection at once, also where its peer does not read; does nothing on servers other than Daphne."""
    bound = getattr(send, "args", ())
    transport = getattr(bound[0], "transport", None) if bound else None
    if transport is not None and hasattr(transport, "abortConnection"):
        transport.abortConnection()
