"""Invitations at the same moment: for the last open one, by one link, for one seat, and against a block."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from rooms import actions
from rooms.models import Consent, Hand, Invitation, PersonalLink, Room, Seat
from rooms.rules.refusals import RoomRefused
from social.actions.blocks import block
from tests.support.invitations import ask, invited, reachable
from tests.support.people import people, person
from tests.support.races import at_once
from tests.support.rooms import open_room

pytestmark = pytest.mark.django_db(transaction=True)


def test_many_race_for_the_last_open_invitation(settings: Any) -> None:
    settings.ROOM_OPEN_INVITATIONS = 3
    room = open_room()
    invited("first", room)
    handles = [reachable().handle for _number in range(6)]
    answers: list[str] = []

    def act(handle: str) -> None:
        answers.extend(ask(room, room.host, handle))

    assert set(at_once(*(partial(act, handle) for handle in handles))) == {"ok"}
    assert sorted(answers) == ["invitations_full"] * 4 + ["invited"] * 2
    assert Invitation.objects.filter(room=room, state="pending").count() == 3


def test_one_person_is_invited_once_by_many_at_once() -> None:
    room = open_room()
    reachable("anna")
    answers: list[str] = []
    acts = [lambda: answers.extend(ask(room, room.host, "anna"))] * 5
    assert set(at_once(*acts)) == {"ok"}
    assert sorted(answers) == ["invited"] + ["invited_already"] * 4


def test_one_link_and_many_who_use_it() -> None:
    room = open_room()
    _link, path = actions.make_link(room.pk, room.host, "A prospect")
    token = path.split("/")[-2]
    users = [person() for _number in range(5)]
    codes = at_once(
        *(partial(actions.use_link, token, user) for user in users), partial(actions.use_link, token, users[0])
    )
    assert len(Invitation.objects.all()) == 1 and PersonalLink.objects.get().used_at is not None
    assert set(codes) == {"ok", "link_used"} and codes.count("ok") == 1 + (
        Invitation.objects.get().user_id == users[0].pk
    )


def test_fifty_who_were_invited_and_one_seat() -> None:
    room = open_room(speak_policy="invited")
    Room.objects.filter(pk=room.pk).update(max_speakers=1)
    users = people(50)
    Consent.objects.bulk_create(Consent(room=room, user=user, text_version=settings.CONSENT_VERSION) for user in users)
    Invitation.objects.bulk_create(
        Invitation(room=room, user=user, by=room.host, by_helper=True, kind="speak") for user in users
    )

    def come(user: Any) -> str:
        """Do as the page does: accept, click on the seat that is offered, and if it is gone, wait in the queue."""
        try:
            if not actions.accept(room.pk, user).seat_free:
                return "waits"
            try:
                actions.take_seat(room.pk, user)
            except RoomRefused as refused:
                assert refused.code == "stage_full"
                assert actions.accept(room.pk, user).place is not None
                return "too late"
            return "sits"
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        ends = list(pool.map(come, users))
    assert ends.count("sits") == 1
    assert Seat.objects.filter(room=room, role="speaker", left_at=None).count() == 1
    up = Hand.objects.filter(room=room, lowered_at=None)
    assert up.count() == 49 and not up.filter(invited=False).exists()
    assert not up.filter(user__seats__room=room, user__seats__left_at=None).exists()
    sitting = Seat.objects.get(room=room, role="speaker", left_at=None).user
    actions.leave_seat(room.pk, sitting)
    late = next(user for user in users if user != sitting)
    actions.take_seat(room.pk, late)
    assert Seat.objects.get(room=room, role="speaker", left_at=None).user == late, "first come"


def test_an_invitation_and_a_block_at_the_same_moment() -> None:
    for number in range(2):
        room = open_room(f"host{number}")
        target = reachable(f"target{number}")
        invite = partial(actions.invite, room.pk, room.host, [target.handle], "speak")
        assert set(at_once(invite, partial(block, room.host, target))) == {"ok"}
        assert not Invitation.objects.filter(room=room, state="pending").exists()
