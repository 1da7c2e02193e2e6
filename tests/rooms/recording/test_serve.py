"""HLS over HTTP: the playlist for who may listen, and each piece at its own address, while it is in the window."""

from __future__ import annotations

import re
import time
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from rooms import actions
from rooms.models import Room
from rooms.recording import store
from rooms.recording.hls import epochs, playlists
from tests.rooms.recording.test_finish import record
from tests.support.rooms import open_room

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 24  # recorded: three windows


@pytest.fixture
def room() -> Room:
    room = open_room()
    record(room, 0, 500, begins=0, seconds=SECONDS)
    return room


def listed(client: Client, room: Room) -> list[str]:
    """Addresses of the pieces in the public playlist, oldest first."""
    text = client.get(f"/r/{room.slug}/live.m3u8").content.decode()
    return [line for line in text.splitlines() if line.startswith("/hls/")]


def number_of(address: str) -> int:
    return int(re.fullmatch(r".*/\d+-(\d+)\.m4s", address)[1])  # type: ignore[index]


def gone_within(client: Client, addresses: list[str], seconds: float = 20.0) -> bool:
    """Whether none of these opens any more, in the end. (How soon that is, tests/e2e/test_sound.py measures.)"""
    end = time.monotonic() + seconds
    while any(client.get(address).status_code != 404 for address in addresses):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def renew(room: Room) -> None:
    """Begin a new epoch, as actions do that change who may listen."""
    with transaction.atomic():
        actions.new_epoch(Room.objects.select_for_update().get(pk=room.pk))


def test_the_window_and_its_pieces(client: Client, room: Room) -> None:
    answer = client.get(f"/r/{room.slug}/live.m3u8")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"
    addresses = listed(client, room)
    assert len(addresses) == playlists.WINDOW
    for address in addresses:
        piece = client.get(address)
        assert piece.status_code == 200
        assert piece["Cache-Control"].startswith("public")
        assert piece["Content-Type"] == "audio/mp4"
    assert client.get(f"/r/{room.slug}/live.m3u8").content == answer.content
    assert listed(Client(), room) == addresses, "the same for everybody: caches work"


def test_who_may_not_come_in_gets_no_playlist(client: Client, room: Room) -> None:
    Room.objects.filter(pk=room.pk).update(entry_policy=Room.EntryPolicy.INVITED)
    assert client.get(f"/r/{room.slug}/live.m3u8").status_code in (401, 403)


def test_an_ended_room_has_no_playlist(client: Client, room: Room) -> None:
    actions.end_room(room.pk, room.host)
    assert client.get(f"/r/{room.slug}/live.m3u8").status_code in (404, 409, 410)
    assert client.get("/r/nosuchroom/live.m3u8").status_code == 404


def test_before_the_first_piece_a_player_comes_back(client: Client) -> None:
    answer = client.get(f"/r/{open_room().slug}/live.m3u8")
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")


def test_with_one_address_nobody_counts_to_another(client: Client, room: Room) -> None:
    """Every piece since the room began lies there; an address opens its own and leads to none."""
    other = open_room("other")
    record(other, 0, 500, begins=0, seconds=2)
    address = listed(client, room)[-1]
    _, hls, token, mark, name = address.split("/")
    pk, epoch = token.split("-")
    theirs = listed(client, other)[-1].split("/")[2].partition("-")[2]
    guesses = [f"/{hls}/{token}/{mark}/0-{number}.m4s" for number in range(SECONDS + 3) if f"0-{number}.m4s" != name]
    guesses += [f"/{hls}/{token}/{mark}/{run}-{part}" for run in range(3) for part in ("init.mp4", "0.m4s", "1.m4s")]
    guesses += [f"/{hls}/{key}-{epoch}/{mark}/{name}" for key in (other.pk, int(pk) + 1, int(pk) - 1, f"0{pk}")]
    guesses += [f"/{hls}/{pk}-{uuid4().hex}/{mark}/{name}", f"/{hls}/{pk}-{theirs}/{mark}/{name}"]
    minute = int(time.time()) // 60  # how addresses once were made
    guesses += [f"/{hls}/{token}/{minute + later}-{mark}/{name}" for later in range(-3, 4)]
    guesses += [f"/{hls}/{token}/{mark}/{file}" for file in ("0.m3u8", "0.kept", ".lock", "0-init.mp4", "..%2Fmix.m4a")]
    assert {client.get(guess).status_code for guess in guesses} == {404}
    assert client.get(address).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/hls/x/y/z",
        "/hls/1/2/0-0.m4s",
        "/hls/{room}-{epoch}/{mark}",
        "/hls/{room}-{epoch}/{mark}/{name}/",
        "/hls/{room}-{epoch}/{mark}/%00{name}",
        "/hls/{room}-{epoch}/{mark}/{name}%0A",
        "/hls/{room}-{epoch}/%ED%A0%80/{name}",
        "/hls/{room}-{epoch}/{mark}/%D9%A0-%D9%A3.m4s",
        "/hls/{long}-{epoch}/{mark}/{name}",
        "/hls/{room}-{epoch}/{mark}/{long}-{long}.m4s",
        "/hls/{room}-{long}/{long}/{long}",
    ],
)
def test_what_is_no_address_is_not_found(client: Client, room: Room, path: str) -> None:
    _, _, token, mark, name = listed(client, room)[-1].split("/")
    pk, epoch = token.split("-")
    address = path.format(room=pk, epoch=epoch, mark=mark, name=name, long="9" * 5000)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == (400 if "%00" in path else 404)
    assert len(asked) == 0, "nothing is asked for what we did not sign"


def test_only_the_window_and_a_few_before_it(client: Client, room: Room) -> None:
    """Also with addresses that were ours: what was heard once is not handed out for the rest of the room."""
    addresses = [store.segment_address(room.pk, room.epoch, f"0-{number}.m4s") for number in range(SECONDS + 9)]
    opens = [number for number, address in enumerate(addresses) if client.get(address).status_code == 200]
    newest = number_of(listed(client, room)[-1])
    assert opens == list(range(newest - playlists.WINDOW - playlists.MARGIN + 1, newest + 1))
    kept = listed(client, room)[0]
    record(room, 1, 1000, begins=SECONDS + 1, seconds=playlists.MARGIN - 1)  # which may make MARGIN pieces
    assert client.get(kept).status_code == 200, "a slow player, a few pieces behind"
    inits = [store.segment_address(room.pk, room.epoch, f"{run}-init.mp4") for run in (0, 1)]
    assert [client.get(init).status_code for init in inits] == [200, 200]
    record(room, 2, 1500, begins=SECONDS + 10, seconds=14)
    assert gone_within(client, [kept, *inits])
    assert client.get(listed(client, room)[-1]).status_code == 200


def test_after_the_end_nothing_is_handed_out(client: Client, room: Room) -> None:
    """Addresses that a listener kept: none opens two seconds later, nor any that they lead to."""
    addresses = listed(client, room)
    assert {client.get(address).status_code for address in addresses} == {200}
    actions.end_room(room.pk, room.host)
    record(room, 1, 1000, begins=SECONDS, seconds=3)  # what the recorder still writes
    counted = [re.sub(r"[^/]*$", name, addresses[-1]) for name in ("0-0.m4s", "1-init.mp4", "1-2.m4s")]
    assert gone_within(client, [*addresses, *counted])
    room.refresh_from_db()
    new = [store.segment_address(room.pk, room.epoch, name) for name in ("1-init.mp4", "1-0.m4s", "1-2.m4s")]
    assert {client.get(address).status_code for address in new} == {404}


def test_a_new_epoch_ends_every_address_and_the_list_goes_on(client: Client, room: Room) -> None:
    before = client.get(f"/r/{room.slug}/live.m3u8").content.decode()
    old = listed(client, room)
    assert client.get(old[-1]).status_code == 200
    renew(room)
    new = listed(client, room)
    assert [client.get(address).status_code for address in new] == [200] * len(new), "at once, with no wait"
    assert gone_within(client, old)
    assert [number_of(address) for address in new] == [number_of(address) for address in old]
    assert not set(new) & set(old)
    sequence = re.compile(r"#EXT-X-MEDIA-SEQUENCE:\d+\n#EXT-X-DISCONTINUITY-SEQUENCE:\d+\n")
    after = client.get(f"/r/{room.slug}/live.m3u8").content.decode()
    assert sequence.findall(after) == sequence.findall(before) != []


def test_listeners_cost_the_database_one_question_a_second(client: Client, room: Room) -> None:
    addresses = listed(client, room)
    epochs._answers.clear()
    with CaptureQueriesContext(connection) as asked:
        began = time.monotonic()
        for _listener in range(20):
            assert {client.get(address).status_code for address in addresses} == {200}
    assert 1 <= len(asked) <= 2 + (time.monotonic() - began) / epochs.ASKED_AGAIN, "160 pieces"
    renew(room)
    gone_within(client, addresses)
    with CaptureQueriesContext(connection) as asked:
        began = time.monotonic()
        for _listener in range(20):
            assert {client.get(address).status_code for address in addresses} == {404}
    assert len(asked) <= 2 + (time.monotonic() - began) / epochs.ASKED_AGAIN


def test_in_production_too_the_site_sends_pieces_so_that_caches_can_keep_them(
    client: Client, room: Room, settings: object
) -> None:
    settings.X_ACCEL_REDIRECT = True  # type: ignore[attr-defined]
    address = listed(client, room)[-1]
    answer = client.get(address)
    assert "X-Accel-Redirect" not in answer and answer.content
    actions.end_room(room.pk, room.host)
    assert gone_within(client, [address])
