"""Daphne with backpressure: `python -m config.serving` takes daphne's own arguments.

Connections that drip, stall or come by the thousand are cut (`config/patience.py`).

Daphne's `send` writes into Twisted's buffer and returns at once, so a large download over a slow line would be in
memory as a whole. Here `send` waits while the socket is full: about 64 KiB a response are in flight.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import Any

from autobahn.twisted import websocket as autobahn_twisted
from autobahn.websocket import protocol as autobahn_protocol
from daphne import cli
from daphne import server as daphne_server
from daphne.access import AccessLogGenerator
from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory
from twisted.internet import defer

from config.logs import without_tokens
from config.patience import PatientFactory, raise_file_limit

log = logging.getLogger(__name__)

LOOK_AGAIN = 5.0  # seconds between two checks whether the reader is still connected
# Objects made and kept until the youngest are searched for garbage; of each ten such searches one takes those before,
# too, and of thirty of these one takes all. With Python's own 700, 10 and 10 all were searched thrice while a thousand
# sockets came in, a fifth of a second each time; what sockets leave needs no search.
COLLECT_AFTER = (2_000, 10, 30)
# Seconds until a peer that does not answer a close is cut. autobahn's timers are rounded down to a whole second: with
# its own one second, peers were cut at once that were refused just before, and never read the answer.
CLOSES_WITHIN = 3
ENDS_WITHIN = 10.0  # seconds that requests under way have, once the process is told to end


def unformatted(value: Any, *_style: Any, **_styles: Any) -> Any:
    """Return the value without colours or layout.

    autobahn formats its debug lines even where nobody logs them: the colours of one about every frame took a quarter of
    the work of a delivery (`bench/live_events.py`), the layout of one about every connection a quarter of the work of a
    handshake (`bench/join.py`).
    """
    return value


for module in (autobahn_protocol, autobahn_twisted):
    for name in ("hltype", "hlval", "pformat"):
        if hasattr(module, name):
            setattr(module, name, unformatted)


class PatientSocketFactory(WebSocketFactory):  # type: ignore[misc]
    """A factory of WebSockets whose peers have time to read why they are closed."""

    def resetProtocolOptions(self) -> None:  # autobahn's name
        super().resetProtocolOptions()
        self.closeHandshakeTimeout = CLOSES_WITHIN


# daphne has no setting for them
daphne_server.HTTPFactory = PatientFactory
daphne_server.WebSocketFactory = PatientSocketFactory


class Flow:
    """A push producer: Twisted calls it when the socket is full and when there is room again."""

    def __init__(self) -> None:
        self.room = asyncio.Event()
        self.room.set()

    def pauseProducing(self) -> None:  # Twisted's name
        self.room.clear()

    def resumeProducing(self) -> None:  # Twisted's name
        self.room.set()

    def stopProducing(self) -> None:  # Twisted's name
        self.room.set()


class PatientServer(Server):  # type: ignore[misc]
    """A server whose applications cannot run ahead of the network, and that ends in order."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.ports: list[Any] = []

    def protocol_connected(self, protocol: Any) -> None:
        """Note a connection. A WebSocket is the result of its own `is_closed`, which would leave it, once it is closed,
        to the search for garbage."""
        super().protocol_connected(protocol)
        if (is_closed := getattr(protocol, "is_closed", None)) is not None:
            is_closed.addCallback(lambda _protocol: None)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Send a message of the application; wait while more follows and the socket is full."""
        if message["type"] != "http.response.body":
            await super().handle_reply(protocol, message)
            return
        flow = getattr(protocol, "flow", None)
        if not message.get("more_body", False):
            if cut_short(protocol, message):
                protocol.channel.loseConnection()
                return
            if flow is not None and protocol.channel is not None:
                protocol.unregisterProducer()
            await super().handle_reply(protocol, message)
            return
        if flow is None and protocol.channel is not None:
            flow = protocol.flow = Flow()
            protocol.registerProducer(flow, True)
        await super().handle_reply(protocol, message)
        while flow is not None and self.there(protocol) and not flow.room.is_set():
            try:
                await asyncio.wait_for(flow.room.wait(), LOOK_AGAIN)
            except TimeoutError:
                continue

    def run(self) -> None:
        """Serve until the process ends. What is loaded by now stays: no search for garbage has to look at it again."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        super().run()

    def listen_success(self, port: Any) -> None:
        self.ports.append(port)
        super().listen_success(port)

    def kill_all_applications(self) -> Any:
        """End in order: take no more connections, close all sockets (`rooms.live.restart`), then stop what still runs.
        Twisted calls this on SIGTERM and waits for the result."""
        from rooms.live.restart import close_sockets  # with the application, which is loaded by now

        for port in self.ports:
            port.stopListening()
        closed = defer.Deferred.fromFuture(asyncio.ensure_future(close_sockets()))
        closed.addErrback(lambda failure: log.error("sockets were not closed in order: %s", failure))
        closed.addCallback(lambda _none: super(PatientServer, self).kill_all_applications())
        closed.addCallback(lambda _none: defer.Deferred.fromFuture(asyncio.ensure_future(self.applications_end())))
        return closed

    async def applications_end(self) -> None:
        """Wait until all applications that were told to end have ended. Daphne waits for the first alone; a thread of
        another may need the event loop once more, and without it would keep the process for ever."""
        running = [details["application_instance"] for details in self.connections.values()]
        if running:
            await asyncio.wait(running, timeout=ENDS_WITHIN)

    def there(self, protocol: Any) -> bool:
        """Whether the reader is still connected."""
        return protocol in self.connections and not self.connections[protocol].get("disconnected")


def cut_short(protocol: Any, message: dict[str, Any]) -> bool:
    """Whether a response ends before all that was announced.

    Then the connection must be closed, or the reader would wait for the rest.
    """
    announced = protocol.responseHeaders.getRawHeaders(b"content-length")
    if not announced or protocol.method == b"HEAD" or protocol.code not in (200, 206) or protocol.channel is None:
        return False
    return bool(protocol.sentLength + len(message.get("body", b"")) < int(announced[0]))


class QuietLog(AccessLogGenerator):  # type: ignore[misc]
    """An access log without query strings and tokens: keys, signatures and codes do not belong in a log. Of a socket it
    has how the handshake ended and the end, not its beginning."""

    def __call__(self, protocol: str, action: str, details: dict[str, Any]) -> None:
        if action == "connecting":
            return
        path = without_tokens(str(details.get("path", "")).partition("?")[0])
        super().__call__(protocol, action, {**details, "path": path})


cli.AccessLogGenerator = QuietLog


class PatientCommand(cli.CommandLineInterface):  # type: ignore[misc]
    """daphne's command line with `PatientServer`."""

    server_class = PatientServer


if __name__ == "__main__":
    raise_file_limit()
    PatientCommand.entrypoint()
