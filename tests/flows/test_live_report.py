"""A report in a live room with real speech: on moderators' screens, and the room ended, each within two seconds."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from urllib.error import HTTPError

import pytest
from channels.db import database_sync_to_async as run
from django.db.models import F
from django.test import Client

from moderation.actions.at_once import end_room_at_once, restrict_at_once
from moderation.actions.decisions import decide
from moderation.models import ActAtOnce, Case
from people.models import User
from rooms.models import Recording, Room
from rooms.rules.restrictions import is_restricted
from tests.flows.line import acts, assert_sound_ledger, is_kept_until, reported, signed_in
from tests.rooms.media.listeners import at_work
from tests.rooms.media.table import Table
from tests.rooms.test_staff_socket import ConsolePage
from tests.support.cases import draft, staff, worked_on
from tests.support.client import Page
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import open_room
from tests.support.waiting import say, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timed]
WITHIN = 2.0  # seconds after the commit
AFTER = 5.0  # seconds that are listened to afterwards


def taken_down(room: Room, by: User) -> float:
    """End the room and close its recording; returns when that was committed, seconds since 1970."""
    end_room_at_once(room, by)
    ended = time.time()
    restrict_at_once(room, by)
    return ended


def test_a_report_in_a_live_room_takes_it_down(lent_site: Site) -> None:
    room = open_room()
    table = Table(lent_site, room, "ada")
    voice, listeners = table.voices["ada"], table.listeners
    lea, mara = person("lea"), staff("moderator", "mara")
    table.room.refresh_from_db()

    async def story() -> Case:
        talker = table.talker("ada")
        async with at_work(talker.run(), listeners.near.run()):
            await listeners.hear(voice)
            await asyncio.to_thread(listeners.far.poll)
            async with ConsolePage(mara) as console, Page(room, lea) as hers, Page(room) as stranger:
                await console.wait_for("resync")
                for page in (hers, stranger):
                    await page.wait_for("snapshot")
                began = time.monotonic()
                case: Case = await run(reported)(lea, room, (0, 2), about="ada", category="violence")
                told = await console.wait_for("report_received", WITHIN)
                shown = time.monotonic() - began
                assert told["data"] == {"urgent": False, "case": case.pk} and told["room"] == room.slug
                ended = await run(taken_down)(room, mara)
                for page in (hers, stranger):
                    assert (await page.wait_for("room_ended", WITHIN))["data"]["reason"] == "staff"
                pages = time.time() - ended
                await asyncio.sleep(max(0.0, ended + AFTER - time.time()))
                near = listeners.last_sound(ended)
                say(f"on the screen {shown:.2f} s; pages {pages:+.2f} s, sound {near:+.2f} s after the end")
                assert shown < WITHIN and pages < WITHIN and near < WITHIN
                with pytest.raises(HTTPError) as refused:
                    await asyncio.to_thread(listeners.far.browser.fetch, f"/r/{room.slug}/live.m3u8")
                assert refused.value.code in (403, 404, 410)
            return case

    case = asyncio.run(story())
    check_record(room, case, mara)


def check_record(room: Room, case: Case, mara: User) -> None:
    """Check what is kept: the recording, closed to its host; both acts, with a day for rule and facts."""
    wait_until(lambda: Recording.objects.filter(room=room, state="ready").exists(), 90, "finishing")
    for client in (signed_in(room.host), Client()):
        assert "/files/" not in client.get(f"/r/{room.slug}/replay/").content.decode()
    assert is_restricted(room) and is_kept_until(room, 90, "case")
    late = ActAtOnce.objects.exclude(due_at__gte=F("at") + timedelta(hours=24) - timedelta(seconds=5))
    assert ActAtOnce.objects.count() == 2 and not late.exists()
    worked_on(case, mara)
    decide(case, mara, draft(("restrict", None), ("end_room", None)))
    assert set(ActAtOnce.objects.values_list("settled", flat=True)) == {"decided"} and is_restricted(room)
    assert is_kept_until(room, 90, "violation") and acts(case.ledger_subject).count("act_at_once") == 2
    assert_sound_ledger()
