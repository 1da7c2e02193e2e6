"""Talk time: measured by the supervisor's clock, added up in Redis, told to the host's side alone."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from redis.exceptions import RedisError

from core import bus
from core.erasers import erasers
from rooms import actions, talk_time
from rooms.media.supervisor import talked
from rooms.media.supervisor.talk_clock import MOST, TalkClock
from rooms.media.supervisor.wanted import WantedRoom, WantedSeat
from rooms.models import Room
from rooms.rules.identity import Who
from rooms.wire.snapshot import snapshot
from tests.support.people import person
from tests.support.rooms import open_room, seated

ADA, BERT = 11, 12


def test_the_clock_counts_from_one_look_to_the_next() -> None:
    clock = TalkClock()
    clock.look({1: ADA}, 100.0)
    clock.look({1: ADA, 2: BERT}, 102.5)
    clock.look({2: BERT}, 103.0)
    clock.look({}, 104.0)
    clock.look({}, 200.0)
    assert clock.unsaved == {ADA: 3000, BERT: 1500}


def test_a_clock_that_nobody_looked_at_counts_too_little() -> None:
    """The supervisor hung, or the machine slept; and a clock that went back takes nothing away."""
    clock = TalkClock()
    clock.look({1: ADA}, 0.0)
    clock.look({1: ADA}, 500.0)
    clock.look({}, 499.0)
    assert clock.unsaved == {ADA: MOST * 1000}


def studio_of(talking: set[int], muted: dict[int, bool]) -> Any:
    return SimpleNamespace(talking=talking, muted=muted, talk_clock=TalkClock())


def test_only_an_open_microphone_counts() -> None:
    """Janus keeps saying that somebody talks who was muted in mid-sentence."""
    seats = {1: WantedSeat(1, ADA, "ada", False), 2: WantedSeat(2, BERT, "bert", True)}
    room, studio = WantedRoom(7, "room", seats=seats), studio_of({1, 2, 3}, {1: False, 2: False})
    talked.look(room, studio)
    assert list(studio.talk_clock._since) == [1]
    studio.muted[1] = True
    talked.look(room, studio)
    assert not studio.talk_clock._since and list(studio.talk_clock.unsaved) == [ADA]


class Wire:
    """A context that keeps what is published, with real Redis; away when it should be."""

    def __init__(self, redis: Any) -> None:
        self.redis, self.told = redis, list[Any]()

    async def publish(self, _channel: str, message: dict[str, Any]) -> None:
        self.told.append(message)


class Away:
    def pipeline(self, **_options: Any) -> Any:
        raise RedisError("away")


def test_it_is_added_up_told_once_and_not_lost_while_redis_is_away() -> None:
    room = WantedRoom(71, "room", seats={1: WantedSeat(1, ADA, "ada", False)})

    async def story() -> None:
        async with bus.connect() as client:
            studio, wire = studio_of(set(), {}), Wire(client)
            studio.talk_clock.unsaved[ADA] = 1500
            await talked.save(Wire(Away()), room, studio)  # type: ignore[arg-type]
            assert studio.talk_clock.unsaved == {ADA: 1500}
            await talked.report(wire, room, studio)  # type: ignore[arg-type]
            await talked.report(wire, room, studio)  # type: ignore[arg-type]
            studio.talk_clock.unsaved[ADA] = 500
            studio.talk_clock.unsaved[BERT] = 900  # who left the stage
            await talked.report(wire, room, studio)  # type: ignore[arg-type]
            assert [one["data"]["talked"] for one in wire.told] == [{"ada": 1500}, {"ada": 2000}]
            assert await client.ttl(talk_time.key_of(71)) > 86_400

    asyncio.run(story())
    assert talk_time.talked_in(71, {ADA: "ada", BERT: "bert", 13: "cas"}) == {"ada": 2000, "bert": 900}
    assert dict(erasers.items())["talk time"]([71, 72]) == 1
    assert talk_time.talked_in(71, {ADA: "ada"}) == {}


@pytest.mark.django_db
def test_the_host_s_side_reads_it_in_the_snapshot_and_nobody_else() -> None:
    room: Room = open_room()
    ada = seated("ada", room)
    actions.set_muted(room.pk, ada, False, by=ada)
    actions.set_muted(room.pk, ada, True, by=room.host)
    actions.set_entry_policy(room.pk, room.host, "signed_in")
    bus.client().hset(talk_time.key_of(room.pk), mapping={str(ada.pk): "61000", str(room.host.pk): "nonsense"})
    mine = snapshot(room.pk, Who.of_user(room.host))["you"]["parts"]["panel"]
    assert mine["talked"] == {"ada": 61_000}
    told = [(one["type"], one["user"], one["name"], one["by"], one["detail"]) for one in mine["happened"]]
    assert told == [
        ("room_opened", None, "", None, ""),
        ("seat_taken", "host", "Host", None, ""),
        ("seat_taken", "ada", "Ada", None, ""),
        ("seat_muted", "ada", "Ada", None, "on"),
        ("seat_muted", "ada", "Ada", "host", "off"),
        ("entry_policy_set", None, "", None, "signed_in"),
    ]
    for who in (Who.of_user(ada), Who.of_user(person("lea"))):
        assert snapshot(room.pk, who)["you"]["parts"]["panel"] is None
    actions.name_cohost(room.pk, ada, by=room.host)
    actions.demote(room.pk, ada, by=room.host)
    part = snapshot(room.pk, Who.of_user(room.host))["you"]["parts"]["panel"]["happened"][-2:]
    assert [(one["type"], one["user"]) for one in part] == [("cohost_named", "ada"), ("cohost_ended", "ada")]
