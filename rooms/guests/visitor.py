"""A guest of a room that is no browser: comes by the public door (sign-in page, WebSocket) and brings real WebRTC."""

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


class Refused(RuntimeError):
    """The site refused; `code` is its word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _trusted() -> ssl.SSLContext:
    """The world's certificates, and the one that `script/server --https` made for this machine."""
    context = ssl.create_default_context()
    own = Path(settings.LOCAL_DIR) / "certificate.pem"
    if own.exists():
        context.load_verify_locations(own)
    return context


class Browser:
    """Just enough of one: cookies, the sign-in form, fetching files. Blocking: call it in a thread."""

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
        """A page or file of the site; with `form` it is sent as a form. Raises OSError."""
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(urllib.parse.urljoin(self.site, path), data, {"Referer": self.site + path})
        with self._opener.open(request, timeout=ANSWER_SECONDS) as answer:
            return bytes(answer.read())

    def sign_in(self, handle: str, password: str) -> None:
        """By the page everybody uses. Raises Refused when the site does not let us in."""
        form = self.fetch("/accounts/login/").decode()
        found = _TOKEN.search(form)
        token = html.unescape(found[1]) if found else ""
        self.fetch("/accounts/login/", {"login": handle, "password": password, "csrfmiddlewaretoken": token})
        try:
            self.fetch(
                "/api/v1/me/"
            )  # a session alone says little: the address may not be confirmed, or a code be asked
        except urllib.error.HTTPError as error:
            raise Refused("not_signed_in") from error

    @property
    def cookies(self) -> str:
        """As a header."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)


def new_page() -> str:
    """A name for a page, as script on the room's page makes one."""
    return secrets.token_hex(8)


class Visitor:
    """One open socket to one room."""

    def __init__(
        self,
        browser: Browser,
        slug: str,
        on_message: Callable[[dict[str, Any]], None] | None = None,
        page: str = "",
    ) -> None:
        """`page`: the name under which it comes again after a loss; another each time unless given."""
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
        """Say a verb, return the answer; raises Refused, TimeoutError, ConnectionClosed, ConnectionError."""
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
                future.exception()  # taken note of, also where sending failed first
        if "error" in answer:
            raise Refused(str(answer["error"]["code"]))
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
    """Open the microphone's connection; `ears` take what a speaker hears."""
    peer = peers.connection((await visitor.ask("ice"))["servers"])
    peer.addTrack(track)
    hear(peer, ears or peers.Ears())
    answer = await visitor.ask("speak_offer", sdp=await peers.offer(peer))
    await peers.accept(peer, answer["sdp"])
    return peer


async def listen(visitor: Visitor, ears: peers.Ears) -> RTCPeerConnection | None:
    """Listen by WebRTC; None where the site says to use HLS."""
    found = await visitor.ask("listen")
    if found["use"] != "webrtc":
        return None
    peer = peers.connection((await visitor.ask("ice"))["servers"])
    hear(peer, ears)
    await visitor.ask("listen_answer", sdp=await peers.answer(peer, found["sdp"]))
    return peer


def hear(peer: RTCPeerConnection, ears: peers.Ears) -> None:
    """Whatever track comes is taken in, until it ends."""

    @peer.on("track")
    def on_track(track: MediaStreamTrack) -> None:
        ears.task = asyncio.ensure_future(ears.listen(track))
