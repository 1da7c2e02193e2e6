"""A report in a live room with real speech, in browsers: on moderators' screens, and the room ended, each within two
seconds."""

from __future__ import annotations

import time
from collections.abc import Generator
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from playwright.sync_api import expect

from moderation.models import ActAtOnce, Case
from rooms.models import Recording, Room
from rooms.rules.restrictions import is_restricted
from tests.e2e.browser import Chromium, start_sound
from tests.e2e.hearing import PageEar, wait_playing
from tests.flows.concerned import HostPages
from tests.flows.console import QUEUE, Console
from tests.flows.line import acts, assert_sound_ledger, is_kept_until
from tests.flows.live import beside, fill_in_dialog, just_said, label, last_sound, look_for, seen_at, send
from tests.rooms.media.table import Table
from tests.support.cases import staff
from tests.support.people import person
from tests.support.processes import Site, watched
from tests.support.rooms import open_room
from tests.support.waiting import say, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]
WITHIN = 2.0  # seconds
AFTER = 5.0  # seconds that are listened to afterwards
OVER = "This room has ended"
REFUSED = (403, 404, 410)


@pytest.fixture
def web(lent_site: Site) -> Generator[Site]:
    """The site that tests share. Nothing in the log of its web process may be a failure of ours."""
    yield from watched(lent_site)


def test_a_report_in_a_live_room_takes_it_down(web: Site, chromium: Chromium) -> None:
    room = open_room()
    table = Table(web, room, "ada")
    mara = Console(chromium, staff("moderator", "mara"))
    with beside(table.talker("ada").run()):
        hers, near = chromium.room(room, person("lea")), chromium.room(room)
        start_sound(near)
        wait_playing(near, 30)
        ear = PageEar(near)
        ear.hear(table.voices["ada"])
        playlist = f"{web.url}/r/{room.slug}/live.m3u8"
        wait_until(lambda: near.request.get(playlist).status == 200, 60, "the same by HLS")
        mara.go(QUEUE)
        seconds = just_said(room)
        fill_in_dialog(hers, "ada", "violence", seconds)
        mara.page.wait_for_timeout(2500)  # the queue is at rest
        look_for(mara.page, "[data-queue-case]", "Ada")
        filed = time.time()
        case = send(hers)
        shown = seen_at(mara.page) - filed
        mara.page.locator(f'[data-queue-case="{case.pk}"]').click()
        mara.ready()
        mara.at_once("End this room")
        for page in (hers, near):
            look_for(page, "[data-table]", OVER)
        ear.hear(table.voices["ada"])
        pressed = time.time()
        mara.press("End this room")
        pages = max(seen_at(page) for page in (hers, near)) - pressed
        sound = last_sound(ear, pressed, AFTER)
        say(f"on the screen {shown:.2f} s after filing; pages {pages:.2f} s, sound {sound:.2f} s after the click")
        assert shown < WITHIN and pages < WITHIN and sound < WITHIN
        expect(near.locator("[data-table]")).to_contain_text("Staff ended it.")
        assert near.request.get(playlist).status in REFUSED
    expect(mara.page.get_by_text("The room has ended. Decide within 24 hours.")).to_be_visible()
    mara.at_once("Close the recording")
    mara.press("Close the recording")
    expect(mara.page.get_by_text("The recording is closed. Decide within 24 hours.")).to_be_visible()
    check_record(chromium, room, case, mara, seconds)


def check_record(chromium: Chromium, room: Room, case: Case, mara: Console, seconds: tuple[int, int]) -> None:
    """Check what is kept: the recording, closed to its host; both acts, with a day for rule and facts. The moderator
    listens to it and decides."""
    wait_until(lambda: Recording.objects.filter(room=room, state="ready").exists(), 90, "finishing")
    HostPages(chromium, room).shows("closed")
    assert "/files/" not in Client().get(f"/r/{room.slug}/replay/").content.decode()
    assert is_restricted(room) and is_kept_until(room, 90, "case")
    late = ActAtOnce.objects.exclude(due_at__gte=F("at") + timedelta(hours=24) - timedelta(seconds=5))
    assert ActAtOnce.objects.count() == 2 and not late.exists()
    mara.open(case)
    mara.claim()
    mara.listen(label(seconds))
    mara.mark(label(seconds))
    mara.decide(("restrict", None), ("end_room", None))
    assert set(ActAtOnce.objects.values_list("settled", flat=True)) == {"decided"} and is_restricted(room)
    assert is_kept_until(room, 90, "violation") and acts(case.ledger_subject).count("act_at_once") == 2
    assert_sound_ledger()
