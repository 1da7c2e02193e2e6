"""Rights to what was kept of a room, to hear, read, publish and download: what `rooms.rules.permissions` asks, loaded.

Roles are what people are in the recording: its host, a co-host at the room's end, or a speaker, whose voice is in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from people.models import User
from rooms.models import Recording, Room, RoomEvent
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.identity import Who
from rooms.rules.permissions import Facts
from rooms.rules.refusals import RoomRefused, refuse
from rooms.rules.voice import has_voice

UNFINISHED = (Recording.State.RUNNING, Recording.State.FINISHING, Recording.State.FAILED)


@dataclass(frozen=True)
class ReplayFacts:
    """Facts that the rule of a replay depends on (`permissions.may_replay`)."""

    kept_out: bool
    role: str
    published: bool
    admitted: bool
    waiting: bool


def role_in(user: User, room: Room) -> str:
    """Role of an account in what was kept of a room: "host", "cohost" (at its end, or now), "speaker" or "listener".

    A place on the stage makes nobody a speaker: a voice in the recording does. A closed or suspended account is a
    listener, whatever it was.
    """
    return _role(facts_of(room, user), room, user)


def role_of(who: Who, room: Room) -> str:
    """The same for whoever asks, signed in or not."""
    return "listener" if who.user is None else role_in(who.user, room)


def _role(facts: Facts, room: Room, user: User | None) -> str:
    if user is None or facts.kept_out is not None:
        return "listener"
    if facts.role in permissions.HELPERS:
        return facts.role
    return "speaker" if has_voice(room.pk, user.pk) else "listener"


def published(room: Room) -> bool:
    """Whether its host lets everybody hear it, and there is something to hear."""
    return Recording.objects.filter(room=room, published_at__isnull=False, state=Recording.State.READY).exists()


def replay_facts(room: Room, who: Who) -> ReplayFacts:
    """Load what decides whether this person may hear a room again now."""
    facts = facts_of(room, who.user)
    role = _role(facts, room, who.user)
    return ReplayFacts(
        kept_out=facts.kept_out is not None,
        role=role,
        published=published(room),
        admitted=permissions.may_enter(facts) is None,
        waiting=role == "listener" and waiting(room, who),
    )


def waiting(room: Room, who: Who) -> bool:
    """Whether this person opened a microphone in a room whose recording is not finished: nobody knows yet whether
    there is sound in the track, and nothing can be heard. The log says so, which no client writes."""
    if who.user is None or not Recording.objects.filter(room=room, state__in=UNFINISHED).exists():
        return False
    opened = RoomEvent.objects.filter(room=room, type="seat_muted", data__muted=False, data__user=who.user.handle)
    return opened.exists()


def check_replay(room: Room, who: Who) -> str:
    """The role of who may hear a room again. Raises not_found for others: they do not learn that it is there."""
    facts = replay_facts(room, who)
    refuse(
        permissions.may_replay(
            kept_out=facts.kept_out,
            role=facts.role,
            published=facts.published,
            admitted=facts.admitted,
            waiting=facts.waiting,
        )
    )
    return facts.role


def may_replay(room: Room, who: Who) -> bool:
    """The same as a question."""
    try:
        check_replay(room, who)
    except RoomRefused:
        return False
    return True
