"""Deletions at the same moment as what they forbid: none waits for the other for good, and one order comes out."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from ledger.models import Entry
from people.actions.deletion import delete_account
from people.models import User
from people.refusals import PeopleRefused
from rooms import actions
from rooms.actions.clips import lock_clips_of
from rooms.actions.standing import accounts_without_right, apply_standing
from rooms.models import Clip, Room, RoomEvent, Seat
from rooms.recording.clips import making
from social.actions.follows import follow
from social.models import Follow
from tests.support.cohosts import with_cohosts
from tests.support.people import person
from tests.support.races import at_once
from tests.support.rooms import consented, open_room

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_same_deletion_twice_at_once_is_one() -> None:
    anna = person("anna")
    at_once(*[lambda: delete_account(User.objects.get(pk=anna.pk), anna)] * 4)
    assert Entry.objects.filter(kind="account_deleted").count() == 1


def test_of_two_superusers_who_delete_their_accounts_at_once_one_stays() -> None:
    two = [person(name, is_superuser=True, is_staff=True) for name in ("olga", "otto")]

    def delete(user: User) -> None:
        try:
            delete_account(user, user)
        except PeopleRefused as refused:
            assert refused.code == "last_superuser"

    at_once(*[lambda user=user: delete(user) for user in two])
    assert User.objects.filter(is_superuser=True, is_active=True).count() == 1


def test_a_host_a_co_host_and_a_guest_who_leave_at_once_leave_one_room_in_order() -> None:
    for number in range(3):
        room, (cora,) = with_cohosts(f"cora{number}", host=person(f"host{number}", creator=True))
        guest, other = (consented(person(f"{name}{number}"), room) for name in ("guest", "other"))
        follow(other, guest)
        host = room.host
        at_once(
            lambda host=host: delete_account(host, host),  # type: ignore[misc]
            lambda cora=cora: delete_account(cora, cora),  # type: ignore[misc]
            lambda room=room, guest=guest: actions.take_seat(room.pk, guest),  # type: ignore[misc]
            lambda guest=guest: delete_account(guest, guest),  # type: ignore[misc]
            lambda room=room, cora=cora, host=host: actions.hand_over(room.pk, cora, host),  # type: ignore[misc]
        )
        assert User.objects.filter(pk__in=[host.pk, cora.pk, guest.pk], deleted_at__isnull=False).count() == 3
        room.refresh_from_db()
        seqs = list(RoomEvent.objects.filter(room=room).order_by("seq").values_list("seq", flat=True))
        assert seqs == list(range(1, room.seq + 1))
        assert not Follow.objects.exists()
        log = str(list(RoomEvent.objects.filter(room=room).values_list("data", flat=True)))
        assert f"host{number}" not in log and f"cora{number}" not in log


def test_a_seat_that_was_taken_at_the_same_moment_is_not_kept() -> None:
    room = open_room("hanna")
    guest = consented(person("guest"), room)
    at_once(lambda: actions.take_seat(room.pk, guest), lambda: delete_account(guest, guest))
    for pk in accounts_without_right():
        apply_standing(pk)
    assert not Seat.objects.filter(user=guest, left_at=None).exists()
    assert Room.objects.get(pk=room.pk).is_live


def test_what_draws_clips_anew_does_not_wait_for_those_that_a_deletion_holds() -> None:
    room = open_room("hanna")
    values = {"state": Clip.State.MAKING, "file": "a.mp4", "lease_until": timezone.now() + timedelta(minutes=4)}
    clip = Clip.objects.create(room=room, maker=room.host, kind="video", from_ms=0, to_ms=2_000, **values)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                assert lock_clips_of(room.host_id) == [clip]
                held.set()
                done.wait(10)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        try:
            assert held.wait(10)
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '2s'")
                making.make_again(room.pk)
        finally:
            done.set()
        holding.result()
    clip.refresh_from_db()
    assert clip.state == Clip.State.MAKING, "the deletion takes it back"
