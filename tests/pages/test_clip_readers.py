"""Clips for readers in particular places: after the host left for good, blocked makers, and why one is not there."""

from __future__ import annotations

import pytest
from django.test import Client

from people.actions.deletion import delete_account
from rooms import actions
from rooms.models import Clip, Room, Seat
from rooms.recording.clips import making
from social.models import Block
from tests.pages.test_room_clips import address_for, ask, code, seen_by, signed_in, user
from tests.support.clips import asked, fresh, made
from tests.support.recordings import talked_room
from tests.support.rooms import published

pytestmark = pytest.mark.django_db
UNTIL_PUBLIC = "Only host and co-hosts have it until the replay is public."


@pytest.fixture
def room() -> Room:
    return talked_room()


def test_nobody_has_or_makes_clips_of_a_room_whose_host_deleted_the_account(room: Room) -> None:
    Seat.objects.filter(room=room, user=user("ada")).update(role="cohost", place=11)
    clip = made(room, "ada", 10_000, 13_000)
    ada = signed_in("ada")
    path = address_for(ada, room)
    assert "Download the sound" in ada.get(f"/r/{room.slug}/replay/").content.decode()
    delete_account(room.host, room.host)
    assert ada.get(path).status_code == 404 and address_for(ada, room) == ""
    assert code(ask(ada, room)) == "not_found"
    page = ada.get(f"/r/{room.slug}/replay/").content.decode()
    assert "Download the sound" not in page and "data-clip-form" not in page
    page = ada.get(f"/r/{room.slug}/clips/{clip.key}/").content.decode()
    assert UNTIL_PUBLIC not in page and "Take back" in page
    assert actions.take_back_clip(clip.key, user("bob")).state == Clip.State.TAKEN_BACK


def test_a_clip_that_waits_when_the_host_deletes_the_account_is_not_made(room: Room) -> None:
    Seat.objects.filter(room=room, user=user("ada")).update(role="cohost", place=11)
    clip = asked(room, "ada", 10_000, 13_000)
    delete_account(room.host, room.host)
    assert not making.make(clip.pk) and fresh(clip).state == Clip.State.REFUSED


def test_a_blocked_maker_has_no_name_for_whoever_blocks_them(room: Room) -> None:
    published(room, "anyone")
    clip = made(room, user("eva").handle, 30_000, 34_000)
    Block.objects.create(blocker=user("fred"), blocked=user("eva"))
    for path in (f"/r/{room.slug}/clips/", f"/r/{room.slug}/clips/{clip.key}/", f"/r/{room.slug}/replay/"):
        for_fred, for_gina = (signed_in(handle).get(path).content.decode() for handle in ("fred", "gina"))
        assert "Eva" not in for_fred and "Somebody" in for_fred, path
        assert "Eva" in for_gina and "Eva" in Client().get(path).content.decode(), path


def test_a_page_says_why_its_reader_does_not_have_the_clip(room: Room) -> None:
    clip = made(room, "host", 10_000, 13_000)
    ada, path = signed_in("ada"), f"/r/{room.slug}/clips/{clip.key}/"

    def said() -> str:
        return ada.get(path).content.decode()

    assert UNTIL_PUBLIC in said()
    published(room, "anyone")
    assert UNTIL_PUBLIC not in said() and len(seen_by(ada, room)) == 1
    actions.set_clips_off(room.pk, room.host, True)
    assert UNTIL_PUBLIC not in said() and "The host switched clips off in this room." in said()
    actions.restrict(room, "decision", None)
    assert UNTIL_PUBLIC not in said() and "This recording is not available." in said()
