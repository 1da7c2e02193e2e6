"""The clock as people see it: API, templates, admin, readiness; and the sweep as Celery runs it."""

from datetime import UTC, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.template import Context, Template
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from people.groups import MODERATORS
from retention import tasks
from retention.models import PurgeReceipt
from retention.policy import Finding, Hold, Reason
from retention.purge import sweep
from retention.state import HOLD_TEXTS, TEXTS, retention_state
from rooms.models import Room, Seat
from tests.retention.conftest import Facts
from tests.support.people import person
from tests.support.rooms import due_at, open_room
from tests.support.staff import sign_in_staff
from tests.support.traces import marked_room

pytestmark = pytest.mark.django_db(transaction=True)

WORD = "quixotryzebra"


def as_user(user: Any) -> Client:
    if user.is_staff:
        return sign_in_staff(Client(), user)
    client = Client()
    client.force_login(user)
    return client


def kept(client: Client, room: Room) -> Any:
    return client.get(f"/api/v1/rooms/{room.slug}/retention/")


def test_host_and_staff_see_the_clock_and_why_who_spoke_sees_the_clock_and_nobody_else_anything() -> None:
    room = marked_room(WORD)
    guest = Seat.objects.filter(room=room).exclude(user=room.host).get().user
    assert kept(as_user(person("helper", is_staff=True)), room).status_code == 404, "staff who review nothing"
    staff = person("staff", is_staff=True)
    staff.groups.add(Group.objects.get(name=MODERATORS))
    for reader in (room.host, guest, staff):
        answer = kept(as_user(reader), room)
        assert answer.status_code == 200
        expected = due_at(room)
        assert answer.json() == {
            "at": expected.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "day": expected.date().isoformat(),
            "reason": None if reader == guest else "review",
            "text": None if reader == guest else str(TEXTS["review"]),
            "purged": False,
            "receipt": None,
        }
    stranger = kept(as_user(person("stranger")), room)
    assert (stranger.status_code, stranger.json()["error"]["code"]) == (404, "unknown_room")
    assert kept(as_user(room.host), Room(slug="nosuchroom")).json() == stranger.json()
    assert kept(Client(), room).json()["error"]["code"] == "not_signed_in"


def test_what_the_host_is_told_as_facts_change(facts: Facts) -> None:
    live = open_room("livehost")
    assert retention_state(live).reason == "live" and retention_state(live).day is None
    room = marked_room(WORD)
    end = room.ended_at
    assert end is not None
    now = end + timedelta(days=5)
    host = as_user(room.host)
    facts[room.pk] = [Finding("decision:1", end, told_at=end)]
    state = retention_state(room, now)
    assert (state.reason, state.at) == ("violation", end + timedelta(days=90))
    facts[room.pk] = [Hold(Reason.LEGAL, "order:1", end, end + timedelta(days=500))]
    assert (retention_state(room, now).reason, retention_state(room, now).at) == ("review", due_at(room))
    assert "legal" not in kept(host, room).content.decode(), "an order may be secret"
    past = retention_state(room, end + timedelta(days=31))
    assert (past.reason, past.at, past.holds) == ("kept_longer", None, ())
    facts.clear()
    sweep(due_at(room))
    answer = kept(host, room).json()
    assert (answer["reason"], answer["purged"], answer["day"]) == ("purged", True, due_at(room).date().isoformat())
    assert set(Reason) <= set(TEXTS) and {Reason.CASE, Reason.APPEAL, Reason.LEGAL} == set(HOLD_TEXTS)


def test_staff_see_all_reasons_and_holds_unless_they_took_part(facts: Facts) -> None:
    room = marked_room(WORD)
    end = room.ended_at
    assert end is not None
    facts[room.pk] = [Hold(Reason.CASE, "case:7", end), Hold(Reason.APPEAL, "appeal:2", end)]
    staff = person("staff", is_staff=True)
    staff.groups.add(Group.objects.get(name=MODERATORS))
    answer = kept(as_user(staff), room).json()
    assert (answer["reason"], answer["day"]) == ("appeal", (end + timedelta(days=180)).date().isoformat())
    state = retention_state(room, full=True)
    assert [hold.ref for hold in state.holds] == ["appeal:2", "case:7"]
    tags = "{% load retention %}{% full_retention_state room as kept %}{% retention_clock kept %}"
    page = Template(tags).render(Context({"room": room}))
    assert "Open case 7" in page and "Open appeal 2" in page and "at the latest" in page
    guest = Seat.objects.filter(room=room).exclude(user=room.host).get().user
    for party in (room.host, guest):
        party.is_staff = True
        party.save(update_fields=["is_staff"])
        party.groups.add(Group.objects.get(name=MODERATORS))
        told = kept(as_user(party), room).json()
        assert told["reason"] == ("review" if party == room.host else None)
        assert told["day"] == due_at(room).date().isoformat()


def test_the_tag_for_pages() -> None:
    room = marked_room(WORD)
    page = Template("{% load retention %}{% retention_state room as kept %}{{ kept.day|date:'Y-m-d' }} {{ kept.text }}")
    assert page.render(Context({"room": room})) == f"{due_at(room):%Y-%m-%d} {TEXTS['review']}"


@pytest.mark.parametrize(("app", "name"), [("retention", "purgereceipt"), ("moderation", "roomclock")])
def test_admin_lists_and_searches_without_a_query_a_row(app: str, name: str, facts: Facts) -> None:
    admin = person("boss", is_staff=True, is_superuser=True)
    client = as_user(admin)
    url = f"/admin/{app}/{name}/"
    rooms: list[Room] = []
    costs = []
    for more in (1, 4):
        rooms += [marked_room(WORD, len(rooms) + number) for number in range(more)]
        if name == "purgereceipt":
            sweep(max(due_at(room) for room in rooms))
        else:
            facts[rooms[0].pk] = [Hold(Reason.CASE, "case:7", timezone.now())]
        client.get(url)
        with CaptureQueriesContext(connection) as asked:
            page = client.get(url)
        costs.append(len(asked))
    assert costs[0] == costs[1], f"queries for 1 and 5 rows: {costs}"
    assert page.status_code == 200 and all(room.slug in page.content.decode() for room in rooms)
    if name == "roomclock":
        assert "open case" in page.content.decode()
    assert rooms[2].slug in client.get(url, {"q": rooms[2].slug}).content.decode()
    assert rooms[1].slug not in client.get(url, {"q": rooms[2].slug}).content.decode()
    pk = rooms[0].pk if name == "roomclock" else PurgeReceipt.objects.values_list("pk", flat=True)[0]
    assert client.get(f"{url}{pk}/change/").status_code == 200
    assert client.get(f"{url}add/").status_code == 403
    assert client.post(f"{url}{pk}/delete/", {"post": "yes"}).status_code == 403
    refused = 400 if name == "roomclock" else 403  # the form of a clock's page is that of a legal hold
    assert client.post(f"{url}{pk}/change/", {"slug": "x"}).status_code == refused


def test_the_ledger_in_the_admin(django_assert_max_num_queries: Any) -> None:
    rooms = [marked_room(WORD, number) for number in range(3)]
    sweep(max(due_at(room) for room in rooms))
    client = as_user(person("boss", is_staff=True, is_superuser=True))
    # One asks whether the reader is a party of any case, one whether they had a part in what is reviewed.
    with django_assert_max_num_queries(10):
        page = client.get("/admin/ledger/entry/").content.decode()
    assert all(f"room:{room.pk}" in page for room in rooms)
    one = client.get("/admin/ledger/entry/", {"q": f"room:{rooms[1].pk}"}).content.decode()
    assert f"room:{rooms[1].pk}" in one and f"room:{rooms[2].pk}<" not in one
    assert client.get("/admin/ledger/entry/1/change/").status_code == 200
    assert client.post("/admin/ledger/entry/1/change/", {"kind": "x"}).status_code == 403


def test_readiness_tells_how_many_are_overdue(monkeypatch: pytest.MonkeyPatch) -> None:
    from config import health

    room = marked_room(WORD)
    assert health.CHECKS["retention"]() == "0 overdue"
    moment = due_at(room) + timedelta(hours=1)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    told = health.run_check(health.CHECKS["retention"])
    assert (told["state"], told["detail"]) == ("degraded", "1 overdue: see `manage.py retention`")


def test_the_sweep_as_beat_runs_it(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    schedule = {entry["task"]: entry for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert schedule["retention.sweep"]["schedule"] <= settings.RETENTION_TOLERANCE_SECONDS / 2
    assert {"retention.tidy", "ledger.anchor"} <= set(schedule)
    room = marked_room(WORD)
    assert tasks.sweep() == 0
    moment = due_at(room)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    assert (tasks.sweep(), tasks.sweep(), tasks.tidy()) == (1, 0, 0)
