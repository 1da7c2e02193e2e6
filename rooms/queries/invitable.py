"""People whom one may think of inviting: by search, among followers and followed, or from an earlier room."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from core.text import NAME
from people.models import User
from rooms.models import Hand, Invitation, Removal, Room, Seat
from rooms.rules import inviting
from rooms.rules.facts import STANDING, facts_of
from rooms.rules.permissions import HELPERS
from rooms.rules.refusals import RoomRefused, refuse
from rooms.wire.faces import Face, face
from social.models import Block
from social.queries import seeming_followed, seeming_followers

PAGE = 30
MOST_PAGES = 40
SHORTEST = 2  # letters of a search among everybody
SOURCES = ("", "followers", "following", "room")


class Person(Face):
    """One person of a list. `state` is "" or what stands between them and this room: on_stage, removed, or the state of
    the latest invitation that the asker may know of (pending, accepted, declined, revoked, expired)."""

    state: str


@dataclass(frozen=True)
class Asked:
    """Query for people to invite: `words` (a beginning of a handle or of a word in a name), a source, the slug of an
    earlier room of the asker's or of this room's host (source `room`), and a page from 0."""

    words: str = ""
    source: str = ""
    earlier: str = ""
    page: int = 0


def invitable(room: Room, me: User, asked: Asked) -> tuple[list[Person], bool]:
    """One page of people, by name, and whether there are more; at most eight queries.

    Closed accounts and people whom the asker blocks are left out; people who block the asker are not. Everybody is
    searched for the host's side only. Raises bad_value, not_found (the earlier room), and the codes of
    `inviting.may_invite_to_listen`.
    """
    facts = facts_of(room, me)
    refuse(inviting.may_invite_to_listen(facts))
    helper = facts.role in HELPERS
    people = _from(room, me, asked, helper=helper).filter(is_active=True, signing_up=False).exclude(pk=me.pk)
    people = people.exclude(pk__in=Block.objects.filter(blocker=me).values("blocked"))
    start = min(max(asked.page, 0), MOST_PAGES) * PAGE
    page = list(people.order_by("display_name", "pk")[start : start + PAGE + 1])
    states = _states(room, me, page, helper=helper)
    shown = [_as_person(user, states.get(user.pk, "")) for user in page[:PAGE]]
    return shown, len(page) > PAGE and asked.page < MOST_PAGES


def _from(room: Room, me: User, asked: Asked, *, helper: bool) -> QuerySet[User]:
    """The people of a source who fit the words."""
    if asked.source not in SOURCES:
        raise RoomRefused("bad_value", {"from": ", ".join(SOURCES[1:])})
    people = User.objects.all()
    if asked.source == "room":
        people = people.filter(_of_earlier_room(room, me, asked.earlier, helper=helper))
    elif asked.source:
        people = people.filter(pk__in=_related(me, asked.source))
    elif not helper:
        people = people.filter(Q(pk__in=_related(me, "followers")) | Q(pk__in=_related(me, "following")))
    elif len(asked.words.strip().lstrip("@")) < SHORTEST:
        return people.none()
    return _matching(people, asked.words)


def _matching(people: QuerySet[User], words: str) -> QuerySet[User]:
    """People whose handle begins with the words, or with a word of whose name each of them begins; both by index."""
    typed = NAME.clean_leniently(words).lstrip("@").lower()
    if not typed:
        return people
    beginnings = "".join(letter if letter.isalnum() else " " for letter in typed).split()[:6]
    found = Q(low_handle__startswith=typed) if typed.isascii() else Q(pk=None)
    if beginnings:
        query = SearchQuery(" & ".join(f"{part}:*" for part in beginnings), search_type="raw", config="simple")
        found |= Q(name_words=query)
    return people.annotate(low_handle=Lower("handle"), name_words=SearchVector("display_name", config="simple")).filter(
        found
    )


def _related(me: User, source: str) -> QuerySet[Any, Any]:
    """Primary keys of followers or followed, as this person knows them."""
    return seeming_followers(me.pk) if source == "followers" else seeming_followed(me.pk)


def _of_earlier_room(room: Room, me: User, slug: str, *, helper: bool) -> Q:
    """People of a room that is over, while its copy is kept: those who sat on its stage; for the host of that room also
    those who raised a hand or were invited and came. Raises not_found for rooms of others."""
    earlier = Room.objects.filter(slug=slug, status=Room.Status.ENDED, purged_at=None).first()
    if earlier is None or not helper or earlier.host_id not in (me.pk, room.host_id):
        raise RoomRefused("not_found")
    people = Q(pk__in=Seat.objects.filter(room=earlier).values("user"))
    if earlier.host_id == me.pk:
        people |= Q(pk__in=Hand.objects.filter(room=earlier).values("user"))
        people |= Q(pk__in=Invitation.objects.filter(room=earlier, came_at__isnull=False).values("user"))
    return people


def _states(room: Room, me: User, people: Collection[User], *, helper: bool) -> dict[int, str]:
    """State of each person in this room, as the asker may know it: four queries, two for a guest."""
    own = Invitation.objects.filter(room=room, user__in=people)
    rows = (own.filter(by_helper=True) if helper else own.filter(by=me)).order_by("pk")
    latest = list(rows.values_list("user_id", "state"))
    states = dict(latest) | {pk: state for pk, state in latest if state in STANDING}
    if helper:
        removed = Removal.objects.filter(room=room, user__in=people, undone_at=None, listed=True).values_list(
            "user_id", flat=True
        )
        states |= dict.fromkeys(removed, "removed")
    seated = Seat.objects.filter(room=room, user__in=people, left_at=None).values_list("user_id", flat=True)
    return states | dict.fromkeys([*seated, room.host_id], "on_stage")


def _as_person(user: User, state: str) -> Person:
    return {**face(user), "state": state}
