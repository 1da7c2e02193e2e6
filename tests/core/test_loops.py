"""Loops that die are started again, more slowly each time, and operators see which."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import pytest
import redis
from django.conf import settings
from django.test import Client

from core import loops
from core.loops import STEADY, Backoff


def test_the_wait_grows_and_is_short_again_after_a_steady_run() -> None:
    backoff = Backoff()
    waits = [backoff.after(0.0) for _ in range(9)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert [backoff.after(ran) for ran in (STEADY, 0.0)] == [0.5, 1.0]


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(loops, "_logged_at", {})


@pytest.mark.usefixtures("_at_once")
async def test_a_loop_survives_whatever_ends_it(caplog: pytest.LogCaptureFixture) -> None:
    ends: list[BaseException | None] = [ValueError("poison"), None, asyncio.CancelledError(), MemoryError()]
    lives = asyncio.Event()

    async def run() -> None:
        if not ends:
            lives.set()
            await asyncio.Event().wait()
        error = ends.pop(0)
        if error is not None:
            raise error

    task = asyncio.create_task(loops.keep("a-loop", run))
    await asyncio.wait_for(lives.wait(), 30)
    told = [record for record in caplog.records if record.getMessage().startswith("a-loop failed and starts again")]
    assert len(told) == 4 and all(record.exc_info and record.levelname == "ERROR" for record in told)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.usefixtures("_at_once")
def test_a_thread_survives_too(caplog: pytest.LogCaptureFixture) -> None:
    lives, ends = threading.Event(), [KeyError("poison"), None]

    def run() -> None:
        if not ends:
            lives.set()
            threading.Event().wait()
        error = ends.pop(0)
        if error is not None:
            raise error

    thread = loops.keep_thread("a-thread", run)
    assert lives.wait(30) and thread.daemon
    assert [record.getMessage().split()[0] for record in caplog.records].count("a-thread") == 2


@pytest.mark.usefixtures("_at_once")
async def test_items_that_fail_are_no_flood_of_tracebacks(caplog: pytest.LogCaptureFixture) -> None:
    for number in range(5):
        await loops.item_failed("a-loop", f"item {number}", ValueError("poison"))
    assert [bool(record.exc_info) for record in caplog.records] == [True, False, False, False, False]


def states() -> dict[str, str]:
    parts = Client().get("/readyz", headers={"X-Readyz-Key": settings.READYZ_KEY}).json()["parts"]
    return dict(parts["loops"])


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_once")
def test_readyz_says_which_loop_failed_until_it_ran_well_for_a_while() -> None:
    assert states()["state"] == "ok"
    asyncio.run(loops.item_failed("hub-listen", "a message", ValueError("a secret")))
    found = states()
    assert found["state"] == "degraded" and "hub-listen (" in found["detail"] and "ValueError" in found["detail"]
    assert "a secret" not in found["detail"]
    with redis.Redis.from_url(settings.REDIS_URL, decode_responses=True) as client:
        name = f"{settings.REDIS_PREFIX}loops"
        for loop in client.hkeys(name):  # the time has passed
            client.hset(name, loop, json.dumps({"error": "ValueError", "until": time.time() - 1}))
        assert states()["state"] == "ok"
        assert not client.exists(name), "what is over is forgotten"
