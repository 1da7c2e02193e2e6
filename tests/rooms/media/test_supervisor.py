"""The supervisor lives on: whatever is away, hangs, or is put in front of it that is none of ours."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings

from core import bus, loops
from deploy.local.throwaway import Throwaway
from rooms import actions, channels
from rooms.media import ask, redis_keys
from rooms.models import Recording, Room
from rooms.recording import store, tasks
from tests.support.processes import Site
from tests.support.rooms import open_room
from tests.support.waiting import say, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
WITHIN = 60.0  # seconds for what takes one or two


def client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, decode_responses=True)


def rooms_with_sound() -> int:
    with client() as connected:
        told: Any = connected.get(bus.key(redis_keys.HEARTBEAT))
    return int(json.loads(told)["rooms"]) if told else -1


def pieces(room: Room) -> int:
    return len(list(store.hls_folder(room.pk).glob("*.m4s")))


def test_a_room_ends_while_redis_is_away(
    site: Site, services: Throwaway, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault: the supervisor died of it, and all rooms with it. Others go on; the recording is finished later."""
    other = open_room("other")
    site.start("media", "work")
    media = site.running["media"]
    wait_until(lambda: pieces(room) and pieces(other), WITHIN, "pieces of both rooms")
    services.kill("redis")
    try:
        actions.end_room(room.pk, room.host)
        log = site.log("media")
        wait_until(lambda: f"room {room.pk}: its recording is finished later" in log.read_text(), WITHIN, "the end")
        before = pieces(other)
        wait_until(lambda: pieces(other) > before + 2, WITHIN, "pieces of the other room")
    finally:
        services.restart("redis")
    wait_until(lambda: rooms_with_sound() == 1, WITHIN, "a sign of life")
    assert media.poll() is None, "it is the same process"
    monkeypatch.setattr(tasks, "LEFT_BEHIND", timedelta())
    assert Recording.objects.get(room=room).state == Recording.State.RUNNING
    tasks.sweep_recordings()
    wait_until(lambda: Recording.objects.filter(room=room, state="ready").exists(), WITHIN, "finishing")


POISON = ("nonsense", "[]", "7", "null", "{}", '{"id":1}', "[" * 50_000, '{"id":"x","verb":"listen","room":"x"}')


def poison_what_is_kept(live: Room) -> None:
    """Write invalid state into Redis, as if an earlier supervisor had left it."""
    with client() as connected:
        connected.set(bus.key(redis_keys.SESSION), "nonsense")
        connected.hset(
            bus.key(redis_keys.ROOMS),
            mapping={"x": "{}", "7": "nonsense", str(live.pk): '{"ports":[1]}', "8": "7"},
        )
        handle = {"id": 5, "kind": "speak", "room": "x", "conn": [], "who": None}
        connected.hset(bus.key(redis_keys.HANDLES), mapping={"4": "{}", "5": json.dumps(handle), "x": "nonsense"})


def poison_what_is_asked() -> None:
    request = {"id": "x", "verb": "listen", "room": 1, "who": "a:x", "conn": "x", "until": 9e9, "process": "x"}
    with client() as connected:
        for text in (*POISON, json.dumps({**request, "args": 7}), json.dumps({**request, "verb": "x", "args": {}})):
            connected.rpush(bus.key(redis_keys.REQUESTS), text)
            connected.publish(bus.key(channels.MEDIA_CHANGED), text)
        connected.rpush(bus.key(redis_keys.REQUESTS), b"\xff\xfe")
        connected.publish(bus.key(channels.MEDIA_CHANGED), b"\xff\xfe")


async def ask_between_poison(room: Room) -> dict[str, Any]:
    """A request, with nonsense on the channel of the answers."""
    await asyncio.to_thread(poison_what_is_asked)
    await ask.ask("gone", room.pk, "a:someone", "connection")
    asker = ask._asker()
    with pytest.raises(ask.MediaRefused):
        await ask.ask("listen", 0, "a:someone", "connection")  # it hears answers now
    for text in POISON:
        await asker.redis.publish(redis_keys.reply_channel(asker.process), text)
    answer = await ask.ask("listen", room.pk, "a:someone", "connection")
    await asker.redis.aclose()
    return answer


def test_poison_stops_nothing(site: Site, room: Room) -> None:
    """In what was kept, in requests, changes and answers, and under a room's folder: the others go on, and are told."""
    bad = open_room("bad")
    Path(settings.RECORDINGS_DIR).mkdir(exist_ok=True)
    store.folder(bad.pk).write_text("no folder")
    poison_what_is_kept(room)
    site.start("media")
    try:
        wait_until(lambda: pieces(room) > 2, WITHIN, "the room sounds")
        assert asyncio.run(ask_between_poison(room))["use"] == "webrtc"
        assert any(told.startswith("media-requests (") for told in loops.failing())
        actions.end_room(bad.pk, bad.host)
        before = pieces(room)
        wait_until(lambda: pieces(room) > before + 2, WITHIN, "it goes on")
        assert site.running["media"].poll() is None
    finally:
        say(site.log("media").read_text(errors="replace")[-6000:])
