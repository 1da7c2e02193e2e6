"""A hub in whose rooms sockets write nowhere, and counts of what its rounds ask of Redis and PostgreSQL."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from core import bus
from core.threads import in_thread
from people.models import Session, User
from rooms import tasks
from rooms.live import ticker
from rooms.live.feed import Feed
from rooms.live.hub import Hub
from rooms.live.send_queue import SendQueue
from rooms.models import Hand, Room
from rooms.presence import user_key
from rooms.rules.identity import new_conn, new_key
from tests.support.people import people


class CrowdedHub:
    """A hub that has not subscribed anything, and the sockets in it. Each room has its host and, beyond, listeners:
    every other one is signed in and has a hand up."""

    def __init__(self, rooms: Sequence[Room]) -> None:
        self.hub = Hub()
        self.rooms = rooms
        self.people = 0  # in each room
        self.refused: list[str] = []
        for room in rooms:
            feed = self.hub.feeds[room.pk] = Feed(room.pk, self.hub.spawn)
            feed.last = room.seq
            feed.subscribed.set()

    def fill(self, number: int) -> None:
        """Let each room have so many people."""
        places = range(self.people, number)
        accounts = iter(people(len(self.rooms) * sum(place % 2 for place in places)))
        users: list[tuple[Room, User | None]] = [
            (room, room.host if place == 0 else next(accounts) if place % 2 else None)
            for room in self.rooms
            for place in places
        ]
        Hand.objects.bulk_create(Hand(room=room, user=user) for room, user in users if user not in (None, room.host))
        idents = _signed_in(user for _room, user in users if user is not None)
        for room, user in users:
            self._come(room, user, "" if user is None else idents[user.pk])
        self.people = number

    def _come(self, room: Room, user: User | None, session: str) -> None:
        key, user_pk = (new_key(), None) if user is None else (user_key(user.pk), user.pk)
        send_queue = SendQueue(room.pk, key, new_conn(session), user_pk, lambda: None, self.refused.append)
        send_queue.started = True
        send_queue.sides = frozenset({"host"} if user == room.host else ())  # as its join set them
        self.hub.feeds[room.pk].send_queues.add(send_queue)

    def parts(self) -> dict[str, Callable[[], Awaitable[Any]]]:
        """The work of a round, by name: that of a web process, and the clock's in a worker."""
        return {
            "presence": self.hub.refresh_presence,
            "counts": self._publish_counts,
            "beat": lambda: ticker.beat(self.hub),
            "rights": self.hub.check_all_rights,
            "clock": lambda: in_thread(tasks.sweep),
        }

    async def _publish_counts(self) -> None:
        for feed in self.hub.feeds.values():
            feed.count_due = True
        await self.hub.redis.delete(*(bus.key(f"count:{room.pk}") for room in self.rooms))
        await ticker.publish_counts(self.hub)

    def read(self) -> None:
        """Empty the queues of all sockets, as their writers would."""
        for send_queue in self.hub.sockets:
            send_queue.queue.clear()


def _signed_in(users: Iterable[User]) -> dict[int, str]:
    """Make a session for each account; return their idents by account."""
    over = timezone.now() + timedelta(hours=1)
    sessions = Session.objects.bulk_create(
        Session(session_key=secrets.token_hex(20), session_data="", expire_date=over, user=user) for user in users
    )
    return {int(session.user_id or 0): session.ident for session in sessions}


def redis_commands() -> Counter[str]:
    """How often Redis ran each command so far, within scripts too."""
    found: Any = bus.client().info("commandstats")
    return Counter({name.removeprefix("cmdstat_"): stats["calls"] for name, stats in found.items()} | {"info": 0})


@contextmanager
def statements() -> Generator[list[str]]:
    """Record the statements to PostgreSQL of all threads of this process."""
    said: list[str] = []
    execute = CursorWrapper.execute

    def recording(cursor: CursorWrapper, sql: Any, params: Any = None) -> Any:
        said.append(str(sql))
        return execute(cursor, sql, params)

    CursorWrapper.execute = recording  # type: ignore[assignment, method-assign]
    try:
        yield said
    finally:
        CursorWrapper.execute = execute  # type: ignore[method-assign]
