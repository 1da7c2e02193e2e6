"""A message to a socket whose snapshot is being read comes after that snapshot, whoever asked for it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.test import Client

from people.models import Session, User
from people.standing import standing_of
from rooms import actions
from rooms.live import hub as hubs
from rooms.live import socket
from rooms.live.hub import hub
from rooms.live.socket import RoomSocket
from rooms.models import Room
from rooms.rules.identity import Who, new_conn
from rooms.wire.snapshot import base, compose, encoded, you
from tests.support.people import person
from tests.support.rooms import consented, open_room
from tests.support.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


class Page:
    """A socket of this process, without a server: frames in, and what was sent out."""

    def __init__(self, room: Room, user: User, session: str) -> None:
        self.sent: list[dict[str, Any]] = []
        self.frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        who = replace(Who.of_user(user), session=session)
        self.socket = RoomSocket(self._send, who, room.pk, room.slug, "en", "192.0.2.1", new_conn(session))

    async def serve(self) -> None:
        await self.socket.enter(await run(standing_of)(self.socket.who.user), time.monotonic())
        await self.socket.run(self.frames.get)

    async def _send(self, message: dict[str, Any]) -> None:
        if "text" in message:
            self.sent.append(json.loads(message["text"]))

    def ask(self, verb: str) -> None:
        self.frames.put_nowait({"type": "websocket.receive", "text": json.dumps({"id": 1, "do": verb})})

    def places(self, kind: str) -> list[int]:
        """Where messages of a kind stand in what was sent."""
        return [place for place, message in enumerate(self.sent) if message.get("type") == kind]

    def waiting(self, kind: str) -> bool:
        """Whether a message of a kind waits to be written."""
        return any(json.loads(text).get("type") == kind for text, _seq in self.socket.send_queue.queue)


@asynccontextmanager
async def page(room: Room, user: User) -> AsyncGenerator[Page]:
    """A page of a person that got its first snapshot. Ends with all tasks of its hub."""

    def session() -> str:
        browser = Client()
        browser.force_login(user)
        return Session.objects.get(user=user).ident

    opened = Page(room, user, await run(session)())
    running = asyncio.create_task(opened.serve())
    try:
        await until(lambda: opened.places("snapshot"))
        yield opened
    finally:
        opened.frames.put_nowait({"type": "websocket.disconnect"})
        await running
        made = hub()
        for task in list(made.tasks):
            task.cancel()
        await asyncio.gather(*made.tasks, return_exceptions=True)
        await made.redis.aclose()
        hubs._hubs.clear()


class Reading:
    """The personal part of a snapshot, which is `done` a while before it `may_go` on."""

    def __init__(self) -> None:
        self.done, self.may_go = threading.Event(), threading.Event()

    def __call__(self, row: Room, who: Who) -> Any:
        found = you(row, who)
        self.done.set()
        assert self.may_go.wait(20)
        return found


async def test_a_hand_that_goes_up_while_a_snapshot_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    room: Room = await run(open_room)("host", speak_policy="followed")
    guest = await run(lambda: consented(person("guest"), room))()
    reading = Reading()
    async with page(room, room.host) as host:
        monkeypatch.setattr(socket, "you", reading)
        host.ask("snapshot")
        assert await asyncio.to_thread(reading.done.wait, 20)
        await run(actions.raise_hand)(room.pk, guest)
        await until(lambda: host.waiting("hand_raised") or host.places("hand_raised"))
        reading.may_go.set()
        await until(lambda: len(host.places("snapshot")) == 2 and host.places("hand_raised"))
        assert host.places("hand_raised")[0] > host.places("snapshot")[1], "the page would forget this hand"


async def test_asked_again_while_it_is_read_it_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    room: Room = await run(open_room)("host")
    reading = Reading()
    async with page(room, room.host) as host:
        monkeypatch.setattr(socket, "you", reading)
        host.ask("snapshot")
        assert await asyncio.to_thread(reading.done.wait, 20)
        host.socket.hub.feeds[room.pk].resync()  # as after Redis was away
        reading.may_go.set()
        await until(lambda: len(host.places("snapshot")) == 3)


async def test_who_becomes_co_host_gets_a_snapshot_once_they_hear_the_host_side() -> None:
    room: Room = await run(open_room)("host")
    helper = await run(person)("helper")
    await run(lambda: consented(helper, room))()
    await run(actions.take_seat)(room.pk, helper)
    async with page(room, helper) as opened:
        await run(actions.name_cohost)(room.pk, helper, room.host)
        await until(lambda: len(opened.places("snapshot")) == 2)
        assert opened.socket.send_queue.sides == {"host"}
        part = opened.sent[opened.places("snapshot")[1]]["you"]["parts"]["hands"]
        assert part["queue"] == [] and part["count"] == 0


def test_what_is_encoded_once_for_all_makes_the_whole_snapshot() -> None:
    room = open_room()
    shared = base(room.pk)
    personal = you(shared.row, Who.of_user(room.host))
    sent = json.loads(encoded(shared, personal, 0.4))
    assert sent.pop("retry_within") == 0.4
    whole = json.loads(json.dumps(compose(shared, personal)))
    assert sent | {"now": ""} == whole | {"now": ""} and sent["now"] >= whole["now"][:10]
