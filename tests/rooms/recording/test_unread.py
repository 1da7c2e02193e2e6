"""Downloads that nobody reads."""

from __future__ import annotations

from collections.abc import AsyncIterator

import redis
from django.conf import settings
from django.http import StreamingHttpResponse
from django.test import RequestFactory

from core.client_address import counted_as
from rooms.recording.delivery import downloads
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
