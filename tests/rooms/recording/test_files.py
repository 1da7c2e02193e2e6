"""Files by signed links: any range of them, for whom they were meant, as long as there is a copy."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Generator
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.utils import timezone

from people.models import User
from retention import purge
from rooms import actions
from rooms.hooks import recording_ready
from rooms.models import Recording, RecordingFile, Room
from rooms.recording import store, tasks
from rooms.recording.delivery import links
from social.models import Follow
from tests.support.people import person
from tests.support.recordings import talked_room
from tests.support.rooms import due_at, published

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _streams_are_read_at_once() -> Generator[None]:
    """The test client reads an asynchronous stream in one go, and Django warns of it: here that is what we want."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume asynchronous iterators")
        yield


@pytest.fixture
def room() -> Room:
    return talked_room()


def body(response: Any) -> bytes:
    return b"".join(response)


def mix(room: Room, who: User | None = None) -> str:
    return links.address(room.pk, "mix", room.host if who is None else who, "mix.m4a")


def get(address: str, **headers: str) -> Any:
    return Client().get(address, headers=headers)


def test_all_of_it_and_parts_of_it(room: Room) -> None:
    content = store.mix_path(room.pk).read_bytes()
    whole = get(mix(room))
    assert (whole.status_code, body(whole)) == (200, content)
    assert whole["Accept-Ranges"] == "bytes" and whole["Content-Length"] == str(len(content))
    assert whole["Content-Type"] == "audio/mp4" and "private" in whole["Cache-Control"]
    size = len(content)
    for asked, start, stop in (
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, size),
        ("bytes=-500", size - 500, size),
        (f"bytes={size - 1}-{size + 1000}", size - 1, size),
    ):
        part = get(mix(room), Range=asked)
        assert (part.status_code, body(part)) == (206, content[start:stop]), asked
        assert part["Content-Range"] == f"bytes {start}-{stop - 1}/{size}"
        assert part["Content-Length"] == str(stop - start)
    behind = get(mix(room), Range=f"bytes={size}-")
    assert behind.status_code == 416 and behind["Content-Range"] == f"bytes */{size}"


def test_a_range_of_something_else_is_never_mixed_in(room: Room) -> None:
    etag = get(mix(room))["ETag"]
    assert get(mix(room), Range="bytes=5-9", **{"If-Range": etag}).status_code == 206
    for other in ('"another"', f"W/{etag}", "Mon, 23 Nov 2026 18:00:00 GMT"):
        assert get(mix(room), Range="bytes=5-9", **{"If-Range": other}).status_code == 200
    assert get(mix(room), **{"If-None-Match": etag}).status_code == 304
    assert get(mix(room), **{"If-Match": '"another"'}).status_code == 412


def test_head_tells_the_size_and_sends_nothing(room: Room) -> None:
    answer = Client().head(mix(room))
    assert answer.status_code == 200 and answer.content == b""
    assert answer["Content-Length"] == str(store.mix_path(room.pk).stat().st_size)
    assert Client().post(mix(room)).status_code == 405


def test_in_production_nginx_delivers(room: Room) -> None:
    with patch.object(settings, "X_ACCEL_REDIRECT", True):
        answer = get(mix(room))
    assert answer["X-Accel-Redirect"] == f"/_recordings/{room.pk}/mix.m4a"
    assert answer.content == b"" and answer["Content-Type"] == "audio/mp4"


def links_token(room: Room, what: str) -> str:
    return links.address(room.pk, what, room.host, "x").split("/")[2]


def links_claim(room: Room, what: str) -> str:
    return links_token(room, what).rpartition(":")[0]


def test_links_end_and_cannot_be_made_up(room: Room) -> None:
    address = mix(room)
    token = address.split("/")[2]
    assert links.parse_token(token) is not None
    assert links.parse_token(token, time.time() + links.LISTEN_FOR + links.HOUR + 1) is None
    claim, _colon, mark = token.rpartition(":")
    for wrong in (
        token[:-1],
        token.replace(".mix.", ".peaks."),
        token.replace(f"{room.pk}.", f"{room.pk + 1}.", 1),
        f"{links_claim(room, 'file-1')}:{mark}",
        f"{claim}0:{mark}",
        f"{claim.replace(f'.{room.host_id}.', '.everybody.')}:{mark}",
        f"{claim}:{links_token(room, 'peaks').rpartition(':')[2]}",
        "x",
        "x" * 5000,
        "%ED%A0%80",
    ):
        assert get(address.replace(token, wrong)).status_code == 404
    assert get(address.replace(token, "%00")).status_code == 400
    with patch("rooms.recording.delivery.links.time.time", return_value=time.time() - 8 * links.HOUR):
        old = mix(room)
    assert get(old).status_code == 404


def test_a_link_is_for_one_person_and_what_that_person_may_still(room: Room) -> None:
    stranger, speaker = person("stranger"), room.seats.get(user__handle="ada").user
    assert get(mix(room, speaker)).status_code == 200
    assert get(mix(room, stranger)).status_code == 404
    everybody = links.address(room.pk, "mix", None, "mix.m4a")
    assert get(everybody).status_code == 404
    track = RecordingFile.objects.filter(recording__room=room, kind="track").first()
    assert track is not None
    assert get(links.address(room.pk, f"file-{track.pk}", speaker, "a.opus")).status_code == 404
    kept = get(links.address(room.pk, f"file-{track.pk}", room.host, "a.opus"))
    assert kept.status_code == 200 and "attachment" in kept["Content-Disposition"]
    published(room)
    assert get(everybody).status_code == get(mix(room, stranger)).status_code == 200
    actions.set_published(room.pk, room.host, False)
    assert get(everybody).status_code == 404
    speaker.is_active = False
    speaker.save()
    assert get(mix(room, speaker)).status_code == 404


@pytest.mark.parametrize("policy", ["signed_in", "followers", "invited"])
def test_a_link_asks_who_may_come_in_each_time_it_is_used(room: Room, policy: str) -> None:
    """A published replay is for whom its room admits: also by a link that was made while it admitted more people."""
    published(room)
    stranger, follower, ada = person("stranger"), person("follower"), room.seats.get(user__handle="ada").user
    Follow.objects.create(follower=follower, followed=room.host)
    everybody = links.address(room.pk, "mix", None, "mix.m4a")
    drawn = links.address(room.pk, "peaks", None, "peaks.json")
    given = [everybody, drawn, *(mix(room, who) for who in (stranger, follower, ada))]
    assert [get(address).status_code for address in given] == [200] * 5
    Room.objects.filter(pk=room.pk).update(entry_policy=policy)
    admitted = {"signed_in": [True, True], "followers": [False, True], "invited": [False, False]}[policy]
    found = [get(address).status_code == 200 for address in given]
    assert found == [False, False, *admitted, True], "who spoke keeps it"
    Follow.objects.all().delete()
    assert (get(mix(room, follower)).status_code == 200) is (policy == "signed_in")
    Room.objects.filter(pk=room.pk).update(entry_policy=Room.EntryPolicy.ANYONE)
    assert [get(address).status_code for address in given] == [200] * 5


def test_links_end_with_what_they_depend_on(room: Room) -> None:
    track = RecordingFile.objects.filter(recording__room=room, kind="track", seat__user=room.host).get()
    zipped = actions.download_everything(room.pk, room.host).address
    kept = links.address(room.pk, f"file-{track.pk}", room.host, "a.opus")
    assert [get(address).status_code for address in (kept, zipped, mix(room))] == [200, 200, 200]
    path = store.file_path(track)
    path.rename(path.with_suffix(".away"))
    assert get(kept).status_code == 404 and get(mix(room)).status_code == 200
    path.with_suffix(".away").rename(path)
    track.delete()
    assert get(kept).status_code == 404
    User.objects.filter(pk=room.host_id).update(is_active=False)
    assert [get(address).status_code for address in (kept, zipped, mix(room))] == [404, 404, 404]


def test_a_new_password_ends_links_that_were_given_out_before(room: Room) -> None:
    """Regression: a minute with somebody's session was enough to keep a link that works for a day."""
    track = RecordingFile.objects.filter(recording__room=room, kind="track", seat__user=room.host).get()

    def given(host: User) -> list[str]:
        zipped = actions.download_everything(room.pk, host).address
        return [zipped, links.address(room.pk, f"file-{track.pk}", host, "a.opus"), mix(room, host)]

    before = given(room.host)
    assert [get(address).status_code for address in before] == [200, 200, 200]
    host = User.objects.get(pk=room.host_id)
    host.set_password("an entirely new one")
    host.save()
    assert [get(address).status_code for address in before] == [404, 404, 404]
    assert [get(address).status_code for address in given(host)] == [200, 200, 200]


def test_a_file_of_another_room_is_not_opened_by_this_rooms_link(room: Room) -> None:
    other = person("other", creator=True)
    foreign = actions.open_room(other, title="Another")
    recording, _new = Recording.objects.update_or_create(room=foreign, defaults={"state": Recording.State.READY})
    row = RecordingFile.objects.create(
        recording=recording,
        kind="mix",
        path=f"{foreign.pk}/mix.m4a",
        start_ms=0,
        duration_ms=1,
        size=1,
        sha256="0" * 64,
    )
    assert get(links.address(room.pk, f"file-{row.pk}", room.host, "x")).status_code == 404


def test_the_picture_says_who_talked_when(room: Room) -> None:
    picture = get(links.address(room.pk, "peaks", room.host, "peaks.json"))
    assert picture.status_code == 200
    found = json.loads(body(picture))
    assert found["duration_ms"] > 49_000 and len(found["low"]) == len(found["high"]) <= 2401
    ada = room.seats.get(user__handle="ada")
    talks = next(lane["talks"] for lane in found["lanes"] if lane["seat"] == ada.pk)
    assert abs(talks[0][0] - 10_000) < 400 and abs(talks[-1][0] - 40_000) < 400
    assert all(-127 <= low <= high <= 127 for low, high in zip(found["low"], found["high"], strict=True))
    silent = slice(20_000 // found["bin_ms"], 29_000 // found["bin_ms"])
    assert max(found["high"][silent]) <= 2


def test_after_a_purge_every_link_is_dead(room: Room) -> None:
    zipped = actions.download_everything(room.pk, room.host).address
    published(room)
    addresses = [mix(room), links.address(room.pk, "peaks", None, "peaks.json"), zipped]
    assert {get(address).status_code for address in addresses} == {200}
    purge.purge([room.pk], due_at(room))
    assert {get(address).status_code for address in addresses} == {404}
    # From the moment on at which it begins, not only when the files are gone.
    assert not store.folder(room.pk).exists()


def test_from_the_beginning_of_a_purge_nothing_is_handed_out(room: Room) -> None:
    addresses = [mix(room), actions.download_everything(room.pk, room.host).address]
    purge.begin([room.pk], due_at(room))
    assert store.mix_path(room.pk).exists()
    assert {get(address).status_code for address in addresses} == {404}


def test_the_picture_is_drawn_when_a_recording_is_finished_or_later_by_beat(room: Room) -> None:
    recording = Recording.objects.get(room=room)
    with patch("rooms.recording.tasks.prepare_recording.delay") as asked:
        with transaction.atomic():
            recording_ready.send(Recording, recording=recording)
            asked.assert_not_called()
        asked.assert_called_once_with(recording.pk)
    Recording.objects.filter(pk=recording.pk).update(
        prepared_at=None, finished_at=timezone.now() - tasks.LEFT_BEHIND * 2
    )
    RecordingFile.objects.filter(recording=recording).update(crc32=None)
    store.peaks_path(room.pk).unlink()
    with patch("rooms.recording.tasks.prepare_recording.delay", side_effect=tasks.prepare_recording):
        assert tasks.prepare_left() == 1
        assert tasks.prepare_left() == 0
    assert store.peaks_path(room.pk).exists()
    assert not RecordingFile.objects.filter(recording=recording, crc32=None).exists()


def test_a_file_that_is_not_there_leaves_the_recording_as_it_is_and_one_without_sound_is_drawn_once(room: Room) -> None:
    """Regression: a file that ffmpeg cannot read was read again every five minutes for a day."""
    recording = Recording.objects.get(room=room)
    Recording.objects.filter(pk=recording.pk).update(prepared_at=None)
    store.mix_path(room.pk).rename(store.folder(room.pk) / "away")
    assert tasks.prepare_recording(recording.pk) is False
    recording.refresh_from_db()
    assert recording.state == Recording.State.READY and recording.prepared_at is None
    store.mix_path(room.pk).write_bytes(b"no sound")
    assert tasks.prepare_recording(recording.pk) is True
    picture = json.loads(store.peaks_path(room.pk).read_text())
    assert picture["low"] == [] and len(picture["lanes"]) == 3
