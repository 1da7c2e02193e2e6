"""Verbs that web processes ask for, one function each. Rights were checked there, and are again here."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from core import loops
from core.threads import in_thread
from rooms.media.ask import MediaRefused
from rooms.media.ffmpeg import gains
from rooms.media.janus import bridge, mountpoint
from rooms.media.janus.client import JanusError
from rooms.media.supervisor import fairness, handles, wanted
from rooms.media.supervisor.context import FAILURES, Context
from rooms.media.supervisor.state import Handle
from rooms.media.supervisor.studio import Studio
from rooms.rules.identity import page_of

log = logging.getLogger(__name__)

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
        """Key of requests that are served one after the other: of one connection, about one thing."""
        return f"{self.conn}:{self.verb.partition('_')[0] if self.verb != 'candidate' else self.args['handle']}"


Answer = dict[str, Any]


async def speak_offer(context: Context, request: Request) -> Answer:
    """Connect the microphone of an open seat in place of its old connection, muted as the database says."""
    seat_pk = int(request.args["seat_pk"])
    studio = await _studio(context, request)
    async with studio.lock:
        # Read under the lock: who changes the seat later finds the new handle, who changed it before is seen here.
        seat = await in_thread(wanted.open_seat, request.room, seat_pk, request.who)
        if seat is None:
            raise MediaRefused("not_on_stage")
        if seat.page != page_of(request.conn):
            raise MediaRefused("mic_elsewhere")
        await handles.remove_seat(context, studio, seat_pk)
        handle, answer = await bridge.seat(context.janus, studio.bridge, seat_pk, seat.muted, request.args["sdp"])
        studio.muted[seat_pk] = seat.muted
        await context.state.save_handle(_handle(handle, "speak", request, seat=seat_pk))
    return {"sdp": answer, "gain": gains.MAKE_UP}


async def listen(context: Context, request: Request) -> Answer:
    """Connect a near listener, or answer HLS when this node has as many as it may."""
    studio = await _studio(context, request)
    await _release(context, "listen", request)
    if not fairness.near_place_of(context, request.counted):
        return {"use": "hls"}
    context.arriving[request.counted] += 1
    try:
        handle, offer = await mountpoint.watch(context.janus, studio.mountpoint)
        await context.state.save_handle(_handle(handle, "listen", request))
    finally:
        context.arriving[request.counted] -= 1
    return {"use": "webrtc", "sdp": offer}


async def listen_answer(context: Context, request: Request) -> Answer:
    """Complete a near listener's connection with the browser's answer."""
    await mountpoint.start(context.janus, _own(context, "listen", request, "bad_sdp").id, request.args["sdp"])
    return {}


async def listen_stop(context: Context, request: Request) -> Answer:
    """End a near listener's connection."""
    await _release(context, "listen", request)
    return {}


async def check_offer(context: Context, request: Request) -> Answer:
    """Connect a microphone check like a speaker, to a room in which everybody is muted."""
    await _release(context, "check", request)
    if context.check_room is None:
        raise MediaRefused("media_unavailable")
    checks = context.state.of("check")
    ending = fairness.checks_to_end(checks, request.counted, request.address, settings.MEDIA_CHECKS)
    if ending is None:
        raise MediaRefused("too_many")
    for old in ending:
        await handles.release(context, old)
    name = f"check-{secrets.token_hex(6)}"
    handle, answer = await bridge.check(context.janus, context.check_room, name, request.args["sdp"])
    await context.state.save_handle(_handle(handle, "check", request))
    for other in context.state.of("check"):  # begun at the same time, over another socket
        if other.counted == request.counted and other.id != handle:
            await handles.release(context, other)
    return {"sdp": answer}


async def check_stop(context: Context, request: Request) -> Answer:
    """End a microphone check."""
    await _release(context, "check", request)
    return {}


async def candidate(context: Context, request: Request) -> Answer:
    """Add one more way to reach the browser. An empty candidate (of a kind we do not use) is dropped."""
    if not request.args["candidate"]:
        return {}
    handle = _own(context, request.args["handle"], request, "bad_candidate")
    handle.candidates += 1
    if handle.candidates > MOST_CANDIDATES:
        raise MediaRefused("too_fast")
    await context.janus.trickle(handle.id, request.args["candidate"])
    return {}


async def gone(context: Context, request: Request) -> Answer:
    """End listening and checks of a closed socket. A speaker's sound lives on until the seat or WebRTC ends."""
    await _release(context, "listen", request)
    await _release(context, "check", request)
    return {}


VERBS: dict[str, Callable[[Context, Request], Awaitable[Answer]]] = {
    "speak_offer": speak_offer,
    "listen": listen,
    "listen_answer": listen_answer,
    "listen_stop": listen_stop,
    "check_offer": check_offer,
    "check_stop": check_stop,
    "candidate": candidate,
    "gone": gone,
}


async def answer(context: Context, request: Request) -> Answer:
    """Serve a request; failures are answered with one of the refusal codes of rooms."""
    try:
        if not context.connected and request.verb != "gone":
            raise MediaRefused("media_unavailable")
        return {"ok": await VERBS[request.verb](context, request)}
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


def _own(context: Context, kind: str, request: Request, otherwise: str) -> Handle:
    """This connection's handle of a kind. Raises MediaRefused with code `otherwise` where there is none."""
    found = [
        handle for handle in context.state.of(kind, room=request.room, conn=request.conn) if handle.who == request.who
    ]
    if not found:
        raise MediaRefused(otherwise)
    return found[-1]


async def _release(context: Context, kind: str, request: Request) -> None:
    for handle in context.state.of(kind, room=request.room, conn=request.conn):
        await handles.release(context, handle)


async def _studio(context: Context, request: Request) -> Studio:
    """The room's studio, waited for while it is being built. Raises MediaRefused."""
    end = time.monotonic() + BUILD_PATIENCE
    while (studio := context.studios.get(request.room)) is None:
        if time.monotonic() > end:
            raise MediaRefused("media_unavailable")
        context.changed.set()
        await asyncio.sleep(0.05)
    return studio
