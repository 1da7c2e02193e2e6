"""How often: token buckets on real Redis, one a person, shared by API and sockets."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client

from core import bus
from core import throttle as buckets
from core.throttle import Limit
from rooms.live import frames
from rooms.rules import limits
from rooms.rules.refusals import RoomRefused
from tests.support.people import person
from tests.support.redis_away import redis_away
from tests.support.rooms import open_room

SLOW = Limit("test", 0.01, 3, RoomRefused)  # what is used up stays used up, however slow this machine is


def code(limit: Limit, who: str) -> str:
    try:
        limit.check(who)
    except RoomRefused as refused:
        return refused.code
    return "ok"


def test_so_many_at_once_then_no_more() -> None:
    assert [code(SLOW, "u:1") for _ in range(5)] == ["ok"] * 3 + ["too_fast"] * 2
    assert code(SLOW, "u:2") == "ok", "another person's bucket is another"
    assert code(Limit("other", 0.01, 1, RoomRefused), "u:1") == "ok", "so is another limit's"


def test_the_bucket_fills_again() -> None:
    limit = Limit("test", 60, 3, RoomRefused)
    for _ in range(3):
        limit.check("u:1")
    name = buckets.bucket("test:u:1")
    client = bus.client()
    client.hset(name, "at", int(str(client.hget(name, "at"))) - 2000)  # two seconds pass
    assert code(limit, "u:1") == "ok"


async def test_sockets_and_the_api_take_from_one_bucket() -> None:
    async with bus.connect() as client:
        for _ in range(2):
            await SLOW.acheck(client, "u:1")
        assert code(SLOW, "u:1") == "ok"
        with pytest.raises(RoomRefused, match="too_fast"):
            await SLOW.acheck(client, "u:1")


async def test_without_redis_requests_pass_and_sockets_are_counted_by_their_process(
    settings: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of sockets may be why it does not answer in time: that must not open the limit for them."""
    monkeypatch.setattr(buckets, "_own", buckets.OwnBuckets())
    with redis_away(settings):
        assert [code(SLOW, "u:1") for _ in range(5)] == ["ok"] * 5
        async with bus.connect() as client:
            for who in ("u:1", "u:2"):
                for _ in range(SLOW.burst):
                    await SLOW.acheck(client, who)
                with pytest.raises(RoomRefused, match="too_fast") as refused:
                    await SLOW.acheck(client, who)
                assert 0 < refused.value.wait <= 6000
    assert (caplog.text.count("not throttled"), caplog.text.count("by this process alone")) == (5, 8)


def test_buckets_of_a_process_fill_again_and_are_not_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now, own = 1000.0, buckets.OwnBuckets()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert [own.take("a", per_minute=60, burst=2) for _ in range(3)] == [0.0, 0.0, 1.0]
    now += 1
    assert [own.take("a", per_minute=60, burst=2) for _ in range(2)] == [0.0, 1.0]
    monkeypatch.setattr(own, "MOST", 5)
    for number in range(20):
        own.take(str(number), per_minute=60, burst=2)
        assert len(own._buckets) <= 5


@pytest.mark.django_db
def test_rooms_are_not_opened_by_the_dozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OPENING", SLOW)
    browser = Client()
    browser.force_login(person("guest"))
    answers = [browser.post("/api/v1/rooms/", {"title": "Mine"}, "application/json") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [403, 403, 403, 429]
    assert answers[-1].json()["error"]["code"] == "too_fast"


@pytest.mark.django_db
def test_every_change_over_the_api_is_paced(monkeypatch: pytest.MonkeyPatch) -> None:
    room = open_room()
    browser = Client()
    browser.force_login(room.host)
    used_up = []
    monkeypatch.setattr(Limit, "check", lambda limit, who: used_up.append((limit.name, who)))
    for what in ("consent", "mute", "unmute", "unseat", "seat", "end"):
        browser.post(f"/api/v1/rooms/{room.slug}/{what}/", {}, "application/json")
    assert [one for one in used_up if one[0] != "pages"] == [("act", f"u:{room.host_id}")] * 6


def test_a_socket_s_own_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("rooms.live.frames.time.monotonic", lambda: now[0])
    pace = frames.Pace(rate=30, burst=60)
    assert [pace.allows() for _ in range(61)] == [True] * 60 + [False]
    now[0] += 0.1
    assert [pace.allows() for _ in range(4)] == [True] * 3 + [False]
    now[0] += 3600
    assert sum(pace.allows() for _ in range(100)) == 60
