"""Queries for the page of a report: what of a room its reader may see, and whom the form offers."""

from __future__ import annotations

from people.handles import read_handle
from people.models import User
from people.queries import person
from rooms.models import Room, Seat
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.identity import Who
from rooms.rules.roles import may_replay


def named_person(handle: str, me: User) -> User | None:
    """Return the person whom an address names, other than the reader."""
    name = read_handle(handle)
    user = None if name is None else person(name)
    return None if user == me else user


def may_see(room: Room, me: User) -> bool:
    """Whether the reader may see a live room now, or hear again one that is over. Others may report in it, but read
    neither its title nor who is on stage."""
    if room.is_live:
        return permissions.may_enter(facts_of(room, me)) is None
    return may_replay(room, Who.of_user(me))


def people_to_report(room: Room, me: User, about: User | None, sees: bool) -> dict[str, User]:
    """Return people by handle: `about`, and where the reader `sees` the room those on stage now or in the recording."""
    seats = Seat.objects.filter(room=room).exclude(user=me).select_related("user").order_by("taken_at", "pk")
    if room.is_live:
        seats = seats.filter(left_at=None)
    people = {seat.user.handle: seat.user for seat in seats} if sees else {}
    return people | ({about.handle: about} if about else {})
