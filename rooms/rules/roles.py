"""Roles in a recording, and the facts on which the right to hear it depends, loaded from the database.

A person is the host, a co-host at the room's end, a speaker (their voice is in the recording, or they were host until
they handed the room over) or a listener.
"""

from __future__ import annotations

from dataclasses import dataclass

from people.models import User
from rooms.models import Recording, Room, RoomEvent
from rooms.rules import permissions
from rooms.rules.facts import facts_of, facts_of_who
from rooms.rules.identity import Who
from rooms.rules.permissions import Facts
from rooms.rules.publishing import is_published
from rooms.rules.refusals import refuse
from rooms.rules.restrictions import is_restricted
from rooms.rules.voice import has_voice

UNFINISHED = (Recording.State.RUNNING, Recording.State.FINISHING, Recording.State.FAILED)


@dataclass(frozen=True)
class ReplayFacts:
    """Arguments of the rule for replays, `permissions.may_replay`."""

    kept_out: bool
    role: str
    published: bool
    admitted: bool
    waiting: bool
    restricted: bool


def role_in(user: User, room: Room) -> str:
    """Role of an account in a recording: "host", "cohost" (at the room's end, or now), "speaker" or "listener".

    A seat alone makes nobody a speaker: a voice in the recording does, or having been host. A closed or suspended
    account is always a listener.
    """
    return _role(facts_of(room, user), room, user)


def role_of(who: Who, room: Room) -> str:
    """`role_in` for any person; an anonymous one is a listener."""
    return "listener" if who.user is None else role_in(who.user, room)


def _role(facts: Facts, room: Room, user: User | None) -> str:
    if user is None or facts.kept_out is not None:
        return "listener"
    if facts.role in permissions.HELPERS:
        return facts.role
    return "speaker" if facts.former_host or has_voice(room.pk, user.pk) else "listener"


def replay_facts(room: Room, who: Who) -> ReplayFacts:
    """Load the facts that decide whether a person may hear a room again now."""
    facts = facts_of_who(room, who)
    role = _role(facts, room, who.user)
    return ReplayFacts(
        kept_out=facts.kept_out is not None,
        role=role,
        published=is_published(room),
        admitted=permissions.may_enter(facts) is None,
        waiting=role == "listener" and awaits_recording(room, who),
        restricted=is_restricted(room),
    )


def awaits_recording(room: Room, who: Who) -> bool:
    """Whether a person opened a microphone in a room whose recording is not finished: it is not known yet whether
    their track has sound. Read from the room's log, which no client can write."""
    if who.user is None or not Recording.objects.filter(room=room, state__in=UNFINISHED).exists():
        return False
    opened = RoomEvent.objects.filter(room=room, type="seat_muted", data__muted=False, data__user=who.user.handle)
    return opened.exists()


def check_replay(room: Room, who: Who) -> str:
    """Return the role of a person who may hear a room again.

    Raises recording_unavailable where moderators closed the recording, and not_found for those who could not hear it
    anyway, who do not learn of it.
    """
    role, code = look_at_replay(room, who)
    refuse(code)
    return role


def look_at_replay(room: Room, who: Who) -> tuple[str, str | None]:
    """Return a person's role in a recording, and why they may not hear it; None where they may."""
    facts = replay_facts(room, who)
    code = permissions.may_replay(
        kept_out=facts.kept_out,
        role=facts.role,
        published=facts.published,
        admitted=facts.admitted,
        waiting=facts.waiting,
        restricted=facts.restricted,
    )
    return facts.role, code


def may_replay(room: Room, who: Who) -> bool:
    """Whether a person may hear a room again."""
    return look_at_replay(room, who)[1] is None
