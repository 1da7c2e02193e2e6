"""Verbs that change a room: each calls one action as `me`, the account that asks."""

from __future__ import annotations

from people.models import User
from rooms import actions
from rooms.live.verbs.call import Call, in_turn
from rooms.live.verbs.verb import Answer


def consent(call: Call, me: User, version: str) -> Answer:
    """Agree to being recorded in this room."""
    actions.record_consent(me, call.room(), version)
    return {}


def take_seat(call: Call, me: User) -> Answer:
    """Sit down at the lowest free place, microphone off."""
    return {"place": actions.take_seat(call.room_pk, me).place}


def leave_seat(call: Call, me: User) -> Answer:
    """Stand up."""
    actions.leave_seat(call.room_pk, me)
    return {}


def mute(call: Call, me: User, user: User | None) -> Answer:
    """Close your microphone, or as host anybody's."""
    actions.set_muted(call.room_pk, user or me, True, by=me)
    return {}


def unmute(call: Call, me: User, user: User | None) -> Answer:
    """Open your own microphone; nobody else can."""
    # A client that names somebody is answered by the rule: only oneself.
    actions.set_muted(call.room_pk, user or me, False, by=me, page=call.page)
    return {}


def unseat(call: Call, me: User, user: User) -> Answer:
    """Take somebody off the stage, as its host; they go on listening."""
    actions.unseat(call.room_pk, user, by=me)
    return {}


def speak_claim(call: Call, me: User, take: bool) -> Answer:
    """Make this page the one that speaks; with `take` also where another page does."""
    actions.hold_microphone(call.room_pk, me, call.page or "", take=take)
    return {}


def speak_stop(call: Call, me: User) -> Answer:
    """Say that this page does not speak, or no longer."""
    actions.release_microphone(call.room_pk, me, call.page or "")
    return {}


def quality(call: Call, me: User, level: str) -> Answer:
    """Say how good your connection is, for host and co-hosts; only while you are on stage."""
    actions.tell_quality(call.room(), me, level)
    return {}


def listen_unseen(call: Call, me: User, unseen: bool) -> Answer:
    """Choose whether you listen to this room unseen: counted, but named to nobody, as you are before you choose."""
    actions.set_unseen(call.room(), me, unseen)
    return {}


def set_entry_policy(call: Call, me: User, policy: str) -> Answer:
    """Change who may come in, as host or co-host. Those who are no longer admitted are put out."""
    actions.set_entry_policy(call.room_pk, me, policy)
    return {}


def end(call: Call, me: User) -> Answer:
    """End the room for everybody; only its host does."""
    actions.end_room(call.room_pk, me)
    return {}


async def snapshot(call: Call) -> Answer:
    """Send a fresh snapshot over this socket. A room that is over may be looked at."""
    await in_turn(_check_entry, call)
    call.send_snapshot()
    return {}


async def leave(call: Call) -> Answer:
    """Say that this page is left by its button: when it closes as your last one, your hand goes down at once."""
    call.will_leave()
    return {}


async def ping(call: Call) -> Answer:
    """Answer, so that the client knows that the line stands."""
    return {}


def _check_entry(call: Call) -> None:
    call.check_entry(live=False)
