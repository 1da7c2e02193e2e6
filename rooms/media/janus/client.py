"""A thin client of Janus: one WebSocket, one session, transactions, events. It knows nothing of rooms.

The library's own pings are off: they kill Janus' connection after a minute or two. Janus' keepalives take their place.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from core import loops

log = logging.getLogger(__name__)

KEEPALIVE_SECONDS = 5.0
ANSWER_SECONDS = 4.0
EventHandler = Callable[[dict[str, Any]], None]


class JanusGone(ConnectionError):
    """The connection to Janus is lost; everything in the session may be too."""


class JanusError(RuntimeError):
    """Janus refused a request; `code` is Janus' or its plugin's number."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code


class Janus:
    """One connection with one session. `gone` is set when the connection is lost, then a new object is needed."""

    def __init__(self, url: str, api_secret: str, on_event: EventHandler) -> None:
        self.url = url
        self.api_secret = api_secret
        self.on_event = on_event
        self.session = 0
        self.gone = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._answered_by_ack: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, session: int = 0) -> bool:
        """Connect; claim `session` when it still lives, else make a new one. True: the old one was claimed."""
        try:
            self._socket = await connect(
                self.url,
                subprotocols=[Subprotocol("janus-protocol")],
                ping_interval=None,
                open_timeout=3,
                close_timeout=1,
                max_size=2**20,
                proxy=None,
            )
        except (OSError, WebSocketException) as error:
            raise JanusGone(str(error)) from error
        self._tasks.append(asyncio.create_task(self._read(), name="janus-read"))
        claimed = bool(session) and await self._claim(session)
        if not claimed:
            self.session = int((await self.request({"janus": "create"}))["data"]["id"])
        self._tasks.append(asyncio.create_task(self._keep_alive(), name="janus-keepalive"))
        return claimed

    async def _claim(self, session: int) -> bool:
        self.session = session
        try:
            await self.request({"janus": "claim"})
        except JanusError:
            self.session = 0
            return False
        return True

    async def close(self, *, destroy: bool = False) -> None:
        """Leave. Without `destroy` Janus keeps the session for a while, so that it can be claimed again."""
        if destroy and self.session and not self.gone.is_set():
            with suppress(JanusGone, JanusError, TimeoutError):
                await self.request({"janus": "destroy"})
        for task in self._tasks:
            task.cancel()
        if self._socket is not None:
            await self._socket.close()
        self._fail_waiting()

    async def attach(self, plugin: str) -> int:
        """A new handle of `audiobridge` or `streaming`."""
        answer = await self.request({"janus": "attach", "plugin": f"janus.plugin.{plugin}"})
        return int(answer["data"]["id"])

    async def detach(self, handle: int) -> None:
        """Let a handle go; fine when it is gone already."""
        with suppress(JanusError):
            await self.request({"janus": "detach", "handle_id": handle})

    async def trickle(self, handle: int, candidate: dict[str, Any]) -> None:
        """Hand a checked candidate to a handle."""
        await self.request({"janus": "trickle", "handle_id": handle, "candidate": candidate})

    async def message(
        self, handle: int, body: dict[str, Any], jsep: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """A plugin's answer to a request: its data and, where one came, a session description.

        Raises JanusError when the plugin refuses, JanusGone, TimeoutError.
        """
        request: dict[str, Any] = {"janus": "message", "handle_id": handle, "body": body}
        if jsep is not None:
            request["jsep"] = jsep
        answer = await self.request(request)
        data = answer.get("plugindata", {}).get("data", {})
        if "error_code" in data:
            raise JanusError(int(data["error_code"]), str(data.get("error", "")))
        return data, answer.get("jsep")

    async def request(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send one request and wait for its answer; an `ack` of a plugin's request only means 'later'."""
        if self._socket is None or self.gone.is_set():
            raise JanusGone("not connected")
        transaction = secrets.token_hex(8)
        frame = {**request, "transaction": transaction, "apisecret": self.api_secret}
        if self.session:
            frame["session_id"] = self.session
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[transaction] = future
        if request["janus"] in ("keepalive", "trickle"):
            self._answered_by_ack.add(transaction)
        try:
            await self._socket.send(json.dumps(frame))
            answer = await asyncio.wait_for(future, ANSWER_SECONDS)
        except (OSError, WebSocketException) as error:
            raise JanusGone(str(error)) from error
        finally:
            self._waiting.pop(transaction, None)
            self._answered_by_ack.discard(transaction)
        if answer.get("janus") == "error":
            raise JanusError(int(answer["error"]["code"]), str(answer["error"]["reason"]))
        return answer

    async def _read(self) -> None:
        assert self._socket is not None
        try:
            async for text in self._socket:
                try:
                    self._dispatch(json.loads(text))
                except Exception as error:
                    await loops.item_failed("media-janus", "a frame of Janus", error)
        except (OSError, WebSocketException) as error:
            log.warning("Janus: %s", error)
        finally:
            self.gone.set()
            self._fail_waiting()

    def _dispatch(self, frame: dict[str, Any]) -> None:
        """An answer goes to who asked; all else is an event. `trickle` and `keepalive` are answered by their ack."""
        waiting = self._waiting.get(frame.get("transaction", ""))
        if waiting is not None and not waiting.done():
            if frame["janus"] != "ack" or frame["transaction"] in self._answered_by_ack:
                waiting.set_result(frame)
            return
        if frame["janus"] not in ("ack", "success", "error"):
            self.on_event(frame)

    async def _keep_alive(self) -> None:
        """Say that we are here. An unanswered keepalive means that Janus hangs: drop the connection."""
        try:
            while True:
                await asyncio.sleep(KEEPALIVE_SECONDS)
                await self.request({"janus": "keepalive"})
        except (JanusGone, TimeoutError):
            log.warning("Janus does not answer keepalives")
            if self._socket is not None:
                await self._socket.close()
        except JanusError as error:
            log.warning("Janus dropped the session: %s", error)
        finally:  # whatever ended it: a session that nobody keeps alive ends soon
            self.gone.set()

    def _fail_waiting(self) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(JanusGone("the connection to Janus was lost"))
