"""The host of a live room is suspended by a decision: a co-host who is there gets the room, or it ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.utils import timezone

from moderation.actions.decisions import decide, undo_decision
from moderation.models import Case, Decision
from people.models import User
from people.standing import standing_of, why_not_enter
from rooms.models import HandOver, Room
from tests.flows.line import acts, assert_sound_ledger, is_kept_until, reported
from tests.support.cases import draft, staff, worked_on
from tests.support.client import Page
from tests.support.cohosts import fresh, with_cohosts
from tests.support.people import person
from tests.support.processes import Site
from tests.support.recordings import talked_room
from tests.support.rooms import prepared_room, published
from tests.support.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def make() -> tuple[Room, User, Room, Room, Case, User]:
    """A live room with a co-host, whose host was reported and has a replay and a room for tomorrow."""
    replay = published(talked_room())
    room, (cohost,) = with_cohosts("cora")
    coming = prepared_room(room.host)
    Room.objects.filter(pk=room.pk).update(started_at=timezone.now() - timedelta(minutes=5))
    case = reported(person("lea"), room, (60, 120), about=room.host.handle)
    return room, cohost, coming, replay, case, staff("moderator", "mara")


def suspended(case: Case, by: User) -> Decision:
    worked_on(case, by)
    return decide(case, by, draft(("suspend", 7)))


async def put_out(page: Page) -> str:
    """The code with which a page is put out."""
    message: dict[str, Any] = await page.wait_for(lambda message: "error" in message and "re" not in message)
    assert await page.closed() == 4403
    return str(message["error"]["code"])


def check_the_rest(coming: Room, replay: Room, decision: Decision) -> None:
    host = fresh(coming).host
    assert why_not_enter(standing_of(host)) == "account_suspended"
    assert (fresh(coming).status, fresh(coming).cancel_reason) == ("cancelled", "staff")
    assert fresh(replay).recording.published_at is not None, "published replays stay"
    assert undo_decision(decision, None, "A quotation") and why_not_enter(standing_of(host)) is None
    assert fresh(coming).status == "cancelled", "what was lost does not come back"
    assert_sound_ledger()


async def test_a_cohost_who_is_there_gets_the_room(web: Site) -> None:
    room, cohost, coming, replay, case, mara = await run(make)()
    host = room.host
    async with Page(room, host) as his, Page(room, cohost) as hers, Page(room) as guest:
        for page in (his, hers, guest):
            await page.wait_for("snapshot")
        decision = await run(suspended)(case, mara)
        assert await put_out(his) == "account_suspended"
        row = await run(fresh)(room)
        assert (row.status, row.host) == ("live", cohost)
        await until(lambda: guest.of_type("host_changed"), what="everybody learns who hosts")
        assert (await hers.ask("end"))["ok"], "with all of a host’s rights"
    assert await run(lambda: HandOver.objects.get().reason)() == HandOver.Reason.STAFF
    assert await run(is_kept_until)(room, 90, "violation")
    assert await run(lambda: decision.measures.get().memory["person"])() == host.pk, "it stays about the former host"
    await run(check_the_rest)(coming, replay, decision)


async def test_without_a_cohost_who_is_there_it_ends_at_once(web: Site) -> None:
    room, _away, coming, replay, case, mara = await run(make)()
    async with Page(room, room.host) as his, Page(room) as guest:
        for page in (his, guest):
            await page.wait_for("snapshot")
        decision = await run(suspended)(case, mara)
        assert (await guest.wait_for("room_ended"))["data"]["reason"] == "staff"
        await until(lambda: his.of_type("room_ended") or any("error" in message for message in his.seen))
    row = await run(fresh)(room)
    assert (row.status, row.end_reason) == ("ended", "staff")
    assert await run(is_kept_until)(room, 90, "violation")
    assert "sanction_imposed" in await run(acts)(f"person:{room.host_id}")
    await run(check_the_rest)(coming, replay, decision)
