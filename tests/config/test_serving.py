"""Sockets that close leave nothing behind that only a search for garbage would find: a thousand make it a long one."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from daphne.ws_protocol import WebSocketFactory
from twisted.internet.error import ConnectionLost
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from config.patience import PatientFactory
from config.serving import PatientServer
from tests.support.waiting import until

HANDSHAKE = (
    b"GET /ws/ HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c3RhbXRhZmVsLWJlbmNoIQ==\r\n\r\n"
)


class Transport(StringTransport):  # type: ignore[misc]  # Twisted is not typed
    """A connection as Daphne's protocols see it; `protocol` is the one that reads it."""

    connected = 1
    protocol: Any

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Do nothing: nothing is sent."""

    def lose(self) -> None:
        """End as a connection does that is lost."""
        protocol, self.protocol, self.producer, self.connected = self.protocol, None, None, 0
        protocol.connectionLost(Failure(ConnectionLost()))


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Accept a WebSocket and wait for its end."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": "hello"})
    while (await receive())["type"] != "websocket.disconnect":
        continue


@pytest.fixture
def no_search() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def server() -> PatientServer:
    made = PatientServer(application, endpoints=["tcp:port=1"], signal_handlers=False)
    made.connections = {}
    made.http_factory, made.ws_factory = PatientFactory(made), WebSocketFactory(made, server="test")
    made.ws_factory.setProtocolOptions(allowNullOrigin=True)
    return made


async def test_a_connection_that_is_lost_is_gone_at_once(server: PatientServer, no_search: None) -> None:
    transport = Transport()
    channel = transport.protocol = server.http_factory.buildProtocol(transport.getPeer())
    channel.makeConnection(transport)
    channel.dataReceived(HANDSHAKE)
    await until(lambda: transport.value().endswith(b"hello"))
    assert channel.upgraded and len(server.connections) == 2, "the request that was upgraded, and the socket"
    left = [weakref.ref(one) for one in (channel, transport.protocol, *server.connections)]
    transport.lose()
    await asyncio.sleep(0)
    server.http_factory.gatekeeper.check_all()
    del channel

    def all_gone() -> bool:
        server.application_checker()
        return not server.connections and not any(one() for one in left)

    await until(all_gone, what="the end of the socket without a search for garbage")
