"""A right that ends between the question whether it is there and the row that it gives: neither outlives the other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from people.actions import standing
from people.models import User
from people.refusals import PeopleRefused
from rooms import actions
from rooms.models import Room, Seat
from rooms.rules.refusals import RoomRefused
from tests.support.people import person
from tests.support.privileges import superuser
from tests.support.races import number_waiting
from tests.support.rooms import consented, open_room
from tests.support.waiting import wait_until


def close(user: User) -> None:
    standing.close_account(user, None, "asked for it")


def suspend(user: User) -> None:
    standing.impose_sanction(user, "suspended", None, "shouting")


def no_stage(user: User) -> None:
    standing.impose_sanction(user, "no_stage", None, "shouting")


def open_seats(user: User) -> int:
    return Seat.objects.filter(user=user, left_at=None).count()


def alone_with_its_connection(work: Callable[..., Any], *args: Any) -> str:
    """Run `work` in a thread with its own connection; returns "ok" or the code of the refusal."""
    try:
        work(*args)
    except (RoomRefused, PeopleRefused) as refused:
        return str(refused.code)
    finally:
        connection.close()
    return "ok"


@pytest.mark.parametrize("end", [close, suspend, no_stage])
def test_a_seat_between_the_question_and_the_answer(transactional_db: None, end: Callable[[User], None]) -> None:
    """The account was asked whether it may; before the seat is written, the right to it ends.

    The fault: the seat was written after all that was to be given up had been looked for, and stayed.
    """
    room = open_room()
    user = consented(person("guest"), room)
    assert raced("rooms_seat", end, user, lambda: actions.take_seat(room.pk, user)) is not None
    assert open_seats(user) == 0


@pytest.mark.parametrize("end", [close, suspend])
def test_a_room_between_the_question_and_the_answer(transactional_db: None, end: Callable[[User], None]) -> None:
    host = person("host", creator=True)
    raced("rooms_room", end, host, lambda: actions.open_room(host, title="Quick"))
    assert not Room.objects.filter(host=host, status="live").exists() and open_seats(host) == 0


def raced(table: str, end: Callable[[User], None], user: User, act: Callable[[], Any]) -> str:
    """Hold up the act where it writes, end the right meanwhile, then let go; what the act answered."""
    with ThreadPoolExecutor(2) as pool:
        with superuser() as connected, connected.transaction():
            connected.execute(f"LOCK TABLE {table} IN SHARE MODE".encode())
            acts: Future[str] = pool.submit(alone_with_its_connection, act)
            wait_until(lambda: number_waiting() == 1, 20, "the act's first write", 0.02)
            ends: Future[str] = pool.submit(alone_with_its_connection, end, user)
            wait_until(lambda: ends.done() or number_waiting() == 2, 20, "the end, or that it waits for the act", 0.02)
        assert ends.result(30) == "ok"
        return acts.result(30)
