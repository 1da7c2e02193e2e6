"""The hub on real Redis and PostgreSQL: in order, nothing missing, nothing twice, whatever was lost on the way."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from channels.db import database_sync_to_async as run

from core import bus, loops
from people.channels import person_channel
from rooms import actions, channels, presence
from rooms.live import hub as module
from rooms.live import ticker
from rooms.live.feed import Feed
from rooms.live.hub import Hub
from rooms.live.send_queue import LIMIT, SendQueue
from rooms.models import Room, RoomEvent
from rooms.wire.sides import tell
from tests.support.people import person
from tests.support.rooms import consented, open_room
from tests.support.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
WITHIN = 20.0


class Ear:
    """A socket's end in the hub, without the socket: what would be written to it."""

    def __init__(self, hub: Hub, who: str = "a:ear", conn: str = "ear", user_pk: int | None = None) -> None:
        self.hub = hub
        self.send_queue = SendQueue(0, who, conn, user_pk, lambda: None, lambda code: None)
        self.heard: list[dict[str, Any]] = []
        self.snapshots = 0
        self.feed: Feed

    async def join(self, room: Room) -> Ear:
        self.feed = await self.hub.join(room.pk, self.send_queue)
        await self.start()
        return self

    async def start(self) -> None:
        base = await self.feed.base()
        self.send_queue.snapshot(json.dumps({"type": "snapshot", "seq": base.seq}), base.seq)

    async def until(self, done: Any, within: float = WITHIN) -> None:
        """Take what comes until `done`."""
        async with asyncio.timeout(within):
            while not done():
                if self.send_queue.needs_snapshot:
                    self.send_queue.needs_snapshot = False
                    self.snapshots += 1
                    await self.start()
                while (text := self.send_queue.take()) is not None:
                    self.heard.append(json.loads(text))
                if not done():
                    await asyncio.sleep(0.01)

    @property
    def seqs(self) -> list[int]:
        return [message["seq"] for message in self.heard if "data" in message]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.heard if message["type"] == kind]


@pytest.fixture
async def hub() -> AsyncGenerator[Hub]:
    made = Hub()
    yield made
    await close(made)


async def close(hub: Hub) -> None:
    for task in list(hub.tasks):
        task.cancel()
    await asyncio.gather(*hub.tasks, return_exceptions=True)
    await hub.redis.aclose()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Nothing is published by itself: the test does, in the order it likes, or not at all."""
    kept: list[tuple[str, str]] = []
    monkeypatch.setattr(bus, "publish", lambda channel, text: kept.append((channel, text)))
    return kept


async def five_events(room: Room) -> None:
    for _ in range(5):
        await run(actions.host_lost)(room.pk, room.started_at)
        await run(actions.host_back)(room.pk)


async def say(hub: Hub, messages: list[tuple[str, str]]) -> None:
    for channel, text in messages:
        await hub.redis.publish(channel, text)


@pytest.mark.parametrize("order", [[1, 0], [4, 3, 2, 1, 0], [0, 2, 1, 4, 3], [2, 2, 0, 0, 1, 1]])
async def test_events_that_overtake_each_other(
    hub: Hub, held: list[tuple[str, str]], order: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two transactions publish after their commits, in either order; and twice is once."""
    monkeypatch.setattr("rooms.live.feed.PATIENCE", 60.0)  # the log is not read meanwhile, however slow this machine is
    monkeypatch.setattr("rooms.live.ticker.TICK", 60.0)  # nor after a beat
    room = await run(open_room)()
    held.clear()
    ear = await Ear(hub).join(room)
    await five_events(room)
    await say(hub, [held[n] for n in order])
    last = 3 + max(order)
    await ear.until(lambda: last in ear.seqs)
    assert ear.seqs == list(range(3, last + 1))


async def test_an_event_that_was_never_published(hub: Hub, held: list[tuple[str, str]]) -> None:
    room = await run(open_room)()
    held.clear()
    ear = await Ear(hub).join(room)
    await five_events(room)
    await say(hub, [held[0], held[1], held[4]])
    await ear.until(lambda: 7 in ear.seqs)
    assert ear.seqs == [3, 4, 5, 6, 7] or ear.seqs == list(range(3, 13)), "read from the log"


async def test_the_last_event_was_never_published(hub: Hub, held: list[tuple[str, str]]) -> None:
    """Nothing comes after it that would show the gap: the beat does."""
    room = await run(open_room)()
    ear = await Ear(hub).join(room)
    await five_events(room)
    await ticker.beat(hub)
    await ear.until(lambda: 12 in ear.seqs)
    assert ear.seqs == list(range(3, 13))
    await ticker.beat(hub)
    await ear.until(lambda: ear.of_type("beat") and ear.of_type("beat")[-1]["seq"] == 12)


async def test_a_socket_that_joins_in_the_middle_of_it(hub: Hub) -> None:
    """Whenever it comes, its snapshot and what follows make one sequence."""
    room = await run(open_room)()
    first = await Ear(hub).join(room)
    late: list[Ear] = []

    async def join_now_and_then() -> None:
        for n in range(8):
            late.append(await Ear(hub, conn=f"late{n}").join(room))
            await asyncio.sleep(0.01)

    await asyncio.gather(five_events(room), join_now_and_then())
    for ear in (first, *late):
        await ear.until(lambda ear=ear: ear.heard and ear.heard[-1]["seq"] == 12)
        start = ear.heard[0]["seq"]
        assert ear.heard[0]["type"] == "snapshot"
        assert ear.seqs == list(range(start + 1, 13))


async def test_a_long_absence_costs_a_snapshot_not_the_log(hub: Hub, held: list[Any], monkeypatch: Any) -> None:
    monkeypatch.setattr("rooms.live.feed.MOST_MISSED", 4)
    room = await run(open_room)()
    ear = await Ear(hub).join(room)
    await five_events(room)
    await ticker.beat(hub)
    await ear.until(lambda: ear.snapshots == 1 and ear.send_queue.seq == 12)
    assert ear.seqs == []


async def test_personal_matters_reach_that_person_alone(hub: Hub) -> None:
    room = await run(open_room)()
    guest = await run(lambda: consented(person("guest"), room))()
    mine = await Ear(hub, f"u:{guest.pk}", "mine", guest.pk).join(room)
    other = await Ear(hub, f"u:{room.host_id}", "other", room.host_id).join(room)
    await run(actions.take_seat)(room.pk, guest)
    await run(actions.unseat)(room.pk, guest, room.host)
    await mine.until(lambda: mine.of_type("you_unseated"))
    await other.until(lambda: 4 in other.seqs)
    assert not other.of_type("you_unseated")
    assert not await run(RoomEvent.objects.filter(room=room, type="you_unseated").exists)()


async def test_one_subscription_a_room_however_many_sockets(hub: Hub) -> None:
    room = await run(open_room)()
    ears = [await Ear(hub, f"a:{n}", str(n)).join(room) for n in range(50)]
    channel = channels.room_channel(room.pk)
    assert dict(await hub.redis.pubsub_numsub(channel))[channel] == 1
    await five_events(room)
    for ear in ears:
        await ear.until(lambda ear=ear: 12 in ear.seqs)
        await hub.leave(ear.feed, ear.send_queue)
    ears[0].feed.empty_since -= module.LINGER + 1
    await hub.drop_idle()
    assert not hub.feeds

    async def unsubscribed() -> bool:
        return not dict(await hub.redis.pubsub_numsub(channel))[channel]

    await until(unsubscribed)


async def test_counts_are_coalesced_over_processes(hub: Hub) -> None:
    """Sixty people come within three seconds to two processes: a few counts, the last one right."""
    room = await run(open_room)()
    second = Hub()
    ears = [await Ear(hub).join(room), await Ear(second).join(room)]
    for feed in (ears[0].feed, ears[1].feed):
        feed.count_due = True
    started = time.monotonic()
    for n in range(60):
        one = (hub, second)[n % 2]
        if await presence.enter(one.redis, room.pk, [(f"a:{n}", "page")]):
            one.feeds[room.pk].count_due = True
        await asyncio.sleep(0.05)
    await ears[0].until(lambda: any(m["listening"] >= 60 for m in ears[0].of_type("count")))
    seconds = time.monotonic() - started
    counts = ears[0].of_type("count")
    assert len(counts) <= seconds + 1, f"{len(counts)} counts in {seconds:.1f} s"
    await close(second)


async def test_speakers_are_not_listeners(hub: Hub) -> None:
    room = await run(open_room)()
    await presence.enter(hub.redis, room.pk, [(f"u:{room.host_id}", "page"), ("a:x", "page"), ("a:y", "page")])
    assert await ticker.counts(hub, [room.pk]) == {room.pk: 2}


def test_a_queue_that_is_full_drops_the_socket() -> None:
    dropped = []
    send_queue = SendQueue(0, "a:slow", "conn", None, lambda: dropped.append(1), lambda code: None)
    send_queue.snapshot("{}", 0)
    for n in range(LIMIT + 10):
        send_queue.put(str(n))
    assert dropped == [1] and send_queue.take() is None


def test_nothing_leaves_before_the_snapshot_and_nothing_that_is_in_it() -> None:
    send_queue = SendQueue(0, "a:x", "conn", None, lambda: None, lambda code: None)
    send_queue.put("five", 5)
    send_queue.put("six", 6)
    send_queue.put("lossy")
    send_queue.snapshot("the snapshot", 5)
    assert [send_queue.take() for _ in range(4)] == ["the snapshot", "six", "lossy", None]
    send_queue.put("six again", 6)
    assert send_queue.take() is None


POISON = (
    b"not json",
    b"\xff\xfe",
    b"[]",
    b"7",
    b"null",
    b"{}",
    b'{"type":7}',
    b'{"type":"unheard_of"}',
    b'{"type":"unheard_of","seq":3,"at":1,"data":{}}',
    b'{"type":"host_lost"}',
    b'{"type":"host_lost","seq":"3","at":1,"data":{}}',
    b'{"type":"host_lost","seq":true,"at":1,"data":{}}',
    b'{"type":"host_lost","seq":3}',
    b'{"type":"host_lost","seq":' + b"9" * 400 + b',"at":1,"data":{}}',
    b"[" * 100_000,
    b'{"type":"count","listening":"' + b"x" * 5_000_000 + b'"}',
)


async def test_nonsense_on_any_channel_harms_nobody(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    """After any published message, later events arrive in order over the same connection to Redis."""
    caplog.set_level(logging.ERROR)
    room = await run(open_room)()
    ear = await Ear(hub, user_pk=room.host_id).join(room)
    named = channels.room_channel(room.pk), person_channel(room.host_id), channels.hubs_channel()
    for channel in named:
        for poison in POISON:
            await hub.redis.publish(channel, poison)
    await run(actions.host_lost)(room.pk, room.started_at)
    await run(actions.host_back)(room.pk)
    await run(tell)(room.host_id, {"type": "mic_lost", "room": room.slug})
    await ear.until(lambda: ear.of_type("mic_lost") and 4 in ear.seqs)
    assert ear.seqs == [3, 4] and ear.snapshots == 0
    assert {message["type"] for message in ear.heard} <= {
        "host_lost",
        "host_back",
        "mic_lost",
        "count",
        "beat",
        "snapshot",
    }
    assert "hub-listen: a message on" in caplog.text and "Traceback" in caplog.text
    failing = await run(loops.failing)()
    assert any(told.startswith("hub-listen (") for told in failing), "operators see it"


async def test_a_listener_that_dies_is_started_again_and_nothing_is_missed(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By an error that nobody foresaw, and that is not Redis'."""
    room = await run(open_room)()
    ear = await Ear(hub).join(room)
    channels, bombs = Hub._channels, [ZeroDivisionError("a bomb")]

    def explode(self: Hub) -> list[str]:
        if bombs:
            raise bombs.pop()
        return channels(self)

    monkeypatch.setattr(Hub, "_channels", explode)
    await hub.redis.client_kill_filter(_type="pubsub")
    await run(actions.host_lost)(room.pk, room.started_at)
    await ear.until(lambda: ear.snapshots > 0, 30)
    await run(actions.host_back)(room.pk)
    await ear.until(lambda: 4 in ear.seqs, 30)
    assert not bombs and "hub-listen failed and starts again" in caplog.text
    assert any("ZeroDivisionError" in told for told in await run(loops.failing)())


async def test_something_else_under_a_room_s_keys_stops_no_other_room(hub: Hub) -> None:
    rooms = [await run(open_room)(name) for name in ("one", "two")]
    ears = [await Ear(hub, conn=f"ear{number}").join(room) for number, room in enumerate(rooms)]
    await hub.redis.set(bus.key(f"presence:{rooms[0].pk}"), "not ours")
    for ear in ears:
        ear.feed.count_due = True
    await ears[1].until(lambda: ears[1].of_type("count"))


async def test_a_room_that_comes_while_the_hub_subscribes_is_heard(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not among the channels that are asked for, and cannot ask for its own yet."""
    room = await run(open_room)()
    channels, joining = Hub._channels, list[asyncio.Task[Ear]]()

    def late(self: Hub) -> list[str]:
        asked = channels(self)
        if not joining:
            joining.append(asyncio.create_task(Ear(hub).join(room)))
        return asked

    monkeypatch.setattr(Hub, "_channels", late)
    hub.start()
    await until(lambda: joining)
    assert (await joining[0]).feed.subscribed.is_set()
