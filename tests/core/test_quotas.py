"""Leases: so many at once, back when they are released, and free by themselves when who held them died."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
from django.conf import settings as house

from core import quotas
from core.lines import LineFull, Lines
from core.throttle import connection
from deploy.local.process import wait_for
from people.refusals import PeopleRefused
from tests.support.redis_away import redis_away

ROOT = Path(__file__).parents[2]
THREE = quotas.Quota("test", "PICTURES_AT_ONCE")


@pytest.fixture(autouse=True)
def _three(settings: Any) -> None:
    settings.PICTURES_AT_ONCE = 3


def count(client_key: str) -> int:
    return int(connection().zcard(f"{house.REDIS_PREFIX}quota:test:{client_key}"))


def test_fifty_who_race_get_three() -> None:
    with ThreadPoolExecutor(25) as pool:
        leases = list(pool.map(lambda _number: quotas.take(THREE, "race"), range(50)))
    given = [lease for lease in leases if lease is not None]
    assert len(given) == 3
    assert quotas.take(THREE, "another") is not None
    given[0].release()
    wait_for("the lease's return", lambda: count("race") == 2, seconds=20)
    assert quotas.take(THREE, "race") is not None and quotas.take(THREE, "race") is None


async def test_sockets_and_pages_count_together() -> None:
    async with redis.asyncio.Redis.from_url(house.REDIS_URL) as client:
        assert await quotas.atake(client, THREE, "both") and quotas.take(THREE, "both")
        assert await quotas.atake(client, THREE, "both")
        assert await quotas.atake(client, THREE, "both") is None


def test_what_is_kept_outlives_its_time_and_what_is_not_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "TTL", 2.0)
    monkeypatch.setattr(quotas, "REFRESH", 0.2)
    quotas.keeper.cache_clear()
    kept, left = quotas.take(THREE, "kept"), quotas.take(THREE, "left")
    assert kept is not None and left is not None
    kept.keep()
    wait_for("the end of the other", lambda: count("left") == 0, seconds=20)
    assert count("kept") == 1
    connection().flushall()  # Redis came back empty: what is held counts again
    wait_for("the lease's return", lambda: count("kept") == 1, seconds=20)
    kept.release()
    wait_for("its end", lambda: count("kept") == 0, seconds=20)
    quotas.keeper.cache_clear()


def test_a_poisoned_key_keeps_no_other_lease_from_being_refreshed(caplog: pytest.LogCaptureFixture) -> None:
    """Something else stands under it; the thread goes on, for everybody else's."""
    leases = [quotas.take(THREE, name) for name in ("poison", "well", "later")]
    keeper = quotas.Keeper()
    for lease in leases[:2]:
        assert lease is not None
        keeper.kept.add(lease)
    poisoned, well = (f"{house.REDIS_PREFIX}quota:test:{name}" for name in ("poison", "well"))
    connection().set(poisoned, "not ours")
    connection().pexpire(well, 5000)
    keeper._refresh()
    assert connection().pttl(well) > 5000 and "are not refreshed" in caplog.text
    keeper.kept.clear()
    assert leases[2] is not None
    keeper.keep(leases[2])
    keeper.release(leases[2])
    wait_for("the lease that is given back", lambda: count("later") == 0)


def test_a_killed_process_frees_what_it_held() -> None:
    program = (
        "import django; django.setup(); from core import quotas; import time\n"
        "quotas.TTL, quotas.REFRESH = 2.0, 0.2\n"
        "lease = quotas.take(quotas.Quota('test', 'PICTURES_AT_ONCE'), 'killed'); lease.keep(); time.sleep(60)"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    process = subprocess.Popen([sys.executable, "-c", program], env=environment, cwd=ROOT)
    wait_for("its lease", lambda: count("killed") == 1, lambda: process.poll() is None, seconds=60)
    time.sleep(2.5)
    assert count("killed") == 1
    process.send_signal(signal.SIGKILL)
    process.wait()
    # Who asks next forgets what ran out.
    wait_for("its end", lambda: count("killed") == 0, seconds=30)


def test_held_refuses_one_too_many(settings: Any) -> None:
    settings.PICTURES_AT_ONCE = 1
    with (
        quotas.held(THREE, "u:1", PeopleRefused),
        pytest.raises(PeopleRefused) as refused,
        quotas.held(THREE, "u:1", PeopleRefused),
    ):
        pass
    assert (refused.value.code, refused.value.status) == ("too_many", 429)


def test_what_was_held_is_free_before_the_keeper_gets_to_it(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PICTURES_AT_ONCE = 1
    later: list[quotas.Lease] = []
    with monkeypatch.context() as patch:
        patch.setattr(quotas.Keeper, "release", lambda _keeper, lease: later.append(lease))
        for _each in range(3):
            with quotas.held(THREE, "one by one", PeopleRefused):
                pass
    assert len(later) == 3
    quotas.release_all(later)


def test_without_redis_nobody_is_locked_out(settings: Any) -> None:
    with redis_away(settings):
        assert all(quotas.take(THREE, "x") for _number in range(5))
    assert count("x") == 0


async def test_a_line_holds_up_its_own_client_only(settings: Any) -> None:
    settings.REQUESTS_AT_ONCE, settings.REQUESTS_WAITING = 1, 2
    lines = Lines("REQUESTS_AT_ONCE", "REQUESTS_WAITING")
    order = []

    async def work(name: str, client_key: str, go: asyncio.Event) -> None:
        async with lines.turn(client_key):
            order.append(name)
            await go.wait()

    go, never = asyncio.Event(), asyncio.Event()
    tasks = [asyncio.create_task(work(name, "a", go)) for name in ("first", "second")]
    await asyncio.sleep(0)
    with pytest.raises(LineFull):
        await work("third", "a", go)
    cancelled = asyncio.create_task(work("other", "b", never))
    await asyncio.sleep(0.01)
    assert order == ["first", "other"]
    cancelled.cancel()
    go.set()
    await asyncio.gather(*tasks, cancelled, return_exceptions=True)
    assert order == ["first", "other", "second"]
    async with lines.turn("a") as turn:
        turn.end()  # as a request whose answer has begun
        await work("fourth", "a", go)
    assert order[-1] == "fourth"
