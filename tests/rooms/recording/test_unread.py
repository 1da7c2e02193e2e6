"""Downloads that nobody reads."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import redis
from django.conf import settings
from django.http import StreamingHttpResponse
from django.test import RequestFactory

from core import quotas
from core.client_address import counted_as
from rooms.recording.delivery import downloads, links
from tests.rooms.recording.test_slow_readers import large_room
from tests.support.greedy import head, line_of
from tests.support.processes import Site
from tests.support.rooms import make_public
from tests.support.waiting import wait_until

ADDRESS = "127.0.0.9"


async def _bytes() -> AsyncIterator[bytes]:
    yield b"sound"


def _places_taken() -> int:
    key = f"{settings.REDIS_PREFIX}quota:{downloads.OF_ADDRESS.name}:{counted_as(ADDRESS)}"
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        return int(client.zcard(key))


def test_a_response_that_is_dropped_before_its_first_byte_gives_its_place_back() -> None:
    """Clients that ask and hang up at once, as a player does that seeks, do not use up what they may have open."""
    request = RequestFactory(REMOTE_ADDR=ADDRESS).get("/")
    response = downloads.limited(request, StreamingHttpResponse(_bytes()), None, lambda: True)
    assert response.status_code == 200 and _places_taken() == 1
    del response
    wait_until(lambda: _places_taken() == 0, 10, "the place is free")


def test_clients_that_hang_up_at_once_hold_nothing(web: Site) -> None:
    room = large_room()
    make_public(room)
    path = links.address(room.pk, "mix", None, "mix.m4a")
    for number in range(60):
        with line_of(f"127.0.0.{10 + number}") as line:
            line.sendall(head(path))
            time.sleep(number % 20 * 0.002)  # somewhere between the request and the answer
    within = quotas.TTL * 2 / 3  # a lease that nobody gives back is there for longer
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        pattern = f"{settings.REDIS_PREFIX}quota:*"
        wait_until(lambda: not list(client.scan_iter(pattern, count=1000)), within, "no place is taken")
