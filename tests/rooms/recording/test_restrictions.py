"""A restricted recording is closed for everybody, whatever link they hold; lifting it opens it as it was."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Generator
from contextlib import closing
from typing import cast

import pytest
from django.db import DatabaseError, transaction
from django.http import StreamingHttpResponse
from django.test import Client, RequestFactory

from ledger.models import Entry
from people.models import User
from rooms import actions
from rooms.models import Recording, RecordingFile, Restriction, Room
from rooms.queries.hosted import hosted_rooms
from rooms.queries.restrictions import is_restricted, restrictions_of, times_downloaded
from rooms.recording import store
from rooms.recording.delivery import downloads, links, responses, views
from rooms.rules.publishing import is_public
from rooms.rules.refusals import RoomRefused
from tests.support.people import api_client, person
from tests.support.recordings import talked_room
from tests.support.rooms import open_room, published

pytestmark = pytest.mark.django_db(transaction=True)
SENTENCE = "This recording is not available."


@pytest.fixture(autouse=True)
def _streams_are_read_at_once() -> Generator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume asynchronous iterators")
        yield


@pytest.fixture
def room() -> Room:
    return talked_room()


def signed_in(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def ada(room: Room) -> User:
    return room.seats.get(user__handle="ada").user


def handed_out(room: Room) -> list[str]:
    """Addresses that a host, a speaker and everybody may hold."""
    files = actions.hand_out_files(room.pk, room.host).values()
    replays = [links.address(room.pk, "mix", who, "mix.m4a") for who in (room.host, ada(room), None)]
    peaks = [links.address(room.pk, "peaks", who, "peaks.json") for who in (room.host, None)]
    return [actions.download_everything(room.pk, room.host).address, *files, *replays, *peaks]


def statuses(given: list[str], **headers: str) -> set[int]:
    """Ask for each of these, and let go of it at once: as many as one address may have open are counted."""
    found = set()
    for address in given:
        with closing(Client().get(address, headers=headers)) as response:
            found.add(response.status_code)
    return found


def test_every_link_that_was_handed_out_dies_and_comes_back(room: Room) -> None:
    published(room)
    given = handed_out(room)
    assert len(given) == 10 and statuses(given) == {200}
    first, second = (actions.restrict(room, reason, None) for reason in ("at_once", "decision"))
    assert statuses(given) == statuses(given, Range="bytes=100-199") == {404}
    assert actions.lift_restriction(first, None)
    assert is_restricted(room) and statuses(given) == {404}
    assert actions.lift_restriction(second, None) and not actions.lift_restriction(second, None)
    assert not is_restricted(room) and statuses(given) == {200}


def test_no_page_and_no_api_gives_anything_but_own_lines(room: Room) -> None:
    published(room)
    actions.restrict(room, "decision", None)
    here, api = f"/r/{room.slug}/replay/", f"/api/v1/rooms/{room.slug}"
    for user in (room.host, ada(room), person("stranger"), None):
        page = signed_in(user).get(here)
        text = page.content.decode()
        assert page.status_code == 200 and SENTENCE in text, user
        assert "Dashwood" not in text and "ill-disposed" not in text and "/files/" not in text, user
        assert SENTENCE in signed_in(user).get(f"/r/{room.slug}/").content.decode()
        found = (signed_in(user) if user is None else api_client(user)).get(f"{api}/replay/")
        assert (found.status_code, found.json()["error"]["code"]) == (403, "recording_unavailable")
        assert SENTENCE in found.json()["error"]["text"]
    for user in (room.host, ada(room)):
        program = api_client(user)
        for rest in ("", "cues/", "cues/?q=disposed", "files/vtt/"):
            found = program.get(f"{api}/transcript/{rest}")
            assert (found.status_code, found.json()["error"]["code"]) == (403, "recording_unavailable"), rest
    own = api_client(ada(room)).get(f"{api}/transcript/files/txt/?mine=true")
    assert own.status_code == 200 and b"ill-disposed man" not in own.content and b"amiable himself" in own.content
    assert b"amiable himself" in signed_in(ada(room)).get(f"/r/{room.slug}/replay/my-lines.txt").content
    assert "Download what you said" in signed_in(ada(room)).get(here).content.decode()


def test_the_host_loses_downloads_and_publishing(room: Room) -> None:
    published(room)
    row = actions.restrict(room, "child_safety", None)
    host, api = api_client(room.host), f"/api/v1/rooms/{room.slug}"
    state = host.get(f"{api}/recording/").json()
    assert state["publication"] == "" and {file["address"] for file in state["files"]} == {None}
    for act in (
        lambda: actions.download_everything(room.pk, room.host),
        lambda: actions.set_published(room.pk, room.host, True, "signed_in"),
    ):
        with pytest.raises(RoomRefused, match="recording_unavailable"):
            act()
    found = host.post(f"{api}/download/")
    assert (found.status_code, found.json()["error"]["code"]) == (403, "recording_unavailable")
    pressed = signed_in(room.host).post(f"/r/{room.slug}/replay/download/", follow=True)
    assert SENTENCE in pressed.content.decode()
    listed = signed_in(room.host).get("/dashboard/").content.decode()
    assert SENTENCE in listed and "Published" not in listed and "child" not in listed
    assert [one.publication for one in hosted_rooms(room.host)] == [""] and not is_public(room)
    actions.lift_restriction(row, None)
    assert is_public(room) and [one.publication for one in hosted_rooms(room.host)] == ["public"]
    assert None not in {file["address"] for file in host.get(f"{api}/recording/").json()["files"]}


def test_the_host_may_still_take_a_publication_back(room: Room) -> None:
    published(room)
    actions.restrict(room, "at_once", None)
    actions.set_published(room.pk, room.host, False)
    assert Recording.objects.get(room=room).published_at is None


def test_a_stranger_learns_nothing_of_a_recording_that_was_never_theirs(room: Room) -> None:
    before = Client().get(f"/r/{room.slug}/replay/")
    actions.restrict(room, "decision", None)
    after = Client().get(f"/r/{room.slug}/replay/")
    assert before.status_code == after.status_code == 404 and SENTENCE not in after.content.decode()


def test_what_is_being_sent_stops_at_the_next_check(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that reads slowly gets no chunk more once the restriction is committed and the second is over."""
    monkeypatch.setattr(downloads, "CHECK_SECONDS", 0.0)
    monkeypatch.setattr(responses, "READ", 1000)
    size = store.mix_path(room.pk).stat().st_size
    address = links.address(room.pk, "mix", room.host, "mix.m4a")
    request = RequestFactory().get(address)
    answer = views.file(request, address.split("/")[2], "mix.m4a")
    assert isinstance(answer, StreamingHttpResponse)

    async def read() -> int:
        taken, content = 0, cast(AsyncIterator[bytes], answer.streaming_content)
        async for data in content:
            taken += len(data)
            if taken == 2000:
                await asyncio.to_thread(actions.restrict, room, "at_once", None)
        return taken

    assert asyncio.run(read()) == 2000 < size


def test_a_live_room_goes_on_and_its_later_copy_is_closed() -> None:
    room = open_room()
    actions.restrict(room, "at_once", None)
    assert Client().get(f"/r/{room.slug}/").status_code == 200
    actions.end_room(room.pk, room.host)
    Recording.objects.filter(room=room).update(state=Recording.State.READY)
    assert SENTENCE in signed_in(room.host).get(f"/r/{room.slug}/replay/").content.decode()


def test_links_that_were_handed_out_stand_in_the_ledger_and_are_counted(room: Room) -> None:
    assert times_downloaded(room) == 0
    api = api_client(room.host)
    for _ in range(3):
        assert api.get(f"/api/v1/rooms/{room.slug}/recording/").status_code == 200
    assert times_downloaded(room) == 1, "the same addresses within an hour are one entry"
    actions.download_everything(room.pk, room.host)
    actions.download_everything(room.pk, room.host)
    assert times_downloaded(room) == 3
    assert api_client(ada(room)).get(f"/api/v1/rooms/{room.slug}/recording/").status_code == 403
    assert actions.hand_out_files(room.pk, ada(room)) == {} and times_downloaded(room) == 3
    assert RecordingFile.objects.filter(recording__room=room).count() == 4


def test_one_row_a_decision_and_each_act_an_entry(room: Room) -> None:
    staff = person("staff")
    first = actions.restrict(room, "decision", staff, "decision:1")
    assert actions.restrict(room, "decision", staff, "decision:1") == first
    second = actions.restrict(room, "decision", staff, "decision:2")
    assert restrictions_of(room) == [first, second]
    assert actions.lift_restriction(first, staff) and actions.lift_restriction(second, staff)
    assert actions.restrict(room, "decision", staff, "decision:1") == first and not is_restricted(room)
    acts = (
        Entry.objects.filter(subject=f"room:{room.pk}", actor=staff.pk).order_by("seq").values_list("kind", flat=True)
    )
    assert list(acts) == ["recording_restricted"] * 2 + ["restriction_lifted"] * 2
    with pytest.raises(RoomRefused, match="bad_value"):
        actions.restrict(room, "anger", staff)
    with pytest.raises(DatabaseError), transaction.atomic():
        Restriction.objects.filter(pk=first.pk).update(lifted_at=None)
