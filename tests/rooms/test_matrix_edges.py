"""The permission matrix at the edges: every role asks for every act over the API and over a WebSocket.

What an act changes is taken back before the next: over the API by the transaction, over a WebSocket row by row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.utils import timezone

from core import bus
from people.models import User
from rooms.live.verbs.table import VERBS
from rooms.models import Consent, Hand, HandOver, Invitation, Removal, Room, Seat, ShareLink
from rooms.rules import matrix
from rooms.rules.refusals import TABLE
from social.models import Block, Follow
from tests.support.client import Page, code
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import open_room

JSON = "application/json"


@dataclass(frozen=True)
class Asked:
    """How a client asks for an act: the verb and its values, and the room as it has to be for that. `edge` are codes of
    the edge that differ from the matrix: staff without their admin are people as all others. `signed_out`: over a
    socket it needs no account."""

    verb: str
    values: dict[str, Any] = field(default_factory=dict)
    room: dict[str, Any] = field(default_factory=dict)
    held: bool = False
    aside: bool = False  # the co-host on whom they act is off the stage
    edge: dict[str, str] = field(default_factory=dict)
    signed_out: bool = False


FULL = {"max_speakers": 2}
AT_THE_DOOR = {role: why for role in matrix.ROLES if (why := matrix.at_the_door(role, "anyone")) is not None}
ASKED = {
    "agree to being recorded": Asked("consent", {"version": settings.CONSENT_VERSION}),
    "react": Asked("react", {"kind": "clap"}, signed_out=True),
    "listen unseen, or seen": Asked("listen_unseen", {"unseen": True}),
    "take a free seat": Asked("take_seat"),
    # Who sits already keeps the seat.
    "take a seat on a full stage": Asked("take_seat", room=FULL, edge={"speaker": ""}),
    "raise a hand while the stage is full": Asked("raise_hand", room=FULL),
    "raise a hand while hands are locked": Asked("raise_hand", room={**FULL, "hands_locked": True}),
    "let a hand up": Asked("let_up", {"user": "waiting"}),
    "let up somebody whose hand is not up": Asked("let_up", {"user": "idle"}),
    "decline a hand": Asked("decline_hand", {"user": "waiting"}),
    "open one's microphone": Asked("unmute"),
    "open a microphone that is held off": Asked("unmute", held=True),
    "say how good one's connection is": Asked("quality", {"level": "weak"}),
    "mute a speaker": Asked("mute", {"user": "sam"}),
    "mute a co-host": Asked("mute", {"user": "cora"}),
    "mute the host": Asked("mute", {"user": "host"}, edge={"host": ""}),  # oneself
    "hold a speaker's mute, or ask to unmute": Asked("hold_mute", {"user": "sam"}),
    "take a speaker off the stage": Asked("unseat", {"user": "sam"}),
    "take a listener off the stage": Asked("unseat", {"user": "idle"}),
    "remove a listener": Asked("remove", {"user": "idle"}),
    "remove a speaker": Asked("remove", {"user": "sam"}),
    "remove a co-host": Asked("remove", {"user": "cora"}),
    "remove the host": Asked("remove", {"user": "host"}),
    "undo a removal": Asked("undo_removal", {"user": "removed"}),
    "lock hands": Asked("lock_hands", {"locked": True}),
    "set the speak policy": Asked("set_speak_policy", {"policy": "followed"}),
    "invite to speak; make a personal link": Asked("invite", {"users": ["idle"], "kind": "speak"}),
    "invite somebody who declined": Asked("invite", {"users": ["decliner"], "kind": "speak"}),
    "invite somebody who was removed": Asked("invite", {"users": ["removed"], "kind": "speak"}),
    "invite to listen; share a link": Asked("share_link"),
    "invite a stranger to listen": Asked("invite", {"users": ["idle"], "kind": "listen"}),
    # There is none with this key.
    "take an invitation or personal link back": Asked(
        "revoke_invitation", {"invitation": 2**40}, edge={"host": "unknown_invitation", "co-host": "unknown_invitation"}
    ),
    "accept an invitation to speak": Asked("accept_invitation"),
    "decline an invitation to speak": Asked("decline_invitation"),
    "set captions of the room, or its language": Asked("set_captions", {"on": False}),
    "have one's own words captioned, or not": Asked("own_captions", {"off": True}),
    "have somebody else's words captioned, or not": Asked("own_captions", {"off": False, "user": "sam"}),
    "set the entry policy": Asked("set_entry_policy", {"policy": "signed_in"}, edge={"staff": "not_host"}),
    "name a co-host": Asked("name_cohost", {"user": "sam"}, aside=True),
    "name a third co-host": Asked("name_cohost", {"user": "sam"}),
    "demote a co-host": Asked("demote", {"user": "cora"}),
    "hand the room over": Asked("hand_over", {"user": "cora"}),
    "hand the room to a speaker": Asked("hand_over", {"user": "sam"}),
    # The API asks for the right to be in the room before any act.
    "end the room": Asked("end", edge={"staff": "not_host", **AT_THE_DOOR}),
}
# Asked in other ways: by opening the page, with a name that the API does not take, and before the room opens
# (test_prepared.py).
ELSEWHERE = {
    *("enter", "open somebody's microphone", "read the names of listeners"),
    *("change or open a prepared room", "cancel a prepared room"),
    "listen in as staff",  # tests/rooms/test_staff_listening.py
    # tests/pages/test_room_clips.py: clips are no verbs, as they have a page and an address of their own
    *("clip the last minute", "clip the last minute while clips are off", "switch clips off"),
}
# Over a WebSocket these are last: one ends that of the anonymous listener, and what has ended is not live again.
LAST = ("set the entry policy", "end the room")
KEPT = (Seat, Hand, Invitation, ShareLink, Removal, HandOver, Consent)


class Company:
    """A live room with somebody of each role, and people on whom they act.

    Its co-host `asks` beside `cora`, on whom they act; nobody acts on oneself.
    """

    def __init__(self) -> None:
        self.room = open_room()
        self.users: dict[str, User | None] = {"anonymous": None, "host": self.room.host}
        names = ("idle", "waiting", "sam", "cora", "decliner")
        people = {name: person(name, messages_from="everyone") for name in names}
        for role in matrix.ROLES:
            if role not in self.users:
                self.users[role] = people[role] = person(role.replace(" ", "_").replace("-", "_"))
        for user in (self.room.host, *people.values()):
            Consent.objects.create(room=self.room, user=user, text_version=settings.CONSENT_VERSION)
        self._relate(people)

    def _relate(self, people: dict[str, User]) -> None:
        room, host = self.room, self.room.host
        for name, role, place in (("sam", "speaker", 1), ("speaker", "speaker", 2), ("cora", "cohost", 11)):
            Seat.objects.create(room=room, user=people[name], role=role, place=place)
        asking = next(role for role in matrix.ROLES if matrix.ROLES[role].role == "cohost")
        Seat.objects.create(room=room, user=people[asking], role="cohost", place=12)
        Hand.objects.create(room=room, user=people["waiting"])
        Follow.objects.create(follower=people["follower"], followed=host)
        Follow.objects.create(follower=host, followed=people["followed"])
        by_host: dict[str, Any] = {
            "room": room,
            "by": host,
            "by_helper": True,
            "kind": "speak",
            "came_at": timezone.now(),
        }
        Invitation.objects.create(user=people["invited"], **by_host)
        Invitation.objects.create(user=people["decliner"], state="declined", answered_at=timezone.now(), **by_host)
        Removal.objects.create(room=room, user=people["removed"], by=host)
        HandOver.objects.create(room=room, former=people["former host"], to=host, reason="given")
        Block.objects.create(blocker=host, blocked=people["blocked"])
        Block.objects.create(blocker=people["blocks the host"], blocked=host)
        User.objects.filter(pk=people["closed account"].pk).update(is_active=False)

    def prepare(self, asked: Asked) -> None:
        """Make the room as the act wants it."""
        Room.objects.filter(pk=self.room.pk).update(**{"max_speakers": 10, "hands_locked": False, **asked.room})
        Seat.objects.filter(room=self.room).update(mute_held=asked.held, muted=True)
        left = (
            {"left_at": timezone.now(), "left_reason": "left"} if asked.aside else {"left_at": None, "left_reason": ""}
        )
        Seat.objects.filter(room=self.room, user__handle="cora").update(**left)


def wanted(act: str, role: str, *, by_socket: bool = False) -> str:
    """The code at an edge; "" for yes. Closed accounts are signed out everywhere."""
    if by_socket and role == "anonymous" and ASKED[act].signed_out:
        return ""
    if role in ("anonymous", "closed account"):
        return "not_signed_in"
    if role in (edge := ASKED[act].edge):
        return edge[role]
    return matrix.expected(act, role, "live", "anyone", "everyone") or ""


@contextmanager
def undone() -> Iterator[None]:
    """Take back what happens inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def of_line(answer: dict[str, Any]) -> str:
    """The code of the only line of a list; "" for yes, and for acts that take no list."""
    result: str = answer.get("results", [{"result": "invited"}])[0]["result"]
    return "" if result == "invited" else result


def over_the_api(company: Company, client: Client, asked: Asked) -> str:
    rest = VERBS[asked.verb].rest
    assert rest is not None
    address = f"/api/v1/rooms/{company.room.slug}/{rest.path}/"
    answer = getattr(client, rest.method)(address, asked.values, JSON)
    if answer.status_code < 300:
        return of_line(answer.json())
    given = answer.json()["error"]["code"]
    assert answer.status_code == TABLE[given].status, given
    return str(given)


def test_the_table_of_acts_is_whole() -> None:
    assert set(ASKED) | ELSEWHERE == set(matrix.ACTS) and not set(ASKED) & ELSEWHERE
    by_others = {
        "mute_all",
        "set_language",
        "lift_mute",
        "ask_unmute",
        "leave_seat",
        "lower_hand",
        "speak_claim",
        "speak_stop",
        "leave",
        "make_link",
        "revoke_link",
    }
    of_rooms = {name for name, verb in VERBS.items() if verb.lane == "room"} - {"snapshot", "ping"}
    assert of_rooms - by_others == {asked.verb for asked in ASKED.values()}


@pytest.mark.django_db
def test_every_role_asks_for_every_act_over_the_api() -> None:
    company = Company()
    clients: dict[str, Client] = {}
    for role, user in company.users.items():
        clients[role] = Client()
        if user is not None:
            clients[role].force_login(user)
    wrong, codes, calls = [], set(), 0
    for act, asked in ASKED.items():
        bus.client().flushdb()  # nobody is too fast
        with undone():
            company.prepare(asked)
            for role, client in clients.items():
                with undone():
                    given = over_the_api(company, client, asked)
                calls += 1
                codes.add(given)
                if given != wanted(act, role):
                    wrong.append((act, role, given, wanted(act, role)))
    assert not wrong
    assert calls == len(ASKED) * len(matrix.ROLES)
    refusals = {"not_signed_in", "not_host", "not_allowed", "you_blocked_host", "stage_full", "hands_locked", "no_hand"}
    assert codes >= {"", *refusals, "on_stage_already", "not_on_stage", "mute_held", "cohosts_full", "not_a_cohost"}


@pytest.mark.django_db
@pytest.mark.parametrize("entry", matrix.ENTRY)
def test_every_role_comes_in_as_the_entry_policy_says(entry: str) -> None:
    company = Company()
    Room.objects.filter(pk=company.room.pk).update(entry_policy=entry)
    for role, user in company.users.items():
        client = Client()
        if user is not None:
            client.force_login(user)
        answer = client.get(f"/api/v1/rooms/{company.room.slug}/")
        given = "" if answer.status_code == 200 else answer.json()["error"]["code"]
        signed_out = role == "closed account"
        assert given == (matrix.at_the_door("anonymous" if signed_out else role, entry) or ""), role
        # Nobody is shown a room that they may not enter, and everybody is shown those that they may.
        listed = [row["room"]["slug"] for row in client.get("/api/v1/rooms/").json()["rooms"]]
        live = client.get(f"/api/v1/people/{company.room.host.handle}/").json()["live"]
        address = company.room.get_absolute_url()
        assert (listed, live) == ((([company.room.slug], address)) if given == "" else ([], "")), role
        assert (address in client.get("/").content.decode()) == (given == ""), role


class State:
    """A room and the rows that belong to it, but for its log, to which everything only adds."""

    def __init__(self, room: Room) -> None:
        self.room = room
        row = Room.objects.filter(pk=room.pk).values().get()
        self.row = {name: value for name, value in row.items() if name != "seq"}
        self.rows: dict[type[Any], list[Any]] = {
            model: list(model._default_manager.filter(room=room).order_by("pk")) for model in KEPT
        }

    def values(self) -> list[Any]:
        """Everything in it, to be compared."""
        rows = [{name: getattr(row, name) for name in _columns(row)} for rows in self.rows.values() for row in rows]
        return [self.row, *rows]

    def restore(self) -> None:
        with transaction.atomic():
            for model, rows in self.rows.items():
                model._default_manager.filter(room=self.room).delete()
                model._default_manager.bulk_create(rows)
            Room.objects.filter(pk=self.room.pk).update(**self.row)


def _columns(row: Any) -> list[str]:
    return [field.attname for field in row._meta.concrete_fields]


@pytest.mark.django_db(transaction=True)
def test_every_role_asks_for_every_act_over_a_socket(web: Site) -> None:
    company = Company()
    roles = [role for role in matrix.ROLES if matrix.at_the_door(role, "anyone") is None]
    allowed = asyncio.run(_ask_by_socket(company, roles))
    # Those who are refused at the door have no socket: theirs are the tests of the door.
    assert set(allowed) == {(act, role) for act in ASKED for role in roles if not wanted(act, role, by_socket=True)}
    assert len(allowed) > 50 and len(ASKED) * len(roles) > 250


async def _ask_by_socket(company: Company, roles: list[str]) -> list[tuple[str, str]]:
    """Ask for every act as every role, first as those who are refused, as the host at last; returns what was allowed.

    Of those who are refused nothing may come: nothing is taken back in between, so one look at the room is enough.
    """
    pages: dict[str, Page] = {}
    allowed: list[tuple[str, str]] = []

    async def said(act: str, role: str) -> str:
        if role not in pages:
            pages[role] = await Page(company.room, company.users[role]).__aenter__()
        answer = await pages[role].ask(ASKED[act].verb, **ASKED[act].values)
        return of_line(answer) or code(answer)

    try:
        for act in sorted(ASKED, key=lambda act: LAST.index(act) + 1 if act in LAST else 0):
            await run(company.prepare)(ASKED[act])
            await run(bus.client().flushdb)()
            before = await run(State)(company.room)
            refusals = {role: why for role in roles if (why := wanted(act, role, by_socket=True))}
            if act == LAST[-1]:
                await pages.pop("anonymous").__aexit__(None, None, None)
            assert {role: await said(act, role) for role in refusals} == refusals, act
            assert (await run(State)(company.room)).values() == before.values(), (act, list(refusals))
            for role in sorted((role for role in roles if role not in refusals), key=lambda role: role == "host"):
                assert await said(act, role) == "ok", (act, role)
                allowed.append((act, role))
                if act != LAST[-1]:
                    await run(before.restore)()
    finally:
        for page in pages.values():
            await page.__aexit__(None, None, None)
    return allowed
