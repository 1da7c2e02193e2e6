"""The audience of a room: whom a reader may see in it, and how many people listen.

Host and co-hosts read the names of listeners; other people see those whom they follow. Nobody sees an anonymous
listener, or one who did not choose to be seen, who counts among the anonymous ones, until they raise a hand or sit
down. Blocks change nothing here: a block ends follows, keeps the blocked person out of the blocker's rooms, and a
helper's list that left people out for one would show that it exists.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import Lower
from redis.exceptions import RedisError

from people.handles import read_handle
from people.models import User
from rooms import presence
from rooms.models import Hand, ListenerChoice, Room, Seat
from rooms.rules import permissions
from rooms.rules.facts import enter
from rooms.rules.identity import Who
from rooms.rules.refusals import RoomRefused, refuse
from rooms.wire.faces import Face, face
from social.models import Follow

PAGE = 50  # names at once
FACES = 12  # followed people that are shown at most
MOST_FOLLOWED = 5000  # looked for in one room


@dataclass(frozen=True)
class Audience:
    """An audience as one reader sees it. `listening` counts everybody in it; `named` those whose names the reader may
    read, `found` those of them that a search matches: both None for readers who see followed people only. `more` says
    whether people come after the last of these."""

    listening: int
    named: int | None
    found: int | None
    people: list[Face]
    more: bool


def audience(room: Room, who: Who, q: str = "", after: str = "") -> Audience:
    """Read the audience of a live room as this person may see it: at most eight queries, however many listen.

    `q` is part of a name or handle, `after` the handle of the last person that the reader has; both are for the host's
    side. Raises room_ended, the codes of entry, bad_value, unavailable (without Redis).
    """
    facts = enter(room, who)
    refuse(permissions.live(facts.status))
    if permissions.may_see_names(facts) is not None:
        return _followed(room, who)
    here, people = _here(room)
    on_stage = here & _on_stage(room)
    listeners, wanted = seen(room, here - on_stage), _matching(q)
    counts = listeners.aggregate(named=Count("pk"), found=Count("pk", filter=wanted))
    faces = [face(user) for user in _by_name(listeners.filter(wanted), after)[: PAGE + 1]]
    return Audience(people - len(on_stage), counts["named"], counts["found"], faces[:PAGE], len(faces) > PAGE)


def seen(room: Room, accounts: Collection[int]) -> QuerySet[User]:
    """Select those of these accounts that chose to be seen in the room. A raised hand shows its person."""
    chosen = ListenerChoice.objects.filter(room=room, unseen=False)
    hands = Hand.objects.filter(room=room, lowered_at=None)
    shown = Q(pk__in=chosen.values("user")) | Q(pk__in=hands.values("user"))
    return User.objects.filter(shown, pk__in=accounts, is_active=True)


def _here(room: Room) -> tuple[set[int], int]:
    try:
        return presence.people_here(room.pk)
    except RedisError as error:
        raise RoomRefused("unavailable") from error


def _on_stage(room: Room) -> set[int]:
    return set(Seat.objects.filter(room=room, left_at=None).values_list("user_id", flat=True))


def _followed(room: Room, who: Who) -> Audience:
    """The audience as anybody sees it who does not help its host. Redis is asked about the people whom the reader
    follows alone: a thousand readers may ask at once."""
    on_stage = _on_stage(room)
    follows = [] if who.user is None else _follows(who.user, on_stage)
    try:
        people, flags = presence.look(room.pk, [presence.user_key(pk) for pk in (*on_stage, *follows)])
    except RedisError as error:
        raise RoomRefused("unavailable") from error
    listening = presence.listening(people, flags[: len(on_stage)])
    here = [pk for pk, is_here in zip(follows, flags[len(on_stage) :], strict=True) if is_here]
    rows = list(seen(room, here).order_by(Lower("display_name"), "pk")[: FACES + 1]) if here else []
    return Audience(listening, None, None, [face(user) for user in rows[:FACES]], len(rows) > FACES)


def _follows(reader: User, on_stage: Collection[int]) -> list[int]:
    """Accounts that a reader follows and that are not on stage; the latest MOST_FOLLOWED."""
    rows = Follow.objects.filter(follower=reader).exclude(followed__in=on_stage).order_by("-since", "-pk")
    return list(rows.values_list("followed_id", flat=True)[:MOST_FOLLOWED])


def _matching(q: str) -> Q:
    text = " ".join(q.split())
    return Q(display_name__icontains=text) | Q(handle__icontains=text.removeprefix("@")) if text else Q(pk__gt=0)


def _by_name(listeners: QuerySet[User], after: str) -> QuerySet[User]:
    """Order listeners by name, from behind the person with handle `after` on. Raises bad_value."""
    named = listeners.annotate(low_name=Lower("display_name")).order_by("low_name", "pk")
    if not after:
        return named
    handle = read_handle(after)
    last = None if handle is None else User.objects.by_handle(handle)
    if last is None:
        raise RoomRefused("bad_value", {"after": "handle"})
    low_name = Lower(Value(last.display_name))
    return named.filter(Q(low_name__gt=low_name) | Q(low_name=low_name, pk__gt=last.pk))
