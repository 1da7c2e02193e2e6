"""How web processes reach the supervisor: a request on a Redis list, its answer on the process' own channel.

A web process never holds anything of the media server, so it may die without silencing anybody.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from typing import Any
from weakref import WeakKeyDictionary

from redis.asyncio import Redis
from redis.exceptions import RedisError

from core import bus, loops
from rooms.media import redis_keys, sdp

log = logging.getLogger(__name__)

ANSWER_WITHIN = 5.0  # seconds; then the person is told that sound is unavailable
SUBSCRIBE_WITHIN = 3.0  # seconds, where Redis was away
AGAIN = 0.5  # seconds
# Beyond this many waiting requests the supervisor is down or drowning: refuse at once instead of queueing.
MAX_WAITING = 5000


class MediaRefused(Exception):
    """Sound was refused or could not be given; `code` is one of the refusal codes of rooms."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


async def ask(verb: str, room_pk: int, who_key: str, conn: str, **args: Any) -> dict[str, Any]:
    """Ask the supervisor for sound and wait for the answer.

    Verbs: `speak_offer(sdp, seat_pk)` → `{"sdp", "gain"}` (a factor of the amplitude), `listen()` →
    `{"use": "webrtc", "sdp"}` or `{"use": "hls"}`, `listen_answer(sdp)`, `listen_stop()`,
    `check_offer(sdp)` → `{"sdp"}`, `check_stop()`, `candidate(handle, candidate)`, and `gone()` when the
    socket `conn` closed (nothing is waited for). SDP and candidates are rebuilt here, before they travel.
    Raises MediaRefused: bad_sdp, bad_candidate, not_on_stage, mic_elsewhere, room_ended, media_unavailable.
    """
    request = {
        "id": secrets.token_hex(8),
        "verb": verb,
        "room": room_pk,
        "who": who_key,
        "conn": conn,
        "args": _clean(verb, args),
        "until": time.time() + ANSWER_WITHIN,
    }
    try:
        return await _asker().send(request, wait=verb != "gone")
    except (RedisError, OSError, TimeoutError) as error:
        log.warning("media request %s of room %s: %s", verb, room_pk, error or type(error).__name__)
        raise MediaRefused("media_unavailable") from error


def _clean(verb: str, args: dict[str, Any]) -> dict[str, Any]:
    """The arguments with every description and candidate rebuilt by us; raises MediaRefused."""
    try:
        if verb in ("speak_offer", "check_offer"):
            return {**args, "sdp": sdp.clean_offer(args.get("sdp"))}
        if verb == "listen_answer":
            return {**args, "sdp": sdp.clean_answer(args.get("sdp"))}
        if verb == "candidate":
            if args.get("handle") not in ("speak", "listen", "check"):
                raise MediaRefused("bad_candidate")
            return {**args, "candidate": sdp.clean_candidate(args.get("candidate"))}
    except sdp.BadSdp as error:
        raise MediaRefused("bad_sdp") from error
    except sdp.BadCandidate as error:
        raise MediaRefused("bad_candidate") from error
    return args


class Asker:
    """One event loop's side of the exchange: sends requests, hands answers to those who wait for them."""

    def __init__(self) -> None:
        self.process = secrets.token_hex(8)
        self.waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.redis: Redis = bus.connect()
        self.reader: asyncio.Task[None] | None = None
        self.subscribed = asyncio.Event()

    async def send(self, request: dict[str, Any], *, wait: bool) -> dict[str, Any]:
        """Put a request on the list; with `wait`, return its answer or raise MediaRefused or TimeoutError."""
        if not wait:
            await self._push(request)
            return {}
        await self._listen()
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.waiting[request["id"]] = future
        try:
            await self._push({**request, "process": self.process})
            answer = await asyncio.wait_for(future, ANSWER_WITHIN)
        finally:
            self.waiting.pop(request["id"], None)
        if "error" in answer:
            raise MediaRefused(answer["error"])
        return dict(answer["ok"])

    async def _push(self, request: dict[str, Any]) -> None:
        if await self.redis.rpush(bus.key(redis_keys.REQUESTS), json.dumps(request)) > MAX_WAITING:
            await self.redis.ltrim(bus.key(redis_keys.REQUESTS), 0, MAX_WAITING - 1)
            raise TimeoutError("too many requests wait for the supervisor")

    async def _listen(self) -> None:
        """Subscribed before the first request leaves, and again after Redis was gone. Raises TimeoutError."""
        if self.reader is None:
            self.reader = asyncio.create_task(loops.keep("media-replies", self._read), name="media-replies")
        await asyncio.wait_for(self.subscribed.wait(), SUBSCRIBE_WITHIN)

    async def _read(self) -> None:
        while True:
            try:
                async with self.redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(redis_keys.reply_channel(self.process))
                    self.subscribed.set()
                    async for message in pubsub.listen():
                        await self._take(message["data"])
            except (RedisError, OSError) as error:
                log.warning("media replies: %s", error)
            finally:
                self.subscribed.clear()
            await asyncio.sleep(AGAIN)

    async def _take(self, text: str) -> None:
        """One answer, to who waits for it. One that is none keeps nobody else waiting."""
        try:
            answer = json.loads(text)
            future = self.waiting.get(answer["id"])
            if future is not None and not future.done():
                future.set_result(answer)
        except Exception as error:
            await loops.item_failed("media-replies", "an answer", error)


_askers: WeakKeyDictionary[asyncio.AbstractEventLoop, Asker] = WeakKeyDictionary()


def _asker() -> Asker:
    """The asker of the running loop: connections and futures belong to one loop."""
    loop = asyncio.get_running_loop()
    if loop not in _askers:
        _askers[loop] = Asker()
    return _askers[loop]
