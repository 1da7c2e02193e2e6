"""Verbs of sound: each checks rights in the database, then asks the media supervisor."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings

from rooms import actions
from rooms.live.verbs.call import Call, in_turn
from rooms.live.verbs.verb import Answer
from rooms.media import ask
from rooms.media.ice import ice_servers
from rooms.models import Seat
from rooms.recording.hls.tickets import ticket_to
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.identity import Who
from rooms.rules.refusals import RoomRefused, refuse


async def speak_offer(call: Call, sdp: Any) -> Answer:
    """Connect the microphone of one's seat."""
    seat = await in_turn(_speaking_seat, call)
    return await _ask(call, "speak_offer", sdp=sdp, seat_pk=seat.pk, **call.counted)


async def listen(call: Call) -> Answer:
    """Ask for a near listener's place. The answer has the room's `list`, as a beat has it."""
    live_list = await in_turn(_live_list, call)
    return {**await _ask(call, "listen", **call.counted), "list": live_list}


async def listen_answer(call: Call, sdp: Any) -> Answer:
    """Accept the offer of a near listener's place."""
    return await _ask(call, "listen_answer", sdp=sdp)


async def listen_stop(call: Call) -> Answer:
    """Give a near listener's place back."""
    return await _ask(call, "listen_stop")


async def check_offer(call: Call, sdp: Any) -> Answer:
    """Connect a microphone check."""
    await in_turn(_check_checking, call)
    return await _ask(call, "check_offer", sdp=sdp, **call.counted)


async def check_stop(call: Call) -> Answer:
    """End a microphone check."""
    return await _ask(call, "check_stop")


async def candidate(call: Call, handle: Any, candidate: Any) -> Answer:
    """Pass on a network address for one of the client's connections."""
    if handle not in ("speak", "listen", "check"):
        raise RoomRefused("bad_candidate")
    return await _ask(call, "candidate", handle=handle, candidate=candidate)


async def ice(call: Call) -> Answer:
    """Ask for servers that help a browser to reach us."""
    await in_turn(_check_listening, call)
    return {"servers": servers_for(call.who)}


def servers_for(who: Who) -> list[dict[str, Any]]:
    """RTCPeerConnection's `iceServers` for this person, credentials that end by themselves included."""
    name = who.key.replace(":", "-")
    return ice_servers(
        time.time(), name, settings.STUN_URLS, settings.TURN_URLS, settings.TURN_SECRET, settings.TURN_SECONDS
    )


async def _ask(call: Call, verb: str, **args: Any) -> Answer:
    try:
        return await ask.ask(verb, call.room_pk, call.who.key, call.conn, **args)
    except ask.MediaRefused as refused:
        raise RoomRefused(refused.code) from refused


def _speaking_seat(call: Call) -> Seat:
    """The open seat whose microphone may open now, in this page."""
    return actions.hold_microphone(call.room_pk, call.account(), call.page or "", take=False)


def _check_listening(call: Call) -> None:
    call.check_entry(live=True)


def _live_list(call: Call) -> str | None:
    """The address of the live list by ticket; None where each listener is asked anew, and for staff."""
    _check_listening(call)
    room = call.room()
    return None if call.as_staff else ticket_to(room.pk, room.epoch, room.entry_policy)


def _check_checking(call: Call) -> None:
    facts = facts_of(call.room(), call.account())
    refuse(permissions.live(facts.status) or facts.kept_off_stage or permissions.may_enter(facts))
