"""A client of a room without a browser: uses the public sign-in page and WebSocket, and real WebRTC."""

from __future__ import annotations

import asyncio
import html
import http.cookiejar
import json
import logging
import re
import secrets
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiortc import MediaStreamTrack, RTCPeerConnection
from django.conf import settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from rooms.guests import peers

log = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class SiteRefused(RuntimeError):
    """A refusal by the site, with its code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _trusted() -> ssl.SSLContext:
    """Make a TLS context that trusts public certificates, and the one of `script/server --https`."""
    context = ssl.create_default_context()
    own = Path(settings.LOCAL_DIR) / "certificate.pem"
    if own.exists():
        context.load_verify_locations(own)
    return context


class Browser:
    """A minimal HTTP client with cookies that can sign in and fetch files. Blocking: call it in a thread."""

    def __init__(self, site: str) -> None:
        self.site = site.rstrip("/")
        self.jar = http.cookiejar.CookieJar()
        self.tls = _trusted()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=self.tls),
            urllib.request.HTTPCookieProcessor(self.jar),
        )

    def fetch(self, path: str, form: dict[str, str] | None = None) -> bytes:
        """Fetch a page or file of the site; with `form`, by POST. Raises OSError."""
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(urllib.parse.urljoin(self.site, path), data, {"Referer": self.site + path})
        with self._opener.open(request, timeout=ANSWER_SECONDS) as answer:
            return bytes(answer.read())

    def sign_in(self, handle: str, password: str) -> None:
        """Sign in by the sign-in page. Raises SiteRefused when that fails."""
        form = self.fetch("/accounts/login/").decode()
        match = _TOKEN.search(form)
        token = html.unescape(match[1]) if match else ""
        self.fetch("/accounts/login/", {"login": handle, "password": password, "csrfmiddlewaretoken": token})
        try:
            self.fetch(
                "/api/v1/me/"
            )  # a session alone says little: the address may not be confirmed, or a code be asked
        except urllib.error.HTTPError as error:
            raise SiteRefused("not_signed_in") from error

    @property
    def cookies(self) -> str:
        """Value of the Cookie header."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)


def new_page() -> str:
    """Make a name for a page, as the room's page does."""
    return secrets.token_hex(8)


class Visitor:
    """One open WebSocket to one room."""

    def __init__(
        self,
        browser: Browser,
        slug: str,
        on_message: Callable[[dict[str, Any]], None] | None = None,
        page: str = "",
    ) -> None:
        """`page` is the page's name, to be given again when reconnecting; random unless given."""
        self.page = page or new_page()
        self.browser = browser
        self.slug = slug
        self.on_message = on_message
        self.closed = asyncio.Event()
        self._number = 0
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._socket: ClientConnection
        self._reader: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        address = self.browser.site.replace("http", "ws", 1) + f"/ws/rooms/{self.slug}/?page={self.page}"
        headers = {"Cookie": self.browser.cookies} if self.browser.cookies else {}
        self._socket = await connect(
            address,
            origin=Origin(self.browser.site),
            additional_headers=headers,
            ssl=self.browser.tls if address.startswith("wss") else None,
            max_size=2**22,
            proxy=None,
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._socket.close()
        await self._reader

    async def ask(self, verb: str, **args: Any) -> dict[str, Any]:
        """Send a verb and return the answer; raises SiteRefused, TimeoutError, ConnectionClosed, ConnectionError."""
        self._number += 1
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        number = self._number
        self._waiting[number] = future
        try:
            await self._socket.send(json.dumps({"id": number, "do": verb, **args}))
            answer = await asyncio.wait_for(future, ANSWER_SECONDS)
        finally:
            self._waiting.pop(number, None)
            if future.done() and not future.cancelled():
                future.exception()  # marks the exception as retrieved, also where sending failed first
        if "error" in answer:
            raise SiteRefused(str(answer["error"]["code"]))
        return answer

    async def _read(self) -> None:
        with suppress(ConnectionClosed):
            async for text in self._socket:
                message = json.loads(text)
                future = self._waiting.pop(message.get("re", 0), None)
                if future is not None and not future.done():
                    future.set_result(message)
                elif self.on_message is not None:
                    self.on_message(message)
        self.closed.set()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionError("the line to the room was lost"))


async def speak(visitor: Visitor, track: MediaStreamTrack, ears: peers.Ears | None = None) -> RTCPeerConnection:
    """Open a speaker's WebRTC connection, which sends `track`; `ears` receive the mix."""
    peer = peers.connection((await visitor.ask("ice"))["servers"])
    peer.addTrack(track)
    hear(peer, ears or peers.Ears())
    answer = await visitor.ask("speak_offer", sdp=await peers.offer(peer))
    await peers.accept(peer, answer["sdp"])
    return peer


async def listen(visitor: Visitor, ears: peers.Ears) -> RTCPeerConnection | None:
    """Open a listener's WebRTC connection; None where the site answers to use HLS."""
    reply = await visitor.ask("listen")
    if reply["use"] != "webrtc":
        return None
    peer = peers.connection((await visitor.ask("ice"))["servers"])
    hear(peer, ears)
    await visitor.ask("listen_answer", sdp=await peers.answer(peer, reply["sdp"]))
    return peer


def hear(peer: RTCPeerConnection, ears: peers.Ears) -> None:
    """Receive every track of a peer connection with `ears`, until it ends."""

    @peer.on("track")
    def on_track(track: MediaStreamTrack) -> None:
        ears.task = asyncio.ensure_future(ears.listen(track))
