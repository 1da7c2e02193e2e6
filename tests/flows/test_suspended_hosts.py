"""The host of a live room with real speech is suspended by a decision, in browsers: a co-host who is there gets the
room, or it ends. What the host says is heard no longer."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from playwright.sync_api import Page, expect

from moderation.actions.decisions import undo_decision
from moderation.models import Decision
from people.standing import standing_of, why_not_enter
from rooms.models import HandOver
from tests.e2e.browser import Chromium, start_sound
from tests.e2e.hearing import PageEar, wait_playing
from tests.flows.concerned import shows_replay, suspended
from tests.flows.console import Console
from tests.flows.line import acts, assert_sound_ledger, is_kept_until
from tests.flows.live import (
    beside,
    fill_in_dialog,
    just_said,
    label,
    last_sound,
    look_for,
    seen_at,
    send,
    wait_recorded,
)
from tests.rooms.media.table import Table
from tests.support.cases import staff
from tests.support.cohosts import fresh, with_cohosts
from tests.support.people import person
from tests.support.processes import Site, watched
from tests.support.recordings import ended_recording
from tests.support.rooms import make_public, prepared_room
from tests.support.waiting import say

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]
WITHIN = 2.0  # seconds
AFTER = 4.0  # seconds that are listened to afterwards
OVER = "This room has ended"


@pytest.fixture
def web(lent_site: Site) -> Generator[Site]:
    """The site that tests share. Nothing in the log of its web process may be a failure of ours."""
    yield from watched(lent_site)


class Evening:
    """A live room whose host speaks and has a replay and a room for tomorrow; a listener; and a moderator who has
    previewed the host's suspension, after a report and with what was said as evidence."""

    def __init__(self, site: Site, chromium: Chromium) -> None:
        self.chromium = chromium
        self.room, (self.cohost,) = with_cohosts("cora")
        self.host, self.coming = self.room.host, prepared_room(self.room.host)
        self.replay = ended_recording(self.host).room
        make_public(self.replay)
        self.table = Table(site, self.room, "host")
        self.mara = Console(chromium, staff("moderator", "mara"))

    def begin(self) -> None:
        """While the host speaks."""
        self.his = self.chromium.page("/", self.host)
        self.near = self.chromium.room(self.room, person("lea"))
        start_sound(self.near)
        wait_playing(self.near, 30)
        self.ear = PageEar(self.near)
        self.ear.hear(self.table.voices["host"])
        seconds, mara = just_said(self.room), self.mara
        fill_in_dialog(self.near, "host", "harassment", seconds)
        self.case = send(self.near)
        self.near.get_by_role("button", name="Close", exact=True).click()
        wait_recorded(mara, self.case, seconds)
        assert mara.next_case() == self.case.pk
        mara.listen(label(seconds))
        mara.mark(label(seconds))
        mara.draft(("suspend", 7))
        mara.preview()
        self.ear.hear(self.table.voices["host"])

    def suspend(self, selector: str, text: str) -> None:
        """Decide; two seconds later the listener's page says so, and the host is not heard."""
        look_for(self.near, selector, text)
        self.mara.confirm()
        expect(self.mara.page.get_by_text("Decided. It is in force")).to_be_visible()
        decided = Decision.objects.get().at.timestamp()
        page, sound = seen_at(self.near) - decided, last_sound(self.ear, decided, AFTER)
        say(f"{text!r}: page {page:.2f} s, sound {sound:.2f} s after the decision")
        assert page < WITHIN and sound < WITHIN
        suspended(self.chromium, self.his, "Until")

    def check_the_rest(self, stranger: Page) -> None:
        """Check what the host has elsewhere, before and after the decision is undone."""
        host, decision = fresh(self.coming).host, Decision.objects.get()
        assert is_kept_until(self.room, 90, "violation")
        assert why_not_enter(standing_of(host)) == "account_suspended"
        assert (fresh(self.coming).status, fresh(self.coming).cancel_reason) == ("cancelled", "staff")
        shows_replay(self.chromium, stranger, self.replay, "empty")
        assert decision.measures.get().memory["person"] == self.host.pk, "it stays about the former host"
        assert "sanction_imposed" in acts(f"person:{self.host.pk}")
        assert undo_decision(decision, None, "A quotation") and why_not_enter(standing_of(host)) is None
        self.chromium.go(self.his, "/dashboard/")
        assert fresh(self.coming).status == "cancelled", "what was lost does not come back"
        assert_sound_ledger()


def test_a_cohost_who_is_there_gets_the_room(web: Site, chromium: Chromium) -> None:
    evening = Evening(web, chromium)
    hers = chromium.room(evening.room, evening.cohost)
    expect(hers.get_by_role("button", name="End room")).to_have_count(0)
    with beside(evening.table.talker("host").run()):
        evening.begin()
        evening.suspend("body", "Cora hosts this room now.")
    row = fresh(evening.room)
    assert (row.status, row.host) == ("live", evening.cohost)
    assert HandOver.objects.get().reason == HandOver.Reason.STAFF
    hers.get_by_role("button", name="End room").click()  # with all of a host's rights
    hers.get_by_role("dialog").get_by_role("button", name="End room").click()
    expect(evening.near.locator("[data-table]")).to_contain_text(OVER)
    evening.check_the_rest(hers)


def test_without_a_cohost_who_is_there_it_ends_at_once(web: Site, chromium: Chromium) -> None:
    evening = Evening(web, chromium)
    with beside(evening.table.talker("host").run()):
        evening.begin()
        evening.suspend("[data-table]", OVER)
    row = fresh(evening.room)
    assert (row.status, row.end_reason) == ("ended", "staff")
    expect(evening.near.locator("[data-table]")).to_contain_text("Staff ended it.")
    evening.check_the_rest(evening.near)
