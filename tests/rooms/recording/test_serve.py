"""HLS over HTTP: the playlist for who may listen, pieces for who has the address while it lasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from rooms import actions
from rooms.models import Room
from rooms.recording import store
from tests.rooms import people
from tests.rooms.recording.test_finish import record

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def room() -> Room:
    room = people.open_room()
    record(room, 0, 500, begins=0, seconds=12)
    return room


def test_the_window_and_its_pieces(client: Client, room: Room) -> None:
    answer = client.get(f"/r/{room.slug}/live.m3u8")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"
    addresses = [line for line in answer.content.decode().splitlines() if line.startswith("/hls/")]
    assert len(addresses) == 8
    piece = client.get(addresses[-1])
    assert piece.status_code == 200
    assert piece["Cache-Control"].startswith("public")
    assert piece["Content-Type"] == "audio/mp4"
    assert client.get(f"/r/{room.slug}/live.m3u8").content == answer.content


def test_who_may_not_come_in_gets_no_playlist(client: Client, room: Room) -> None:
    Room.objects.filter(pk=room.pk).update(entry_policy=Room.EntryPolicy.INVITED)
    assert client.get(f"/r/{room.slug}/live.m3u8").status_code in (401, 403)


def test_an_ended_room_has_no_playlist(client: Client, room: Room) -> None:
    actions.end_room(room.pk, room.host)
    assert client.get(f"/r/{room.slug}/live.m3u8").status_code in (404, 409, 410)
    assert client.get("/r/nosuchroom/live.m3u8").status_code == 404


def test_before_the_first_piece_a_player_comes_back(client: Client) -> None:
    answer = client.get(f"/r/{people.open_room().slug}/live.m3u8")
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")


@pytest.mark.parametrize(
    ("age", "works"), [(0, True), (1, True), (2, True), (4, False), (-3, False)], ids=lambda value: str(value)
)
def test_an_address_lasts_a_few_minutes(client: Client, room: Room, age: int, works: bool) -> None:
    address = store.segment_address(room.pk, "0-3.m4s", timezone.now() - timedelta(minutes=age))
    assert (client.get(address).status_code == 200) is works


def test_addresses_cannot_be_made_up(client: Client, room: Room) -> None:
    address = store.segment_address(room.pk, "0-3.m4s", datetime.now(UTC))
    _, hls, token, minute, name = address.split("/")
    number, mark = minute.split("-")
    other = store.room_token(room.pk + 1)
    for wrong in (
        f"/{hls}/{other}/{minute}/{name}",
        f"/{hls}/{room.pk}-{'0' * 24}/{minute}/{name}",
        f"/{hls}/{token}/{int(number) + 1}-{mark}/{name}",
        f"/{hls}/{token}/{number}-{'0' * 32}/{name}",
        f"/{hls}/{token}/{minute}/0.m3u8",
        f"/{hls}/{token}/{minute}/.lock",
        f"/{hls}/{token}/{minute}/..%2Fmix.m4a",
        f"/{hls}/{token}/{minute}/999-1.m4s",
    ):
        assert client.get(wrong).status_code == 404, wrong


def test_production_hands_files_to_the_web_server(client: Client, room: Room, settings: object) -> None:
    settings.X_ACCEL_REDIRECT = True  # type: ignore[attr-defined]
    answer = client.get(store.segment_address(room.pk, "0-3.m4s", timezone.now()))
    assert answer["X-Accel-Redirect"] == f"/_recordings/{room.pk}/hls/0-3.m4s"
    assert answer.content == b""
