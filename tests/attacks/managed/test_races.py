"""Rights that end in the very moment in which they are used, and a web process that dies then."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event

from websockets.exceptions import ConnectionClosed

from deploy.local.serve import readiness
from people.actions import standing
from people.models import User
from rooms.models import Room, Seat
from tests.attacks.managed.attackers import Browser, handles_of, socket_of, somebody
from tests.rooms.media.test_sdp import CHROMIUM
from tests.support.managed import Managed
from tests.support.rooms import consented
from tests.support.waiting import wait_until


def close(user: User) -> None:
    standing.close_account(user, None, "asked for it")


def open_seats(user: User) -> int:
    return Seat.objects.filter(user=user, left_at=None).count()


def stays_gone(user: User) -> bool:
    """No open seat and no connection of a person, now and three rounds of the supervisor later."""
    for _round in range(6):
        if open_seats(user) or handles_of(user):
            return False
        time.sleep(0.5)
    return True


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
            wait_until(lambda: open_seats(user) and handles_of(user), what="a seat and a microphone")
            close(user)
            wait_until(lambda: stays_gone(user), what="the end of seat and sound, for good")
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
        wait_until(lambda: not handles_of(user), seconds=20, what="silence")
        assert open_seats(user) == 0
    wait_until(lambda: not readiness(site.url), seconds=90, what="the site")
