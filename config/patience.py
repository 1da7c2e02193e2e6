"""Time, speed and number limits of connections, on Twisted's side of the server.

A request's head must be complete within `HEAD_SECONDS`, its body and every response must move at `SLOWEST_BYTES` a
second over `SLOWEST_SECONDS`, and a connection between two requests ends after `IDLE_SECONDS`. Bytes of a response
count once the other side's kernel acknowledged them, not while they are in buffers here, in Twisted or in the kernel.
"""

from __future__ import annotations

import array
import fcntl
import logging
import resource
import termios
import time
from collections import Counter
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from django.conf import settings
from twisted.internet.protocol import Protocol
from twisted.protocols.policies import ProtocolWrapper
from twisted.web.http import HTTPChannel

from core.client_address import counted_as

log = logging.getLogger(__name__)

TICK = 1.0  # seconds between two checks of all connections


def innermost(transport: Any) -> Any:
    """Return the transport that has the socket, below TLS where there is some."""
    while isinstance(transport, ProtocolWrapper):
        transport = transport.transport
    return transport


def unsent(transport: Any) -> int:
    """Return the number of bytes handed to a transport that the other side has not acknowledged."""
    below = innermost(transport)
    waiting: int = len(below.dataBuffer) - below.offset + below._tempDataLen
    waiting += sum(map(len, getattr(transport, "_appSendBuffer", ())))
    queued = array.array("i", [0])
    try:
        fcntl.ioctl(below.fileno(), termios.TIOCOUTQ, queued)
    except (OSError, ValueError):
        return waiting  # closed meanwhile, or no TCP
    return waiting + int(queued[0])


class Window:
    """A check of throughput: at least `SLOWEST_BYTES` a second, over `SLOWEST_SECONDS`."""

    def __init__(self, moved: int = 0) -> None:
        self.moved, self.since = moved, time.monotonic()

    def stalls(self, moved: int, now: float) -> bool:
        """Whether too few bytes moved in the last window; `moved` is the total since the start."""
        if now - self.since < settings.SLOWEST_SECONDS:
            return False
        slow = moved - self.moved < settings.SLOWEST_BYTES * (now - self.since)
        self.moved, self.since = moved, now
        return slow


class PatientChannel(HTTPChannel):  # type: ignore[misc]
    """HTTP/1.1 over one connection, with time limits on the client."""

    gatekeeper: Gatekeeper

    def __init__(self) -> None:
        super().__init__()
        self.phase, self.since = "head", time.monotonic()
        self.received = self.written = 0
        self.window: Window | None = None  # throughput of the response

    def connectionMade(self) -> None:
        super().connectionMade()
        self.gatekeeper.opened(self)

    def _become(self, phase: str) -> None:
        self.phase, self.since = phase, time.monotonic()

    # --- what comes in ----------------------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        if self.phase == "idle":
            self._become("head")
        super().dataReceived(data)

    def allHeadersReceived(self) -> None:
        self._become("body")
        self.received, self.coming = 0, Window()
        super().allHeadersReceived()

    def rawDataReceived(self, data: bytes) -> None:
        if self.phase == "body":
            self.received += len(data)
            if self.received > settings.BODY_MOST_BYTES:
                self.phase = "over"
                self.transport.write(b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n\r\n")
                self.loseConnection()
        if self.phase != "over":
            super().rawDataReceived(data)

    def allContentReceived(self) -> None:
        self._become("answer")
        super().allContentReceived()
        if self.upgraded:
            self.requests.clear()  # nobody tells this channel of the end any more

    def requestDone(self, request: Any) -> None:
        self._become("idle")  # before pipelined requests are read
        super().requestDone(request)

    # --- what goes out ----------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        self.written += len(data)
        super().write(data)

    def writeSequence(self, iovec: list[bytes]) -> None:
        self.written += sum(map(len, iovec))
        super().writeSequence(iovec)

    def writeHeaders(self, *args: Any) -> None:
        self.written += 1  # more than 0, so that a response without a body is checked too; its size does not matter
        super().writeHeaders(*args)

    # --- time limits ------------------------------------------------------------------------------------------------

    @property
    def upgraded(self) -> bool:
        """Whether the connection is a WebSocket by now."""
        holder = getattr(self.transport, "wrappedProtocol", None) or getattr(self.transport, "protocol", self)
        return holder is not self

    def why_cut(self, now: float) -> str:
        """Return why this connection should be aborted now; "" where it should not."""
        waited = now - self.since
        if self.phase == "head" and waited > settings.HEAD_SECONDS:
            return "its request's head was not there in time"
        if self.phase == "body" and self.coming.stalls(self.received, now):
            return "its request's body came too slowly"
        if self.phase in ("answer", "over") and waited > settings.ANSWER_LONGEST_SECONDS:
            return "its answer took too long"
        if self.written and (waiting := unsent(self.transport)):
            moved = self.written - waiting
            self.window = self.window or Window(moved)
            return "it read too slowly" if self.window.stalls(moved, now) else ""
        self.window = None
        return ""

    def is_spare(self, now: float) -> bool:
        """Whether this idle connection has been kept for a next request long enough, and everything was read."""
        return self.phase == "idle" and now - self.since > settings.IDLE_SECONDS and not unsent(self.transport)


class Gatekeeper:
    """All open connections of this process, counted by address."""

    def __init__(self) -> None:
        self.channels: set[PatientChannel] = set()  # those that speak HTTP
        self.transports: dict[Any, str] = {}
        self.held: Counter[str] = Counter()
        soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.most_open = soft // 2  # one address must not take all descriptors

    def admits(self, peer: Any) -> bool:
        """Whether one more connection of this address may open. Behind a proxy always: nginx counts there."""
        address = self._address(peer)
        if not address:
            return True
        most = min(settings.CONNECTIONS_PER_ADDRESS, self.most_open)
        if self.held[address] >= most:
            self._forget_closed()
        return self.held[address] < most

    def opened(self, channel: PatientChannel) -> None:
        """Count a connection that was accepted."""
        self.channels.add(channel)
        transport = innermost(channel.transport)
        self.transports[transport] = self._address(channel.transport.getPeer())
        self.held[self.transports[transport]] += 1

    def check_all(self) -> None:
        """Abort connections over a limit, and forget closed ones."""
        now = time.monotonic()
        self._forget_closed()
        for channel in [channel for channel in self.channels if innermost(channel.transport) in self.transports]:
            if channel.upgraded:
                self.channels.discard(channel)  # still counted; its speed is watched by `rooms/live/backpressure.py`
            elif why := channel.why_cut(now):
                log.info("a connection of %s is cut: %s", channel.transport.getPeer(), why)
                channel.transport.abortConnection()
            elif channel.is_spare(now):
                channel.transport.loseConnection()

    def _forget_closed(self) -> None:
        for transport in [transport for transport in self.transports if not transport.connected]:
            address = self.transports.pop(transport)
            self.held[address] -= 1
            if self.held[address] <= 0:
                del self.held[address]
        self.channels = {channel for channel in self.channels if innermost(channel.transport) in self.transports}

    def _address(self, peer: Any) -> str:
        host = getattr(peer, "host", "")
        return "" if settings.BEHIND_PROXY or not host else counted_as(host)


class Refusal(Protocol):  # type: ignore[misc]
    """A protocol that aborts its connection at once. A factory that builds no protocol would leave it open under
    TLS."""

    def connectionMade(self) -> None:
        self.factory.reactor.callLater(0, innermost(self.transport).abortConnection)


class PatientFactory(HTTPFactory):  # type: ignore[misc]
    """A factory of `PatientChannel`, and of `Refusal` for an address with too many connections."""

    def __init__(self, server: Any) -> None:
        super().__init__(server)
        self.gatekeeper = Gatekeeper()
        self.reactor.callLater(TICK, self._check)

    def _check(self) -> None:
        try:
            self.gatekeeper.check_all()
        except Exception:
            log.exception("connections were not looked at")  # the next look is in a second
        self.reactor.callLater(TICK, self._check)

    def buildProtocol(self, addr: Any) -> Any:
        if not self.gatekeeper.admits(addr):
            log.info("a connection of %s is refused: too many are open", addr)
            refusal = Refusal()
            refusal.factory = self
            return refusal
        channel = PatientChannel()
        channel.factory, channel.requestFactory = self, WebRequest
        channel.callLater, channel.timeOut = self.reactor.callLater, None
        channel.gatekeeper = self.gatekeeper
        return channel


def raise_file_limit() -> None:
    """Raise this process' limit of open files to the hard limit: the soft one is often 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
