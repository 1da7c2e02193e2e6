"""A deleted account's pages and sound end at once, over real sockets; whoever stays sees the stage as it is."""

from __future__ import annotations

import pytest
from channels.db import database_sync_to_async as run

from people.actions.deletion import delete_account
from people.models import User
from rooms.models import Room
from tests.support.client import Page
from tests.support.cohosts import with_cohosts
from tests.support.processes import Site
from tests.support.rooms import seated
from tests.support.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 15.0  # seconds


async def test_the_host_goes_a_co_host_who_is_here_hosts_and_nobody_else_notices_a_gap(web: Site) -> None:
    room, (cora,) = await run(with_cohosts)("cora")
    guest, host = await run(seated)("guest", room), room.host
    async with Page(room, host) as hosts, Page(room, cora) as coras, Page(room, guest) as guests, Page(room) as nobody:
        for page in (hosts, coras, guests, nobody):
            await page.wait_for("snapshot")
        await run(delete_account)(host, host)
        assert await hosts.closed(AT_ONCE) == 4403
        changed = (await nobody.wait_for("host_changed", AT_ONCE))["data"]
        assert (changed["host"], changed["former"], changed["reason"]) == ("cora", "host", "given")
        left = (await nobody.wait_for("seat_left", AT_ONCE))["data"]
        assert left == {"user": "host", "reason": "left"}, "by the handle that everybody in the room knows"
        assert await coras.ask("ping") and await guests.ask("ping")

        def is_cora() -> bool:
            return Room.objects.filter(pk=room.pk, host=cora).exists()

        await until(lambda: run(is_cora)())
        await run(delete_account)(guest, guest)
        assert await guests.closed(AT_ONCE) == 4403
    assert await run(User.objects.filter(deleted_at__isnull=False).count)() == 2
