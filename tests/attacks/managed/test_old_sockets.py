"""Sockets that are kept when the right to them has gone, foreign ones, and too many: nothing comes of what they say."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from django.conf import settings
from websockets.exceptions import ConnectionClosed, InvalidStatus

from people.actions import standing
from people.models import Session, User
from people.sessions import stored_key
from rooms import actions
from rooms.live.verbs.table import VERBS
from rooms.models import Consent, Room, RoomEvent, Seat
from social.actions.follows import follow, unfollow
from tests.attacks.managed.attackers import Browser, Socket, handles_of, host_of, socket_of, somebody
from tests.rooms.media.test_sdp import CHROMIUM
from tests.support.managed import Managed
from tests.support.people import PASSWORD
from tests.support.rooms import open_room
from tests.support.waiting import wait_until

VALUES: dict[str, dict[str, Any]] = {
    "consent": {"version": settings.CONSENT_VERSION},
    "set_entry_policy": {"policy": "anyone"},
    "speak_offer": {"sdp": CHROMIUM},
    "check_offer": {"sdp": CHROMIUM},
    "listen_answer": {"sdp": CHROMIUM},
    "candidate": {"handle": "speak", "candidate": {"candidate": "", "sdpMid": "0"}},
}
# They give nothing: an empty candidate is dropped, and leaving takes one's own hand down.
HARMLESS = {"ping", "leave", "listen_stop", "check_stop", "candidate"}


def sign_out(browser: Browser, user: User, room: Room) -> None:
    assert browser.post("/accounts/logout/").status == 302


def change_password(browser: Browser, user: User, room: Room) -> None:
    """In another browser; the attacker has a copy of the old cookie."""
    owner = Browser("127.0.0.60")
    assert owner.sign_in(user.handle)
    new = {"oldpassword": PASSWORD, "password1": "another long walk", "password2": "another long walk"}
    assert owner.post("/accounts/password/change/", new).status == 302


def end_unheard(browser: Browser, user: User, room: Room) -> None:
    """The session ends in the database, and nobody is told: only asking again finds out."""
    Session.objects.filter(user=user).delete()


def close(browser: Browser, user: User, room: Room) -> None:
    standing.close_account(user, None, "asked for it")


def suspend(browser: Browser, user: User, room: Room) -> None:
    standing.impose_sanction(user, "suspended", None, "shouting")


def tighten(browser: Browser, user: User, room: Room) -> None:
    actions.set_entry_policy(room.pk, room.host, "invited")


def stop_following(browser: Browser, user: User, room: Room) -> None:
    unfollow(user, room.host)


ENDS: list[Callable[[Browser, User, Room], None]] = [
    *(sign_out, change_password, end_unheard, close, suspend, tighten, stop_following),
]


@pytest.mark.parametrize("end", ENDS)
def test_an_old_socket_says_every_verb(site: Managed, end: Callable[[Browser, User, Room], None]) -> None:
    room = open_room(host_of(), entry_policy="followers")
    user = somebody()
    follow(user, room.host)
    browser = Browser("127.0.0.61", user)
    with socket_of(room, browser) as socket:
        assert socket.code("ping") == "ok"
        end(browser, user, room)
        seq = Room.objects.get(pk=room.pk).seq
        answers = {verb: socket.code(verb, **VALUES.get(verb, {"user": room.host.handle})) for verb in sorted(VERBS)}
        taken = {verb for verb, said in answers.items() if said == "ok" and verb not in HARMLESS}
        assert not taken, answers
        assert socket.closed() == 4403
        assert socket.refusal() in ("signed_out", "account_closed", "account_suspended", "not_allowed")
    assert Room.objects.get(pk=room.pk).seq == seq and Room.objects.get(pk=room.pk).is_live
    assert not Seat.objects.filter(user=user).exists() and not Consent.objects.filter(user=user).exists()
    assert handles_of(user) == []
    with socket_of(room, browser) as again:
        assert again.closed() == 4403, "the same cookie opens no other one"


def test_on_stage_and_signed_out(site: Managed, room: Room) -> None:
    """A seat with a microphone's connection, kept by a page that only stops asking."""
    user = somebody()
    browser = Browser("127.0.0.62", user)
    with socket_of(room, browser) as socket:
        for verb in ("consent", "take_seat", "unmute", "speak_offer", "listen"):
            assert socket.code(verb, **VALUES.get(verb, {})) == "ok", verb
        assert {handle["kind"] for handle in handles_of(user)} == {"speak", "listen"}
        sign_out(browser, user, room)
        answers = [socket.code("unmute"), socket.code("speak_offer", sdp=CHROMIUM), socket.code("take_seat")]
        assert "ok" not in answers
        wait_until(lambda: not handles_of(user), what="the end of its sound")
        wait_until(lambda: not Seat.objects.filter(user=user, left_at=None).exists(), what="the end of its seat")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "http://localhost:1"]
)
def test_a_page_of_another_site(site: Managed, room: Room, origin: str) -> None:
    """With the cookies that a browser would send along."""
    with pytest.raises(InvalidStatus) as refused, socket_of(room, Browser(user=somebody()), origin=origin):
        raise AssertionError("it was let in")
    assert refused.value.response.status_code == 403


def test_cookies_and_names_of_others(site: Managed, room: Room) -> None:
    """Refused: values of session rows as cookies, two cookies of one name, verbs in the name of somebody else."""
    host, guest = room.host, somebody()
    own = Browser("127.0.0.63", guest)
    Browser(user=host).get("/settings/")
    row = Session.objects.filter(user=host).latest("created_at")
    for value in (row.session_key, row.ident, row.session_data, stored_key(row.session_key)):
        thief = Browser("127.0.0.64")
        thief.cookies["sessionid"] = value
        assert not thief.is_in()
        with socket_of(room, thief) as socket:
            assert socket.seen[-1]["you"]["user"] is None
    with socket_of(room, own) as socket:
        for verb in ("mute", "unseat", "end", "set_entry_policy"):
            extra = {"who": f"u:{host.pk}", "by": host.handle, "conn": "x", "as_staff": True, "room": room.pk}
            said = socket.code(verb, user=host.handle, policy="invited", **extra)
            assert said in ("not_host", "not_allowed"), (verb, said)
        assert socket.code("unmute", user=host.handle) in ("not_allowed", "not_on_stage")
        forged = {"seat_pk": Seat.objects.get(user=host, left_at=None).pk, "counted": "x", "address": "10.0.0.1"}
        assert socket.code("speak_offer", sdp=CHROMIUM, **forged) == "not_on_stage"
        assert socket.code("candidate", handle="speak", candidate={"candidate": "x"}, who=f"u:{host.pk}") != "ok"
    assert handles_of(host) == [] and handles_of(guest) == []
    told = RoomEvent.objects.filter(room=room).exclude(type="host_lost")
    assert told.count() == 2, "opened, and its host's seat"


def test_sockets_by_the_hundred(site: Managed, room: Room) -> None:
    """Over the limit of a person each is told so; another person comes in all the same, from the same address too."""
    greedy = Browser("127.0.0.65", somebody())
    with ExitStack() as stack:
        told = []
        for _number in range(100):
            try:
                socket = stack.enter_context(socket_of(room, greedy))
                told.append(socket.seen[-1].get("error", {}).get("code", "in"))
            except ConnectionClosed as closed:  # cut before its reason was read
                told.append("too_many" if closed.rcvd and closed.rcvd.code == 4429 else repr(closed))
        assert told.count("in") <= settings.SOCKETS_PER_PERSON and set(told) == {"in", "too_many"}
        for address in ("127.0.0.65", "127.0.0.66"):
            with socket_of(room, Browser(address, somebody())) as honest:
                assert honest.code("ping") == "ok"


def test_frames_that_no_page_sends(site: Managed, room: Room) -> None:
    """Out of order, by the thousand, binary, cut into a thousand parts: at most this socket ends."""
    user = somebody()
    for frames in (
        [json.dumps({"id": 1, "do": "take_seat"})] * 400,
        [json.dumps({"id": number, "do": "speak_offer", "sdp": CHROMIUM}) for number in range(100)],
        [b"\x00" * 100] * 5,
        [json.dumps({"id": 1, "do": verb, "user": {"$ne": ""}}) for verb in sorted(VERBS)],
    ):
        with suppress(ConnectionClosed), socket_of(room, Browser("127.0.0.67", user)) as socket:
            for frame in frames:
                socket.socket.send(frame)
            drained(socket)
    with suppress(ConnectionClosed), socket_of(room, Browser("127.0.0.67", user)) as socket:
        socket.socket.send(iter([" "] * 1000 + ['{"id":1,"do":"ping"}']))
        drained(socket)
    assert not Seat.objects.filter(user=user).exists() and handles_of(user) == []


def drained(socket: Socket) -> None:
    """Read for a moment, as a page would."""
    with suppress(TimeoutError):
        for _number in range(500):
            socket.next(0.5)
