"""A round over live rooms asks as often of Redis and PostgreSQL for a crowd as for a few people in each."""

from __future__ import annotations

from collections import Counter

import pytest
from channels.db import database_sync_to_async as run
from django.conf import settings

from core import quotas
from rooms import presence
from tests.support.rooms import open_room
from tests.support.rounds import CrowdedHub, redis_commands, statements

ROOMS, FEW, CROWD = 3, 3, 40
Cost = tuple[Counter[str], int]


async def cost_of_a_round(crowd: CrowdedHub) -> dict[str, Cost]:
    """Commands of Redis and the number of statements of each part, the second time: the first sees people come."""
    costs: dict[str, Cost] = {}
    for _time in range(2):
        for name, part in crowd.parts().items():
            with statements() as said:
                before = redis_commands()
                await part()
                costs[name] = redis_commands() - before, len(said)
        crowd.read()
    return costs


@pytest.mark.django_db(transaction=True)
async def test_a_crowd_costs_no_more_calls_than_a_few_people() -> None:
    crowd = CrowdedHub(await run(lambda: [open_room(f"host{number}") for number in range(ROOMS)])())
    await run(crowd.fill)(FEW)
    of_few = await cost_of_a_round(crowd)
    await run(crowd.fill)(CROWD)
    assert await cost_of_a_round(crowd) == of_few
    assert presence.look(crowd.rooms[0].pk, [])[0] == CROWD and not crowd.refused
    await crowd.hub.redis.aclose()


def test_leases_are_refreshed_in_one_round_trip_for_many_clients() -> None:
    keeper = quotas.Keeper()
    keeper.kept = {quotas.Lease(f"{settings.REDIS_PREFIX}quota:test:{number}", "lease") for number in range(600)}
    before = redis_commands()
    keeper._refresh()
    made = redis_commands() - before
    keeper.kept = set()
    assert made["eval"] == 2 and made["zadd"] == made["pexpire"] == 600
