"""Rights that end in the very moment in which they are used, and a web process that dies then."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Event
from typing import Any

import pytest
from django.db import connection
from websockets.exceptions import ConnectionClosed

from deploy.local.serve import readiness
from people.actions import standing
from people.models import Creator, User
from people.refusals import PeopleRefused
from rooms import actions
from rooms.models import Room, Seat
from rooms.refusals import RoomRefused
from tests.attacks.managed.attackers import Browser, handles_of, socket_of, somebody, until
from tests.privileges import superuser
from tests.rooms.media.managed import Managed
from tests.rooms.media.test_sdp import CHROMIUM
from tests.rooms.people import consented


def close(user: User) -> None:
    standing.close_account(user, None, "asked for it")


def suspend(user: User) -> None:
    standing.impose_sanction(user, "suspended", None, "shouting")


def no_stage(user: User) -> None:
    standing.impose_sanction(user, "no_stage", None, "shouting")


def open_seats(user: User) -> int:
    return Seat.objects.filter(user=user, left_at=None).count()


def stays_gone(user: User) -> bool:
    """No open seat and no connection of a person, now and three rounds of the supervisor later."""
    for _round in range(6):
        if open_seats(user) or handles_of(user):
            return False
        time.sleep(0.5)
    return True


def alone_with_its_connection(work: Callable[..., Any], *args: Any) -> str:
    """What a thread of its own gets: "ok", or the code of a refusal."""
    try:
        work(*args)
    except (RoomRefused, PeopleRefused) as refused:
        return str(refused.code)
    finally:
        connection.close()
    return "ok"


@pytest.mark.parametrize("end", [close, suspend, no_stage])
def test_a_seat_between_the_question_and_the_answer(site: Managed, room: Room, end: Callable[[User], None]) -> None:
    """The account was asked whether it may; before the seat is written, the right to it ends.

    The fault: the seat was written after all that was to be given up had been looked for, and stayed.
    """
    user = consented(somebody(), room)
    assert raced("rooms_seat", end, user, lambda: actions.take_seat(room.pk, user)) is not None
    assert open_seats(user) == 0


@pytest.mark.parametrize("end", [close, suspend])
def test_a_room_between_the_question_and_the_answer(site: Managed, end: Callable[[User], None]) -> None:
    host = somebody("host")
    Creator.objects.create(user=host, added_at=host.date_joined)
    raced("rooms_room", end, host, lambda: actions.open_room(host, title="Quick"))
    assert not Room.objects.filter(host=host, status="live").exists() and open_seats(host) == 0


def raced(table: str, end: Callable[[User], None], user: User, act: Callable[[], Any]) -> str:
    """Hold up the act where it writes, end the right meanwhile, then let go; what the act answered."""
    with ThreadPoolExecutor(2) as pool:
        with superuser() as connected, connected.transaction():
            connected.execute(f"LOCK TABLE {table} IN SHARE MODE".encode())
            acts: Future[str] = pool.submit(alone_with_its_connection, act)
            waits = b"SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '%s'::regclass" % table.encode()
            until(lambda: connected.execute(waits).fetchone()[0], what="the act")  # type: ignore[index]
            ends: Future[str] = pool.submit(alone_with_its_connection, end, user)
            with suppress(TimeoutError):
                ends.result(2.0)
        assert ends.result(30) == "ok"
        return acts.result(30)


def test_twenty_who_take_seats_and_open_microphones_while_the_account_is_closed(site: Managed, room: Room) -> None:
    user = consented(somebody(), room)
    over, said = Event(), set[str]()

    def by_socket(number: int) -> None:
        verb = ("take_seat", "unmute", "speak_offer", "listen", "check_offer")[number % 5]
        with suppress(ConnectionClosed, OSError), socket_of(room, Browser("127.0.0.70", user)) as socket:
            while not over.is_set() and "closed" not in said:
                said.add(socket.code(verb, sdp=CHROMIUM))
                time.sleep(0.05)

    def by_api(number: int) -> None:
        browser = Browser("127.0.0.70", user)
        while not over.is_set():
            said.add(browser.api("POST", f"/rooms/{room.slug}/{('seat', 'unmute')[number % 2]}/").code or "ok")
            time.sleep(0.05)

    with ThreadPoolExecutor(20) as pool:
        works = [pool.submit(by_socket if number < 15 else by_api, number) for number in range(20)]
        try:
            until(lambda: open_seats(user) and handles_of(user), what="a seat and a microphone")
            close(user)
            until(lambda: stays_gone(user), what="the end of seat and sound, for good")
        finally:
            over.set()
        for work in works:
            work.result(60)
    assert said & {"account_closed", "not_signed_in", "closed"}, said
    assert not open_seats(user) and handles_of(user) == []


def test_a_web_process_that_was_killed_keeps_no_microphone_open(site: Managed, room: Room) -> None:
    """The closing is committed while no hub is there to hear of it."""
    user = consented(somebody(), room)
    with suppress(ConnectionClosed), socket_of(room, Browser("127.0.0.71", user)) as socket:
        for verb, values in (("take_seat", {}), ("unmute", {}), ("speak_offer", {"sdp": CHROMIUM})):
            assert socket.code(verb, **values) == "ok", verb
        (handle,) = handles_of(user)
        assert handle["kind"] == "speak"
        site.kill("web")
        close(user)
        until(lambda: not handles_of(user), within=20, what="silence")
        assert open_seats(user) == 0
    until(lambda: not readiness(site.url), within=90, what="the site")
