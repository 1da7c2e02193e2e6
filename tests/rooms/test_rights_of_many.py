"""The net under all rights: what changed and was told to nobody is found in one round, of each socket by itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from channels.db import database_sync_to_async as run
from django.utils import timezone

from people.channels import person_channel
from people.models import Sanction, Session, User
from people.sessions import stored_key
from rooms.live.feed import Feed
from rooms.live.hub import Hub
from rooms.live.send_queue import NO_ROOM, SendQueue
from rooms.models import Removal, RemovedListener, Room, Seat
from rooms.presence import user_key
from rooms.rules.identity import listener_mac, new_conn
from social.models import Block, Follow
from tests.support.cohosts import with_cohosts
from tests.support.people import person, session_cookie
from tests.support.rooms import open_room
from tests.support.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


class Sockets:
    """A hub that hears nothing, and sockets in it by name, with the code for which each was refused."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.refused: dict[str, str] = {}
        self.by_name: dict[str, SendQueue] = {}
        self.sides: list[str] = []  # whose sides were set
        set_sides = hub.set_sides

        async def noting(send_queue: SendQueue, sides: frozenset[str]) -> None:
            self.sides += [name for name, one in self.by_name.items() if one is send_queue]
            await set_sides(send_queue, sides)

        hub.set_sides = noting  # type: ignore[method-assign]

    def add(self, name: str, room: Room | None, user: User | None, session: str = "") -> None:
        key, user_pk = (f"a:{name}", None) if user is None else (user_key(user.pk), user.pk)
        room_pk = NO_ROOM if room is None else room.pk

        def refuse(code: str) -> None:
            self.refused[name] = code

        send_queue = SendQueue(room_pk, key, new_conn(session), user_pk, lambda: None, refuse)
        self.by_name[name] = send_queue
        if room is None:
            self.hub.pages.add(send_queue)
        else:
            feed = self.hub.feeds.setdefault(room.pk, Feed(room.pk, self.hub.spawn))
            feed.subscribed.set()
            feed.send_queues.add(send_queue)

    def come(self, name: str, room: Room | None, user: User) -> str:
        """Add a socket of an account with a session of its own; return that session's name."""
        key = session_cookie(user).partition("=")[2]
        session = Session.objects.get(session_key=stored_key(key)).ident
        self.add(name, room, user, session)
        return session


@pytest.fixture
async def sockets() -> AsyncGenerator[Sockets]:
    hub = Hub()
    yield Sockets(hub)
    await hub.redis.aclose()


def a_crowd(sockets: Sockets) -> tuple[Room, Room, dict[str, User], dict[str, str]]:
    room, (helper,) = with_cohosts("helper")
    few = open_room("few", entry_policy="followers")
    of_few = ("fan", "left", "sits")
    names = ("stays", "removed", "blocked", "blocks", "suspended", "closed", "gone", *of_few)
    users = {name: person(name) for name in names} | {"helper": helper, "host": room.host}
    Seat.objects.create(room=few, user=users["sits"], place=1, role="speaker")
    for name in of_few:
        Follow.objects.create(follower=users[name], followed=few.host)
    sessions = {name: sockets.come(name, few if name in of_few else room, user) for name, user in users.items()}
    sessions |= {f"other {name}": sockets.come(f"other {name}", room, users[name]) for name in ("stays", "gone")}
    sessions["page"] = sockets.come("page", None, users["gone"])
    for name in ("nobody", "knew", "knew not"):
        sockets.add(name, room, None)
    return room, few, users, sessions


def change(room: Room, few: Room, users: dict[str, User], sessions: dict[str, str]) -> None:
    """Change rows, as other processes do, and tell nobody."""
    removal = Removal.objects.create(room=room, user=users["removed"], by=room.host)
    RemovedListener.objects.create(removal=removal, mac=listener_mac(room.pk, "a:knew"))
    Block.objects.create(blocker=room.host, blocked=users["blocked"])
    Block.objects.create(blocker=users["blocks"], blocked=room.host)
    Sanction.objects.create(user=users["suspended"], kind=Sanction.Kind.SUSPENDED, why="of the test")
    User.objects.filter(pk=users["closed"].pk).update(is_active=False)
    Session.objects.filter(ident__in=[sessions["gone"], sessions["page"]]).delete()
    Follow.objects.filter(follower__in=[users["left"], users["sits"]]).delete()
    Seat.objects.filter(user=users["helper"]).update(left_at=timezone.now(), left_reason="left")


async def test_all_that_changed_unheard_is_found_in_one_round(sockets: Sockets) -> None:
    crowd = await run(a_crowd)(sockets)
    await sockets.hub.check_all_rights()
    assert not sockets.refused and sorted(sockets.sides) == ["helper", "host"]
    sockets.sides.clear()
    await sockets.hub.check_all_rights()
    assert not sockets.refused and not sockets.sides, "nothing is set anew where nothing changed"
    await run(change)(*crowd)
    await sockets.hub.check_all_rights()
    assert sockets.refused == {
        "removed": "not_allowed",
        "knew": "not_allowed",
        "blocked": "not_allowed",
        "blocks": "you_blocked_host",
        "suspended": "account_suspended",
        "closed": "account_closed",
        "gone": "signed_out",
        "page": "signed_out",
        "left": "not_allowed",
    }
    assert sockets.sides == ["helper"] and sockets.by_name["helper"].sides == frozenset()


async def test_a_policy_that_is_tightened_unheard_puts_out_who_is_signed_out(sockets: Sockets) -> None:
    room, _few, _users, _sessions = await run(a_crowd)(sockets)
    await sockets.hub.check_all_rights()
    await run(Room.objects.filter(pk=room.pk).update)(entry_policy="signed_in")
    await sockets.hub.check_all_rights()
    assert sockets.refused == dict.fromkeys(("nobody", "knew", "knew not"), "not_signed_in")


async def test_two_pages_of_a_person_share_a_channel_until_the_last_left(sockets: Sockets) -> None:
    room, user = await run(open_room)(), await run(person)("guest")
    hub = sockets.hub
    hub.start()
    for name in ("one", "two"):
        await run(sockets.add)(name, room, user)
    feeds = [await hub.join(room.pk, one) for one in sockets.by_name.values()]

    async def is_heard() -> bool:
        return bool(dict(await hub.redis.pubsub_numsub(person_channel(user.pk)))[person_channel(user.pk)])

    async def is_not_heard() -> bool:
        return not await is_heard()

    await until(is_heard)
    one, two = sockets.by_name.values()
    await hub.leave(feeds[0], one)
    assert await is_heard() and hub.people[user.pk] == {two}
    await hub.leave(feeds[1], two)
    await until(is_not_heard)
    assert not hub.people and not hub.person_subscribed
    for task in list(hub.tasks):
        task.cancel()
