"""Reactions: who may react and how often, one message a tick to everybody, and what the page makes of it."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.test import Client
from websockets.exceptions import ConnectionClosed

from core import bus
from core.throttle import bucket
from rooms import actions, channels, reactions
from rooms.live import feed as feeds
from rooms.live.hub import Hub
from rooms.live.ticker import publish_reactions
from rooms.models import Room, RoomEvent
from rooms.rules import limits
from rooms.rules.identity import Who
from rooms.rules.reactions import KINDS, has_tone, second_of
from tests.support.client import Page, code
from tests.support.people import api_client, person
from tests.support.processes import Site
from tests.support.races import refused
from tests.support.reactions import pace_over, total, written
from tests.support.rooms import open_room
from tests.support.waiting import until

JSON = "application/json"


# --- rules ------------------------------------------------------------------------------------------------------------


def test_hands_have_skin_tones_and_nothing_else_has() -> None:
    assert {kind for kind in KINDS if has_tone(kind, 5)} == {"clap", "thumbs_up", "high_five", "wave"}
    assert all(has_tone(kind, 0) for kind in KINDS)
    assert not any(has_tone(kind, tone) for kind in KINDS for tone in (-1, 6, 60))
    assert {"👏", "✋", "💯", "👍", "❤️", "😂"} < {about.emoji for about in KINDS.values()}


def test_a_reaction_belongs_to_the_second_that_was_heard() -> None:
    assert [second_of(90_999, behind) for behind in (0, 1, 15, 60, 61, 10**9, -5)] == [90, 89, 75, 30, 30, 30, 90]
    assert second_of(3_000, 20) == 0


# --- who and how ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_over_the_api() -> None:
    room = open_room()
    ada, removed = person("ada"), person("removed")
    actions.remove_person(room.pk, removed, by=room.host)
    at = f"/api/v1/rooms/{room.slug}/reactions/"
    program = api_client(ada)
    answer = program.post(at, {"kind": "clap", "tone": 3, "behind": 10**6}, JSON)
    assert (answer.status_code, answer.json()) == (200, {"counted": True})
    wrong: list[dict[str, Any]] = [
        *({}, {"kind": "boo"}, {"kind": None}, {"kind": ["clap"]}, {"kind": "heart", "tone": 1}),
        *({"kind": "clap", "tone": 6}, {"kind": "clap", "tone": -1}, {"kind": "clap", "tone": "light"}),
        *({"kind": "clap", "behind": "late"}, {"kind": "clap", "behind": -1}),
    ]
    cheat = api_client(person("cheat"))
    assert [cheat.post(at, values, JSON).status_code for values in wrong] == [400] * limits.REACTIONS.burst
    assert Client().post(at, {"kind": "clap"}, JSON).status_code == 401
    assert api_client(removed).post(at, {"kind": "clap"}, JSON).json()["error"]["code"] == "not_allowed"
    assert program.post(at, {"kind": "fire"}, JSON).status_code == 200
    used_up(f"react:u:{ada.pk}")
    assert program.post(at, {"kind": "fire"}, JSON).status_code == 429
    actions.end_room(room.pk, room.host)
    room.refresh_from_db()
    assert api_client(person("late")).post(at, {"kind": "clap"}, JSON).json()["error"]["code"] == "room_ended"
    assert refused(actions.react, room, Who.of_user(ada), "clap") == "room_ended"
    written(room)
    assert total(room) == 2


@pytest.mark.django_db(transaction=True)
async def test_everybody_hears_one_message_a_tick_and_no_name(web: Site) -> None:
    room: Room = await run(open_room)()
    ada, bert = await run(person)("ada"), await run(person)("bert")
    before = await run(RoomEvent.objects.filter(room=room).count)()
    async with Page(room, room.host) as host, Page(room, ada) as page, Page(room, bert) as other, Page(room) as nobody:
        pages = (host, page, other, nobody)
        for one in pages:
            await one.wait_for("snapshot")
        began = asyncio.get_running_loop().time()
        for _round in range(3):
            for one in pages:
                assert await one.ask("react", kind="clap", tone=2) == {"re": one.number, "ok": True}
            await asyncio.sleep(0.4)
        assert code(await nobody.ask("react", kind="heart")) == "ok"

        def heard(one: Page) -> dict[str, Any]:
            sums: dict[str, Any] = Counter()
            for message in one.of_type("reactions"):
                assert set(message) == {"type", "counts"}
                for kind, tones in message["counts"].items():
                    for tone, many in tones.items():
                        sums[f"{kind}:{tone}"] += many
            return dict(sums)

        for one in pages:
            await until(lambda one=one: heard(one) == {"clap:2": 12, "heart:0": 1}, what="all reactions")  # type: ignore[misc]
        seconds = asyncio.get_running_loop().time() - began
        for one in pages:
            assert len(one.of_type("reactions")) <= 1 + seconds / (reactions.PACE / 1000)
    assert await run(RoomEvent.objects.filter(room=room).count)() == before, "no reaction stands in the log"
    counts = await run(written)(room)
    assert sum(counts.values()) == 13 and {kind for _second, kind in counts} == {"clap", "heart"}


def used_up(name: str) -> None:
    """Take all that a bucket has, and what it gets back for minutes: however slow this machine is."""
    assert bus.client().exists(bucket(name)), "nobody took anything out of it"
    bus.client().hset(bucket(name), "tokens", "-100000")


@pytest.mark.django_db(transaction=True)
async def test_what_a_cheat_is_told(web: Site) -> None:
    room: Room = await run(open_room)()
    ada, bert = await run(person)("ada"), await run(person)("bert")
    async with Page(room, room.host) as host, Page(room, ada) as page, Page(room, ada) as second, Page(room) as nobody:
        for one in (host, page, second, nobody):
            await one.wait_for("snapshot")
        wrong: list[dict[str, Any]] = [
            *({}, {"kind": "boo"}, {"kind": 1}, {"kind": "clap:0"}, {"kind": ["clap"]}, {"kind": "clap", "tone": 6}),
            *({"kind": "clap", "tone": True}, {"kind": "clap", "tone": "1"}, {"kind": "clap", "tone": -1}),
            *({"kind": "heart", "tone": 1}, {"kind": "clap", "behind": "1"}, {"kind": "clap", "behind": 0.5}),
        ]
        for args in wrong:
            assert code(await host.ask("react", **args)) in ("bad_value", "too_fast"), args
        # Two pages of one person have one measure.
        assert [code(await one.ask("react", kind="clap")) for one in (page, second)] == ["ok", "ok"]
        await run(used_up)(f"react:u:{ada.pk}")
        assert [code(await one.ask("react", kind="clap")) for one in (page, second)] == ["too_fast", "too_fast"]
        assert code(await page.ask("ping")) == "ok"
        # So has everybody who is signed out behind one address.
        assert code(await nobody.ask("react", kind="heart")) == "ok"
        await run(used_up)("react-address:127.0.0.1")
        async with Page(room) as another, Page(room, bert) as signed_in:
            await another.wait_for("snapshot")
            await signed_in.wait_for("snapshot")
            assert code(await another.ask("react", kind="heart")) == "too_fast"
            assert code(await signed_in.ask("react", kind="heart")) == "ok"
        await run(actions.remove_person)(room.pk, ada, by=room.host)
        assert await page.closed() == 4403
        assert code(await host.ask("end")) == "ok"
        await nobody.wait_for("room_ended")
        await run(bus.client().delete)(bucket("react-address:127.0.0.1"))
        assert code(await nobody.ask("react", kind="clap")) == "room_ended"
    counts = await run(written)(room)
    assert sum(counts.values()) == 4


@pytest.mark.django_db(transaction=True)
async def test_who_is_put_out_while_they_react_reacts_no_more(web: Site) -> None:
    """Cheats who never stop sending, removed or left out by the entry policy: with the reason their reactions end, also
    those that wait in a queue. One may have begun before it."""
    room: Room = await run(open_room)()
    ada, bert = await run(person)("ada"), await run(person)("bert")

    async def flood(page: Page) -> None:
        number = 0
        with suppress(ConnectionClosed):
            while True:
                number += 1
                await page.send({"id": number, "do": "react", "kind": "fire"})
                await asyncio.sleep(0.05)

    def is_counted(message: dict[str, Any]) -> bool:
        return "re" in message and bool(message.get("ok"))

    def is_reason(message: dict[str, Any]) -> bool:
        return "error" in message and "re" not in message and message["error"]["code"] != "too_fast"

    async with Page(room, ada) as removed, Page(room, bert) as stranger, Page(room) as nobody:
        cheats = (removed, stranger, nobody)
        floods = [asyncio.create_task(flood(page)) for page in cheats]
        for page in cheats:
            await page.wait_for(is_counted)
        await run(actions.remove_person)(room.pk, ada, by=room.host)
        await run(actions.set_entry_policy)(room.pk, room.host, "followers")
        for page in cheats:
            assert await page.closed() == 4403
        await asyncio.gather(*floods)
    counted = 0
    for page in cheats:
        (reason,) = (place for place, message in enumerate(page.seen) if is_reason(message))
        assert sum(is_counted(message) for message in page.seen[reason:]) <= 1
        counted += sum(is_counted(message) for message in page.seen)
    assert counted <= sum((await run(written)(room)).values()) <= counted + len(cheats), "but for answers cut off"


@pytest.mark.django_db(transaction=True)
async def test_a_flood_asks_the_database_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row of the room is read anew only after an event."""
    room: Room = await run(open_room)()
    reads: list[int] = []
    base: Any = vars(feeds)["base"]

    def counted(pk: int) -> Any:
        reads.append(pk)
        return base(pk)

    monkeypatch.setattr(feeds, "base", counted)
    monkeypatch.setattr(feeds, "BASE_FRESH", 0.0)
    feed = feeds.Feed(room.pk, lambda work, name: asyncio.create_task(work, name=name))
    rows = await asyncio.gather(*(feed.row() for _each in range(3)))
    first = len(reads)
    assert {row.status for row in rows} == {"live"} and first <= 3
    for _each in range(50):
        await feed.row()
    assert len(reads) == first
    await run(actions.end_room)(room.pk, room.host)
    for event in await run(feeds.missed_events)(room.pk, feed.last or 0):
        feed.put_sequenced(*event)
    assert (await feed.row()).status == "ended" and len(reads) == first + 1


@pytest.mark.django_db(transaction=True)
async def test_one_of_several_processes_publishes_a_tick() -> None:
    room: Room = await run(open_room)()
    heard: list[Any] = []
    async with bus.connect() as client, client.pubsub() as channel:
        await channel.subscribe(channels.room_channel(room.pk))
        hubs: list[Any] = [
            SimpleNamespace(redis=client, feeds={room.pk: SimpleNamespace(send_queues={1})}) for _ in "ab"
        ]
        empty: Any = SimpleNamespace(redis=client, feeds={room.pk: SimpleNamespace(send_queues=set())})
        for _each in range(5):
            await reactions.acount(client, room.pk, 1, "clap", 0)
        await publish_reactions(empty)
        await asyncio.gather(*(publish_reactions(hub) for hub in hubs))
        await reactions.acount(client, room.pk, 1, "clap", 3)
        await asyncio.gather(*(publish_reactions(hub) for hub in hubs))
        await run(pace_over)(room)
        await asyncio.gather(*(publish_reactions(hub) for hub in hubs))

        async def both() -> bool:
            message = await channel.get_message(ignore_subscribe_messages=True, timeout=0.1)
            if message is not None:
                heard.append(json.loads(message["data"])["counts"])
            return len(heard) == 2

        await until(both)
    assert heard == [{"clap": {"0": 5}}, {"clap": {"3": 1}}]
    assert await run(written)(room) == {(1, "clap"): 6}


@pytest.mark.django_db(transaction=True)
async def test_the_hub_passes_them_on() -> None:
    hub = Hub()
    texts: list[str] = []
    feed: Any = SimpleNamespace(put_lossy=texts.append)
    hub._to_room(feed, '{"type":"reactions","counts":{"clap":{"0":1}}}')
    assert len(texts) == 1


# --- the page's arithmetic --------------------------------------------------------------------------------------------


def drawn(*steps: dict[str, Any], most: int = 6) -> dict[str, Any]:
    command = ["node", str(Path(__file__).with_name("reactions.mjs"))]
    asked = json.dumps({"steps": steps, "most": most})
    done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_few_rise_singly_and_many_as_one() -> None:
    few, many, tones, all_kinds = drawn(
        {"counts": {"clap": {"0": 2}, "heart": {"0": 1}}},
        {"counts": {"clap": {"0": 37, "3": 2}}},
        {"counts": {"clap": {str(tone): 4 for tone in range(6)}, "heart": {"0": 9}}},
        {"counts": {kind: {"0": place + 4} for place, kind in enumerate(KINDS)}},
    )["drawn"]
    assert few["sprites"] == [["clap", 0, 1], ["clap", 0, 1], ["heart", 0, 1]]
    assert many["sprites"] == [["clap", 0, 37], ["clap", 3, 1], ["clap", 3, 1]]
    assert tones["sprites"] == [["clap", 0, 24], ["heart", 0, 9]], "more than can rise: tones are put together"
    assert len(all_kinds["sprites"]) == 6 and all_kinds["kinds"][0] == ["fire", 13]


def test_one_s_own_are_not_shown_twice() -> None:
    answer = drawn(
        {"sent": [["clap", 0], ["clap", 0]], "counts": {"clap": {"0": 5, "1": 1}}},
        {"counts": {"clap": {"0": 1}}},
        {"sent": [["heart", 0]], "counts": {"clap": {"0": 1}}},
        {"counts": {"heart": {"0": 1}}},
        {"sent": [["heart", 0]], "refused": [["heart", 0]], "counts": {"heart": {"0": 1}}},
        {"sent": [["heart", 0]], "lost": True, "counts": {"heart": {"0": 1}}},
    )
    others = [step["others"] for step in answer["drawn"]]
    assert others[0] == {"clap": {"0": 3, "1": 1}} and others[1] == {"clap": {"0": 1}}
    assert others[2:4] == [{"clap": {"0": 1}}, {}]
    assert others[4] == others[5] == {"heart": {"0": 1}}
    assert answer["toned"] == ["👏", "👏🏿"]
