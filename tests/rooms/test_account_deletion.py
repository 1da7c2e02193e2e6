"""A host, a co-host, a speaker or a listener who deletes the account leaves every room, and its log, as nobody."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core import bus
from ledger.models import Entry
from people.actions.deletion import delete_account
from people.models import User
from people.queries import person as find
from retention.clocks import clock_of
from rooms import actions, presence
from rooms.actions.standing import accounts_without_right, apply_standing
from rooms.models import Hand, HandOver, Invitation, PersonalLink, Recording, Room, RoomEvent, Seat
from rooms.recording import store
from rooms.recording.delivery import exports
from rooms.rules.refusals import RoomRefused
from social.actions.follows import follow
from tests.support.cohosts import with_cohosts
from tests.support.people import person
from tests.support.recordings import talked_room
from tests.support.rooms import consented, due_at, ended_room, open_room, prepared_room, published, seated

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _after_commits(django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def deleting(user: User) -> User:
        with django_capture_on_commit_callbacks(execute=True):
            delete_account(user, user)
        return User.objects.get(pk=user.pk)

    monkeypatch.setitem(globals(), "deleted", deleting)


def deleted(user: User) -> User:
    """Delete an account, with what follows the commit; returns what is left of it. The fixture replaces it."""
    raise NotImplementedError


async def come(room: Room, user: User) -> None:
    """Connect a page of somebody's to a room."""
    async with bus.connect() as client:
        await presence.enter(client, room.pk, [(presence.user_key(user.pk), "page")])


def log_of(room: Room) -> str:
    return json.dumps(list(RoomEvent.objects.filter(room=room).order_by("seq").values_list("type", "data")))


def test_a_live_room_passes_to_a_co_host_and_is_never_without_a_host() -> None:
    room, (_away, cora) = with_cohosts("away", "cora")
    asyncio.run(come(room, cora))
    gone = deleted(room.host)
    room.refresh_from_db()
    assert room.is_live and room.host == cora
    assert HandOver.objects.get(room=room).reason == HandOver.Reason.GIVEN
    assert not Seat.objects.filter(room=room, user=gone, left_at=None).exists()
    log = list(RoomEvent.objects.filter(room=room).order_by("seq"))
    assert log[1].data["seat"] | {"user": gone.handle, "role": "host"} == log[1].data["seat"], "“host” is a role, too"
    changed = next(event.data for event in log if event.type == "host_changed")
    assert (changed["former"], changed["host"], changed["reason"]) == (gone.handle, "cora", "given")
    numbers = list(RoomEvent.objects.filter(room=room).order_by("seq").values_list("seq", flat=True))
    assert numbers == list(range(1, room.seq + 1))


def test_a_live_room_without_a_co_host_ends_as_if_the_host_ended_it() -> None:
    room = open_room("Hanna")
    guest = seated("guest", room)
    gone = deleted(room.host)
    room.refresh_from_db()
    assert (room.status, room.end_reason) == (Room.Status.ENDED, Room.EndReason.HOST)
    assert room.host == gone, "the row of the room stays, and points at nobody that anybody knows"
    assert Seat.objects.filter(room=room, user=guest).exists()
    assert "hanna" not in log_of(room).lower()


def test_prepared_rooms_are_cancelled_and_nothing_can_be_opened_any_more() -> None:
    room = prepared_room("hanna")
    host = room.host
    guest = person("guest")
    follow(guest, host)  # who lets the host write to them
    actions.invite(room.pk, host, ["guest"], Invitation.Kind.SPEAK)
    link = PersonalLink.objects.create(room=room, by=host, label="A friend", hash="0" * 64)
    deleted(host)
    room.refresh_from_db()
    link.refresh_from_db()
    assert (room.status, room.cancel_reason) == (Room.Status.CANCELLED, Room.CancelReason.HOST)
    assert link.revoked_at is not None
    assert Invitation.objects.get(user=guest).state == Invitation.State.EXPIRED
    for act in (actions.open_prepared, actions.cancel_room):
        with pytest.raises(RoomRefused):
            act(room.pk, host)


def test_seat_hand_and_invitation_of_a_guest_end() -> None:
    room = open_room("hanna")
    guest = seated("guest", room)
    other = open_room("otto")
    Hand.objects.create(room=other, user=guest)
    follow(guest, other.host)
    actions.invite(other.pk, other.host, ["guest"], Invitation.Kind.SPEAK)
    gone = deleted(guest)
    assert not Seat.objects.filter(user=gone, left_at=None).exists()
    assert not Hand.objects.filter(user=gone, lowered_at=None).exists()
    assert not Invitation.objects.filter(user=gone).exclude(state=Invitation.State.REVOKED).exists()
    room.refresh_from_db()
    assert room.is_live and "guest" not in log_of(room)
    left = RoomEvent.objects.filter(room=room, type="seat_left").latest("seq")
    assert left.data == {"user": gone.handle, "reason": "left"}
    with pytest.raises(RoomRefused):
        actions.take_seat(room.pk, gone)


def test_whoever_follows_the_room_sees_the_seat_become_empty_under_the_name_that_they_know(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[dict[str, Any]] = []
    room = open_room("hanna")
    guest = seated("guest", room)
    monkeypatch.setattr(bus, "publish", lambda _channel, text: sent.append(json.loads(text) if text[0] == "{" else {}))
    deleted(guest)
    assert {"user": "guest", "reason": "left"} in [message.get("data") for message in sent]


def test_the_log_of_all_its_rooms_is_renamed_and_nobody_elses_name_is_touched() -> None:
    room = open_room("hanna")
    guest, same = seated("guest", room), consented(person("guest2", name="Guest"), room)
    actions.take_seat(room.pk, same)
    actions.set_muted(room.pk, guest, False, guest)
    actions.set_muted(room.pk, guest, True, room.host)
    actions.end_room(room.pk, room.host)
    before = list(RoomEvent.objects.filter(room=room).order_by("seq").values_list("seq", "type", "at_ms", "created_at"))
    gone = deleted(guest)
    after = list(RoomEvent.objects.filter(room=room).order_by("seq").values_list("seq", "type", "at_ms", "created_at"))
    assert before == after
    log = log_of(room)
    assert '"guest"' not in log and '"guest2"' in log and gone.handle in log
    names = {
        event.data["seat"]["user"]: event.data["seat"]["name"] for event in RoomEvent.objects.filter(type="seat_taken")
    }
    assert names == {"hanna": "Hanna", "guest2": "Guest", gone.handle: "Deleted person"}


def test_a_replay_is_withdrawn_reviewed_all_the_same_and_purged_on_its_day(client: Client) -> None:
    room = published(talked_room(host="hanna"), Room.EntryPolicy.ANYONE)
    host, address = room.host, f"/r/{room.slug}/replay/"
    client.force_login(host)
    day, clock = due_at(room), clock_of(room)
    link = actions.download_everything(room.pk, host)
    assert client.get(link.address).status_code == 200 and Client().get(address).status_code == 200
    assert (store.exports_folder(room.pk)).exists()
    deleted(host)
    recording = Recording.objects.get(room=room)
    assert (recording.announced_at, recording.published_at, recording.published_by) == (None, None, None)
    assert Entry.objects.filter(kind="replay_withdrawn", subject=f"room:{room.pk}").exists()
    assert client.get(link.address).status_code in (401, 403, 404), "a link that was given out"
    assert Client().get(address).status_code in (302, 403, 404)
    assert not store.exports_folder(room.pk).exists(), "the texts in it have the name"
    with pytest.raises(RoomRefused):
        actions.set_published(room.pk, host, True, None)
    room.refresh_from_db()
    its = clock_of(room)
    assert its is not None and clock is not None and its.purge_at == clock.purge_at
    assert due_at(room) == day and room.purged_at is None
    assert store.mix_path(room.pk).exists() and recording.files.count() == 4


def test_a_speaker_is_a_deleted_person_in_the_transcript_and_the_download() -> None:
    room = talked_room(host="hanna")
    ada = User.objects.get(handle="ada")
    client = Client()
    client.force_login(room.host)
    assert "Ada" in client.get(f"/r/{room.slug}/replay/").content.decode()
    gone = deleted(ada)
    page = client.get(f"/r/{room.slug}/replay/").content.decode()
    assert "Deleted person" in page and "Ada" not in page and "@ada" not in page
    export = exports.build(Recording.objects.get(room=room))
    texts = [(export.folder / item.path).read_text() for item in export.items if "exports" in item.path]
    # Not within a word or a checksum.
    assert texts and not any(re.search(r"(?<![0-9a-z])ada(?![0-9a-z])", text.lower()) for text in texts)
    assert any(gone.handle in text for text in texts) and any("Deleted person" in text for text in texts)
    assert not any("ada" in item.name for item in export.items)


def test_an_account_that_came_into_a_room_meanwhile_is_put_out_by_the_sweep() -> None:
    guest, room = person("guest"), open_room("hanna")
    gone = deleted(guest)
    Seat.objects.create(room=room, user=gone, role=Seat.Role.SPEAKER, place=1)
    assert gone.pk in accounts_without_right()
    apply_standing(gone.pk)
    assert not Seat.objects.filter(user=gone, left_at=None).exists()


def test_a_room_that_is_over_for_long_costs_nothing_and_a_stranger_stays_as_they_are() -> None:
    room = ended_room("hanna")
    Room.objects.filter(pk=room.pk).update(purged_at=timezone.now() + timedelta(seconds=1))
    before = log_of(room)
    deleted(person("stranger"))
    assert log_of(room) == before and find("hanna") == room.host
