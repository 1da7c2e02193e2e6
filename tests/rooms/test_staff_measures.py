"""Titles that moderators take down, and rooms that they end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from ledger.models import Entry
from people.actions.standing import impose_sanction
from rooms import actions
from rooms.models import HandOver, Room, RoomEvent, TitleTakedown
from rooms.recording import store
from rooms.rules.identity import Who
from rooms.rules.refusals import RoomRefused
from rooms.wire.snapshot import snapshot
from tests.support.people import api_client, person
from tests.support.recordings import talked_room
from tests.support.rooms import open_room, prepared_room, seated

pytestmark = pytest.mark.django_db(transaction=True)
INSULT, REMOVED = "Insulting title", "Title removed"
TOPIC = "And an insult below it"


def test_a_title_is_gone_from_every_page_and_from_events_and_comes_back() -> None:
    room = open_room(title=INSULT, topic=TOPIC)
    client = Client()
    client.force_login(room.host)
    pages = ("/", f"/r/{room.slug}/", "/dashboard/", f"/people/{room.host.handle}/")
    assert all(INSULT in client.get(page).content.decode() for page in pages)
    staff = person("staff")
    row = actions.take_down_title(room, staff)
    assert all(INSULT not in (text := client.get(page).content.decode()) and TOPIC not in text for page in pages)
    assert REMOVED in client.get(f"/r/{room.slug}/").content.decode()
    assert INSULT not in Client().get("/api/v1/rooms/").content.decode()
    taken = snapshot(room.pk, Who(None, "x"))["room"]
    assert (taken["title"], taken["topic"], taken["title_removed"]) == (REMOVED, "", True)
    assert actions.put_back_title(row, staff) and not actions.put_back_title(row, staff)
    back = snapshot(room.pk, Who(None, "x"))["room"]
    assert (back["title"], back["topic"], back["title_removed"]) == (INSULT, TOPIC, False)
    assert TitleTakedown.objects.get().topic == "", "the room's alone again, which a purge blanks"
    events = RoomEvent.objects.filter(room=room, type="title_changed").order_by("seq").values_list("data", flat=True)
    restored = {"title": INSULT, "topic": TOPIC, "removed": False}
    assert list(events) == [{"title": REMOVED, "topic": "", "removed": True}, restored]
    acts = Entry.objects.filter(subject=f"room:{room.pk}", actor=staff.pk).order_by("seq")
    assert list(acts.values_list("kind", flat=True)) == ["title_taken_down", "title_put_back"]
    assert INSULT not in str(list(acts.values())), "no words in the ledger"


def test_the_words_are_in_the_language_of_the_reader() -> None:
    """On pages, in cards, mails and the API: of a Dutch room to English readers, and of an English one to Dutch."""
    for language, reading, words in (("nl", "en", REMOVED), ("en", "nl", "Titel verwijderd")):
        host = person(f"host{reading}", creator=True, language=reading)
        live, coming = open_room(host, title=INSULT, language=language), prepared_room(host, title=INSULT)
        client = Client()
        client.force_login(host)
        for room in (live, coming):
            actions.take_down_title(room, None)
            heading = client.get(room.get_absolute_url()).content.decode().partition("<h1 ")[2].partition("</h1>")[0]
            assert f'lang="{reading}"' in heading and words in heading
            assert client.get(f"/api/v1/rooms/{room.slug}/").json()["room"]["title"] == words
        for page in ("/", "/dashboard/", f"/people/{host.handle}/"):
            assert words in client.get(page).content.decode(), page


def test_what_shows_a_title_shows_that_it_was_removed() -> None:
    """Templates take `shown_title`, so that none says it in the language of the room."""
    found = [str(path) for path in Path("templates").rglob("*.*") if re.search(r"\broom\.title\b", path.read_text())]
    assert found == []


def test_two_decisions_on_a_title_are_lifted_one_by_one() -> None:
    room = open_room(title=INSULT)
    first = actions.take_down_title(room, None, "decision:1")
    assert actions.take_down_title(room, None, "decision:1") == first
    second = actions.take_down_title(room, None, "decision:2")
    actions.put_back_title(first, None)
    room.refresh_from_db()
    assert room.title == REMOVED
    actions.put_back_title(second, None)
    room.refresh_from_db()
    assert room.title == INSULT and not TitleTakedown.objects.filter(lifted_at=None).exists()


def test_the_host_cannot_retype_it_by_form_program_or_database() -> None:
    room = prepared_room(title=INSULT, topic=TOPIC)
    row = actions.take_down_title(room, None)
    api, address = api_client(room.host), f"/api/v1/rooms/{room.slug}/prepared/"
    values = {
        "title": INSULT,
        "topic": "",
        "language": "en",
        "speak_policy": "everyone",
        "entry_policy": "anyone",
        "transcription": True,
        "starts": {"wall": room.starts_wall, "zone": room.starts_zone},
    }
    found = api.put(address, values, content_type="application/json")
    assert (found.status_code, found.json()["error"]["code"]) == (403, "title_taken_down")
    assert set(found.json()["error"]["fields"]) == {"title"}
    found = api.put(address, {**values, "title": REMOVED, "topic": "Bees"}, content_type="application/json")
    assert found.status_code == 403 and set(found.json()["error"]["fields"]) == {"topic"}
    for shown in (REMOVED, "Titel verwijderd"):
        kept = api.put(address, {**values, "title": shown, "language": "nl"}, content_type="application/json")
        assert kept.status_code == 200 and (kept.json()["title"], kept.json()["topic"]) == (REMOVED, "")
    date, _t, time = room.starts_wall.partition("T")
    form = {**values, "date": date, "time": time, "zone": room.starts_zone, "when": "later"}
    client = Client()
    client.force_login(room.host)
    answer = client.post(f"/r/{room.slug}/prepared/", form)
    assert "Moderators removed title and topic" in answer.content.decode()
    for typed in ({"title": INSULT}, {"topic": TOPIC}, {"title_removed": False}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Room.objects.filter(pk=room.pk).update(**typed)
    live = actions.open_prepared(room.pk, room.host)
    assert live.title == REMOVED
    actions.put_back_title(row, None)
    live.refresh_from_db()
    assert (live.title, live.topic) == (INSULT, TOPIC)


def test_a_zip_that_was_built_before_is_built_anew() -> None:
    room = talked_room(title=INSULT)
    link = actions.download_everything(room.pk, room.host)
    actions.take_down_title(room, None)
    assert Client().get(link.address).status_code == 404 and not store.exports_folder(room.pk).exists()
    assert actions.download_everything(room.pk, room.host).digest != link.digest


def test_staff_end_a_room_once() -> None:
    room = open_room()
    guest, staff = seated("guest", room), person("staff")
    assert actions.end_by_staff(room, staff) and not actions.end_by_staff(room, staff)
    room.refresh_from_db()
    assert (room.status, room.end_reason) == ("ended", "staff")
    with pytest.raises(RoomRefused, match="room_ended"):
        actions.take_seat(room.pk, guest)
    assert Entry.objects.filter(kind="room_ended_by_staff", actor=staff.pk).count() == 1


def test_a_suspension_takes_a_person_off_every_stage_and_cancels_what_they_prepared() -> None:
    coming, room = prepared_room("anna"), open_room("host")
    seat = seated("guest", room)
    impose_sanction(coming.host, "suspended", None, "shouting")
    impose_sanction(seat, "suspended", None, "shouting")
    coming.refresh_from_db()
    assert (coming.status, coming.cancel_reason) == ("cancelled", "staff")
    assert not room.seats.filter(user=seat, left_at=None).exists() and not HandOver.objects.exists()
