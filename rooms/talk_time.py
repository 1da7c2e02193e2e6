"""Talk time: how long each account spoke in a live room, in Redis. The media supervisor adds to it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from redis.exceptions import RedisError

from core import bus

log = logging.getLogger(__name__)

KEPT = 2 * 86400  # seconds after the last word
KEY = "talked:{}"  # hash of a room: account → milliseconds


def key_of(room_pk: int) -> str:
    return bus.key(KEY.format(room_pk))


async def add(client: Any, room_pk: int, spoken: Mapping[int, int]) -> None:
    """Add milliseconds by account. Raises RedisError."""
    pipe = client.pipeline(transaction=False)
    for user_pk, ms in spoken.items():
        pipe.hincrby(key_of(room_pk), str(user_pk), ms)
    pipe.expire(key_of(room_pk), KEPT)
    await pipe.execute()


async def aread(client: Any, room_pk: int, accounts: Mapping[int, str]) -> dict[str, int]:
    """Milliseconds spoken, by the handle of each of these accounts; those who have not spoken are missing. Raises
    RedisError."""
    return _by_handle(accounts, await client.hgetall(key_of(room_pk)))


def talked_in(room_pk: int, accounts: Mapping[int, str]) -> dict[str, int]:
    """`aread` for synchronous code; empty where Redis does not answer."""
    try:
        spoken: Any = bus.client().hgetall(key_of(room_pk))
    except RedisError as error:
        log.warning("talk time of room %s is not known: %s", room_pk, error)
        return {}
    return _by_handle(accounts, spoken)


def _by_handle(accounts: Mapping[int, str], spoken: Mapping[str, str]) -> dict[str, int]:
    """A value that is no number, which this site did not write, counts as nothing."""
    known = {account: spoken.get(str(account), "") for account in accounts}
    return {accounts[account]: int(ms) for account, ms in known.items() if ms.isdecimal()}
