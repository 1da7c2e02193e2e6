"""What a socket may ask for. Each verb parses its arguments, calls one action or asks for sound, and answers.

`IN_THREAD` verbs use the database and run beside the event loop; `SOUND` verbs check in a thread and then ask the
media supervisor, in the order in which they came.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.conf import settings

from core.lines import LineFull, Lines
from core.threads import in_thread
from people.handles import read_handle
from people.models import User
from people.sessions import alive
from rooms import actions
from rooms.media import ask as media
from rooms.media.ice import ice_servers
from rooms.models import Room, Seat
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.identity import Who, page_of
from rooms.rules.refusals import RoomRefused, refuse

Answer = dict[str, Any]
T = TypeVar("T")
_lines = Lines("VERBS_AT_ONCE", "VERBS_WAITING")


@dataclass(frozen=True)
class Call:
    """One frame: who says what in which room, over which socket, from which address."""

    room_pk: int
    who: Who
    conn: str
    args: dict[str, Any] = field(default_factory=dict)
    address: str = ""

    @property
    def counted(self) -> dict[str, str]:
        """For the supervisor: the keys under which places for sound are counted."""
        return {"counted": self.client_key, "address": self.address}

    @property
    def client_key(self) -> str:
        """The key under which a client is counted: the person, or the address where nobody is signed in."""
        return self.address if self.who.user is None and self.address else self.who.key

    @property
    def page(self) -> str:
        """The page that the socket belongs to."""
        return page_of(self.conn)


async def in_turn(work: Callable[[Call], T], call: Call) -> T:
    """Ask the database beside the event loop, in the turn of this client: the threads are few. Raises `too_fast`."""
    try:
        async with _lines.turn(call.client_key):
            return await in_thread(work, call)
    except LineFull as error:
        raise RoomRefused("too_fast") from error


def _me(call: Call) -> User:
    """The account as it is now; raises not_signed_in when it was closed, or signed out, since the socket opened."""
    who = call.who
    user = None if who.user is None else User.objects.filter(pk=who.user.pk, is_active=True).first()
    if user is None or alive([who.session]).get(who.session) != user.pk:
        raise RoomRefused("not_signed_in")
    return user


def person(handle: Any) -> User:
    """The account that a client names. Raises bad_value for what is no handle, not_on_stage for nobody's."""
    name = read_handle(handle)
    if name is None:
        raise RoomRefused("bad_value", {"user": "handle"})
    user = User.objects.by_handle(name)
    if user is None:
        raise RoomRefused("not_on_stage")
    return user


def room_of(pk: int) -> Room:
    room = Room.objects.filter(pk=pk).first()
    if room is None:
        raise RoomRefused("unknown_room")
    return room


# --- in the database ------------------------------------------------------------------------------------------------


def consent(call: Call) -> Answer:
    user = _me(call)
    version = call.args.get("version")
    actions.record_consent(user, room_of(call.room_pk), version if isinstance(version, str) else "")
    return {}


def take_seat(call: Call) -> Answer:
    return {"place": actions.take_seat(call.room_pk, _me(call)).place}


def leave_seat(call: Call) -> Answer:
    actions.leave_seat(call.room_pk, _me(call))
    return {}


def mute(call: Call) -> Answer:
    user = _me(call)
    target = user if call.args.get("user") is None else person(call.args["user"])
    actions.set_muted(call.room_pk, target, True, by=user)
    return {}


def unmute(call: Call) -> Answer:
    user = _me(call)
    # A client that names somebody is answered by the rule: only oneself.
    target = user if call.args.get("user") is None else person(call.args["user"])
    actions.set_muted(call.room_pk, target, False, by=user, page=call.page)
    return {}


def speak_claim(call: Call) -> Answer:
    """This page is to speak; `take`: also if another one does, because the person wants it so."""
    actions.hold_microphone(call.room_pk, _me(call), call.page, take=call.args.get("take") is True)
    return {}


def speak_stop(call: Call) -> Answer:
    """This page does not speak, or no longer."""
    actions.release_microphone(call.room_pk, _me(call), call.page)
    return {}


def unseat(call: Call) -> Answer:
    user = _me(call)
    actions.unseat(call.room_pk, person(call.args.get("user")), by=user)
    return {}


def set_entry_policy(call: Call) -> Answer:
    policy = call.args.get("policy")
    actions.set_entry_policy(call.room_pk, _me(call), policy if isinstance(policy, str) else "")
    return {}


def end(call: Call) -> Answer:
    actions.end_room(call.room_pk, _me(call))
    return {}


IN_THREAD: dict[str, Callable[[Call], Answer]] = {
    "consent": consent,
    "take_seat": take_seat,
    "leave_seat": leave_seat,
    "mute": mute,
    "unmute": unmute,
    "unseat": unseat,
    "speak_claim": speak_claim,
    "speak_stop": speak_stop,
    "set_entry_policy": set_entry_policy,
    "end": end,
}


# --- sound ----------------------------------------------------------------------------------------------------------


async def _ask(call: Call, verb: str, **args: Any) -> Answer:
    try:
        return await media.ask(verb, call.room_pk, call.who.key, call.conn, **args)
    except media.MediaRefused as refused:
        raise RoomRefused(refused.code) from refused


def _speaking_seat(call: Call) -> Seat:
    """The open seat whose microphone may open now, in this page."""
    return actions.hold_microphone(call.room_pk, _me(call), call.page, take=False)


def _may_listen(call: Call) -> None:
    room = room_of(call.room_pk)
    user = None if call.who.user is None else _me(call)
    refuse(permissions.may_take_part(facts_of(room, user)))


async def speak_offer(call: Call) -> Answer:
    seat = await in_turn(_speaking_seat, call)
    return await _ask(call, "speak_offer", sdp=call.args.get("sdp"), seat_pk=seat.pk, **call.counted)


def may_see(call: Call) -> None:
    """Raises why this person may not look at the room any more; one that is over may be looked at."""
    user = None if call.who.user is None else _me(call)
    refuse(permissions.may_enter(facts_of(room_of(call.room_pk), user)))


async def listen(call: Call) -> Answer:
    await in_turn(_may_listen, call)
    return await _ask(call, "listen", **call.counted)


async def listen_answer(call: Call) -> Answer:
    return await _ask(call, "listen_answer", sdp=call.args.get("sdp"))


async def listen_stop(call: Call) -> Answer:
    return await _ask(call, "listen_stop")


def _may_check(call: Call) -> None:
    facts = facts_of(room_of(call.room_pk), _me(call))
    refuse(permissions.live(facts.status) or facts.kept_off_stage or permissions.may_enter(facts))


async def check_offer(call: Call) -> Answer:
    await in_turn(_may_check, call)
    return await _ask(call, "check_offer", sdp=call.args.get("sdp"), **call.counted)


async def check_stop(call: Call) -> Answer:
    return await _ask(call, "check_stop")


async def candidate(call: Call) -> Answer:
    handle = call.args.get("handle")
    if handle not in ("speak", "listen", "check"):
        raise RoomRefused("bad_candidate")
    return await _ask(call, "candidate", handle=handle, candidate=call.args.get("candidate"))


async def ice(call: Call) -> Answer:
    await in_turn(_may_listen, call)
    return {"servers": servers_for(call.who)}


def servers_for(who: Who) -> list[dict[str, Any]]:
    """RTCPeerConnection's `iceServers` for this person, credentials that end by themselves included."""
    name = who.key.replace(":", "-")
    return ice_servers(
        time.time(), name, settings.STUN_URLS, settings.TURN_URLS, settings.TURN_SECRET, settings.TURN_SECONDS
    )


SOUND: dict[str, Callable[[Call], Awaitable[Answer]]] = {
    "speak_offer": speak_offer,
    "candidate": candidate,
    "listen": listen,
    "listen_answer": listen_answer,
    "listen_stop": listen_stop,
    "check_offer": check_offer,
    "check_stop": check_stop,
    "ice": ice,
}
# Answered by the socket itself.
OWN = frozenset({"ping", "snapshot"})
VERBS = OWN | IN_THREAD.keys() | SOUND.keys()
