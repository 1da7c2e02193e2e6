"""What the supervisor does for web processes: one function a verb. Who may was checked there, and is again here."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DatabaseError

from core import loops
from core.threads import in_thread
from rooms.media.ask import MediaRefused
from rooms.media.ffmpeg import gains
from rooms.media.ffmpeg.ports import NoPort
from rooms.media.janus import bridge, mountpoint
from rooms.media.janus.client import JanusError
from rooms.media.supervisor import fairness, wanted
from rooms.media.supervisor.state import Handle
from rooms.media.supervisor.studio import Studio
from rooms.rules.identity import page_of

if TYPE_CHECKING:
    from rooms.media.supervisor.loop import Supervisor

log = logging.getLogger(__name__)

FAILURES = (JanusError, TimeoutError, OSError, NoPort, RuntimeError)
MOST_CANDIDATES = 60  # a handle; browsers send about ten
BUILD_PATIENCE = 3.5  # seconds a request waits for a room that is just being built


class Request:
    """One request of a web process."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.id = str(raw["id"])
        self.process = str(raw.get("process", ""))
        self.verb = str(raw["verb"])
        self.room = int(raw["room"])
        self.who = str(raw["who"])
        self.conn = str(raw["conn"])
        self.args: dict[str, Any] = raw["args"]
        self.until = float(raw["until"])
        self.counted = str(self.args.get("counted") or self.who)
        self.address = str(self.args.get("address", ""))

    @property
    def line(self) -> str:
        """Requests of one connection about one thing are served one after the other, in the order they came."""
        return f"{self.conn}:{self.verb.partition('_')[0] if self.verb != 'candidate' else self.args['handle']}"


Answer = dict[str, Any]


async def speak_offer(sup: Supervisor, request: Request) -> Answer:
    """A microphone for an open seat: the old connection goes, the new one comes in muted as the database says."""
    seat_pk = int(request.args["seat_pk"])
    studio = await _studio(sup, request)
    async with studio.lock:
        # Read under the lock: who changes the seat later finds the new handle, who changed it before is seen here.
        seat = await in_thread(wanted.open_seat, request.room, seat_pk, request.who)
        if seat is None:
            raise MediaRefused("not_on_stage")
        if seat.page != page_of(request.conn):
            raise MediaRefused("mic_elsewhere")
        await sup.remove_seat(studio, seat_pk)
        handle, answer = await bridge.seat(sup.janus, studio.bridge, seat_pk, seat.muted, request.args["sdp"])
        studio.muted[seat_pk] = seat.muted
        await sup.kept.keep_handle(_handle(handle, "speak", request, seat=seat_pk))
    return {"sdp": answer, "gain": gains.MAKE_UP}


async def listen(sup: Supervisor, request: Request) -> Answer:
    """A near listener's connection, or HLS when this node has as many as it may."""
    studio = await _studio(sup, request)
    await _let_go(sup, "listen", request)
    if not fairness.near_place_of(sup, request.counted):
        return {"use": "hls"}
    sup.arriving[request.counted] += 1
    try:
        handle, offer = await mountpoint.watch(sup.janus, studio.mountpoint)
        await sup.kept.keep_handle(_handle(handle, "listen", request))
    finally:
        sup.arriving[request.counted] -= 1
    return {"use": "webrtc", "sdp": offer}


async def listen_answer(sup: Supervisor, request: Request) -> Answer:
    """The browser's half."""
    await mountpoint.start(sup.janus, _own(sup, "listen", request, "bad_sdp").id, request.args["sdp"])
    return {}


async def listen_stop(sup: Supervisor, request: Request) -> Answer:
    """Listen no more."""
    await _let_go(sup, "listen", request)
    return {}


async def check_offer(sup: Supervisor, request: Request) -> Answer:
    """A microphone check: connects like a speaker, to a room in which everybody is muted."""
    await _let_go(sup, "check", request)
    if sup.check_room is None:
        raise MediaRefused("media_unavailable")
    checks = sup.kept.of("check")
    ending = fairness.checks_to_end(checks, request.counted, request.address, settings.MEDIA_CHECKS)
    if ending is None:
        raise MediaRefused("too_many")
    for old in ending:
        await sup.let_go(old)
    name = f"check-{secrets.token_hex(6)}"
    handle, answer = await bridge.check(sup.janus, sup.check_room, name, request.args["sdp"])
    await sup.kept.keep_handle(_handle(handle, "check", request))
    for other in sup.kept.of("check"):  # begun at the same time, over another socket
        if other.counted == request.counted and other.id != handle:
            await sup.let_go(other)
    return {"sdp": answer}


async def check_stop(sup: Supervisor, request: Request) -> Answer:
    """The check is over."""
    await _let_go(sup, "check", request)
    return {}


async def candidate(sup: Supervisor, request: Request) -> Answer:
    """One more way to reach the browser. An empty one (of a kind we do not use) is taken and dropped."""
    if not request.args["candidate"]:
        return {}
    handle = _own(sup, request.args["handle"], request, "bad_candidate")
    handle.candidates += 1
    if handle.candidates > MOST_CANDIDATES:
        raise MediaRefused("too_fast")
    await sup.janus.trickle(handle.id, request.args["candidate"])
    return {}


async def gone(sup: Supervisor, request: Request) -> Answer:
    """A socket closed: it listens and checks no more. A speaker's sound lives on until the seat or WebRTC ends."""
    await _let_go(sup, "listen", request)
    await _let_go(sup, "check", request)
    return {}


VERBS: dict[str, Callable[[Supervisor, Request], Awaitable[Answer]]] = {
    "speak_offer": speak_offer,
    "listen": listen,
    "listen_answer": listen_answer,
    "listen_stop": listen_stop,
    "check_offer": check_offer,
    "check_stop": check_stop,
    "candidate": candidate,
    "gone": gone,
}


async def answer(sup: Supervisor, request: Request) -> Answer:
    """Serve a request; what cannot be is answered with one of the refusal codes of rooms."""
    try:
        if not sup.connected and request.verb != "gone":
            raise MediaRefused("media_unavailable")
        return {"ok": await VERBS[request.verb](sup, request)}
    except MediaRefused as refused:
        return {"error": refused.code}
    except JanusError as error:
        log.warning("%s in room %s: %s", request.verb, request.room, error)
        return {"error": "bad_sdp" if "sdp" in request.args else "media_unavailable"}
    except (*FAILURES, DatabaseError, KeyError) as error:
        log.warning("%s in room %s: %s %s", request.verb, request.room, type(error).__name__, error)
        return {"error": "media_unavailable"}
    except Exception as error:
        await loops.item_failed("media-requests", f"{request.verb} in room {request.room}", error)
        return {"error": "media_unavailable"}


def _handle(number: int, kind: str, request: Request, seat: int = 0) -> Handle:
    handle = Handle(number, kind, request.room, request.conn, request.who, seat, time.time())
    handle.counted, handle.address, handle.up = request.counted, request.address, False
    return handle


def _own(sup: Supervisor, kind: str, request: Request, otherwise: str) -> Handle:
    """This connection's handle of a kind; refused with `otherwise` where there is none."""
    found = [handle for handle in sup.kept.of(kind, room=request.room, conn=request.conn) if handle.who == request.who]
    if not found:
        raise MediaRefused(otherwise)
    return found[-1]


async def _let_go(sup: Supervisor, kind: str, request: Request) -> None:
    for handle in sup.kept.of(kind, room=request.room, conn=request.conn):
        await sup.let_go(handle)


async def _studio(sup: Supervisor, request: Request) -> Studio:
    """The room's studio; one that is just being built is waited for a little."""
    end = time.monotonic() + BUILD_PATIENCE
    while (studio := sup.studios.get(request.room)) is None:
        if time.monotonic() > end:
            raise MediaRefused("media_unavailable")
        sup.changed.set()
        await asyncio.sleep(0.05)
    return studio
