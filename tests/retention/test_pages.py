"""One clock for all pages: dashboard, ended room, replay and API tell the same day and reason, whatever happens."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from people.models import User
from retention.models import PurgeReceipt
from retention.policy import Finding, Hold, Reason
from retention.purge import sweep
from rooms.models import Room, Seat
from tests.retention.conftest import Facts
from tests.support.people import person
from tests.support.rooms import due_at
from tests.support.traces import marked_room
from transcripts.models import Transcript

pytestmark = pytest.mark.django_db(transaction=True)

WORD = "quixotryzebra"
DASHBOARD, ROOM, REPLAY = "/dashboard/", "/r/{}/", "/r/{}/replay/"


def client(user: User | None) -> Client:
    browser = Client()
    if user is not None:
        browser.force_login(user)
    return browser


def read(user: User | None, address: str) -> str:
    answer = client(user).get(address)
    assert answer.status_code == 200, address
    return re.sub(r"\s+", " ", re.sub(r"</?time[^>]*>", "", answer.content.decode()))


def pages(room: Room) -> dict[str, str]:
    """Return the text of each page as the host reads it, by address."""
    return {address: read(room.host, address.format(room.slug)) for address in (DASHBOARD, ROOM, REPLAY)}


def kept(room: Room) -> dict[str, Any]:
    answer: dict[str, Any] = client(room.host).get(f"/api/v1/rooms/{room.slug}/retention/").json()
    return answer


def violation_day(room: Room) -> datetime:
    assert room.ended_at is not None
    return room.ended_at + timedelta(days=settings.RECORDING_DAYS_VIOLATION)


def words(at: datetime, zone: str = "UTC") -> str:
    """Day and time as a page has them before script refines them."""
    there = at.astimezone(ZoneInfo(zone))
    return f"{there.day} {there:%B %Y %H:%M}"


def test_all_pages_tell_the_day_the_time_and_the_reason_and_the_same(facts: Facts) -> None:
    room = marked_room(WORD)
    end = room.ended_at
    assert end is not None
    for address, page in pages(room).items():
        assert f"Kept for review until {words(due_at(room))}, then deleted." in page, address
        assert "30 days left" in page and "Day 0 · 30 days left" in page, address
        assert page.count('<svg class="clock"') == 1 and 'width="33.33%"' in page, address
    facts[room.pk] = [Finding("decision:1", end, told_at=end)]
    later = violation_day(room)
    for address, page in pages(room).items():
        assert f"Kept longer, until {words(later)}, because a decision found a violation" in page, address
        assert words(due_at(room)) not in page and "Day 0 · 90 days left" in page, address
    assert (kept(room)["reason"], kept(room)["day"]) == ("violation", later.date().isoformat())
    facts.clear()
    sweep(due_at(room))
    receipt = PurgeReceipt.objects.get(room=room.pk)
    for address, page in pages(room).items():
        assert f"Deleted on {words(due_at(room))}." in page and receipt.digest[:12] in page, address
        assert f"{receipt.file_count} files" in page and "Kept for review" not in page, address
        assert "Recording ready" not in page and "Transcript ready" not in page
    answer = kept(room)
    assert (answer["purged"], answer["receipt"]["digest"]) == (True, receipt.digest)
    assert set(answer["receipt"]) == {"digest", "files", "bytes"}, "the rule may name a secret order"
    assert "kept_until" not in client(room.host).get(f"/api/v1/rooms/{room.slug}/recording/").json()


def test_the_host_reads_nothing_of_a_case_and_past_day_30_that_it_is_kept_longer(
    facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = marked_room(WORD)
    end = room.ended_at
    assert end is not None
    plain, answer = pages(room), kept(room)
    secret: list[Finding | Hold] = [
        Hold(Reason.CASE, "case:1", end),
        Hold(Reason.LEGAL, "order:1", end, end + timedelta(days=400)),
        Finding("proposal:1", end, proposed=True),
        Finding("decision:1", end),
    ]
    for fact in secret:
        facts[room.pk] = [fact]
        assert [parts(page) for page in pages(room).values()] == [parts(page) for page in plain.values()], fact
        assert kept(room) == answer
    moment = due_at(room) + timedelta(days=3)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    for fact in secret:
        facts[room.pk] = [fact]
        for address, page in pages(room).items():
            assert "Kept longer for review." in page and "Day 33" in page and "days left" not in page, address
        assert (kept(room)["reason"], kept(room)["at"]) == ("kept_longer", None)


def parts(page: str) -> list[str]:
    """Return each clock of a page, as it is."""
    found = re.findall(r"<div data-retention>.*?</div>", page)
    assert found
    return found


def test_a_due_copy_is_said_to_be_going(monkeypatch: pytest.MonkeyPatch) -> None:
    room = marked_room(WORD)
    moment = due_at(room) + timedelta(minutes=2)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    for page in pages(room).values():
        assert "Nothing keeps it any longer: it is being deleted." in page


def test_in_the_readers_zone() -> None:
    room = marked_room(WORD)
    User.objects.filter(pk=room.host_id).update(time_zone="Asia/Tokyo")
    for page in pages(room).values():
        assert words(due_at(room), "Asia/Tokyo") in page


def test_reasons_are_for_the_host_the_day_for_who_spoke_and_neither_for_others(facts: Facts) -> None:
    room = marked_room(WORD)
    end = room.ended_at
    assert end is not None
    facts[room.pk] = [Finding("decision:1", end, told_at=end)]
    later = words(violation_day(room))
    guest = Seat.objects.filter(room=room).exclude(user=room.host).get().user
    for address in (ROOM, REPLAY):
        page = read(guest, address.format(room.slug))
        assert f"Kept until {later}, then deleted." in page and "violation" not in page
    for kind in (Reason.CASE, Reason.APPEAL, Reason.LEGAL):
        until = due_at(room) + timedelta(days=9) if kind is Reason.LEGAL else None
        facts[room.pk].append(Hold(kind, "held", end, until))
        for address in (ROOM, REPLAY):
            page = read(guest, address.format(room.slug))
            text = re.sub(r'<script type="importmap".*?</script>', "", page, flags=re.S)  # it names all modules
            assert not any(word in text for word in ("looking into", "appeal", "violation")), (kind, address)
        facts[room.pk].pop()
    for reader in (None, person("stranger")):
        page = read(reader, ROOM.format(room.slug))
        assert "Kept for review, and deleted on its day." in page and later not in page and "days left" not in page
    sweep(violation_day(room))
    assert "The recording has been deleted." in read(None, ROOM.format(room.slug))


def test_a_dashboard_of_thirty_rooms_asks_as_often_as_one_of_one(facts: Facts) -> None:
    host, costs = person("manyrooms", creator=True), []
    for more in (1, 29):
        for number in range(more):
            made = marked_room(WORD, number + 100 * more)
            Room.objects.filter(pk=made.pk).update(host=host)
            facts[made.pk] = [Hold(Reason.CASE, "case:1", timezone.now())]
            if number % 3 == 1:
                Transcript.objects.filter(room=made).update(state="running")
            if number % 3 == 2:
                facts.pop(made.pk)
                sweep(due_at(made))
        browser = client(host)
        browser.get(DASHBOARD)
        with CaptureQueriesContext(connection) as asked:
            page = browser.get(DASHBOARD).content.decode()
        costs.append(len(asked))
    assert page.count('id="state-') == 30 and page.count("Deleted on") == 9
    # One more than for the first: receipts are asked for where something was deleted.
    assert costs[1] <= costs[0] + 1 and costs[1] <= 12, costs
