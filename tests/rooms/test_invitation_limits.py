"""Invitations again and again, by people whose side changed, and links whose maker is gone."""

from __future__ import annotations

import pytest

from rooms import actions
from social.models import Follow
from tests.support.invitations import ask, of, reachable
from tests.support.races import said
from tests.support.rooms import open_room, seated

pytestmark = pytest.mark.django_db


def test_a_guest_who_became_cohost_invites_the_same_person_again() -> None:
    room = open_room()
    guest, friend = seated("guest", room), reachable("friend")
    Follow.objects.create(follower=friend, followed=guest)
    assert ask(room, guest, "friend", kind="listen") == ["invited"]
    actions.name_cohost(room.pk, guest, by=room.host)
    assert ask(room, guest, "friend", kind="listen") == ["invited"], "now as the host's side, which admits"
    assert ask(room, guest, "friend", kind="listen") == ["invited_already"]


def test_taking_back_and_inviting_again_ends_after_three_times() -> None:
    room, friend = open_room(), reachable("friend")
    for _time in range(3):
        assert ask(room, room.host, "friend") == ["invited"]
        actions.revoke(room.pk, room.host, of(friend, room).pk)
    assert ask(room, room.host, "friend") == ["invited_often"]


def test_a_link_ends_with_its_makers_being_in_the_room() -> None:
    room, prospect = open_room(), reachable("prospect")
    helper = seated("helper", room)
    actions.name_cohost(room.pk, helper, by=room.host)
    token = actions.make_link(room.pk, helper, "Prospect")[1].rstrip("/").rpartition("/")[2]
    actions.remove_person(room.pk, helper, by=room.host)
    assert said(actions.use_link, token, prospect) == "link_ended"
