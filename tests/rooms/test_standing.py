"""Rights are asked again when they change: over real sockets, by clients that keep what they have open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.conf import settings
from django.utils import timezone

from core import bus
from ledger.models import Entry
from people.actions import standing
from people.models import Sanction, Session, User
from people.refusals import PeopleRefused
from rooms import actions
from rooms.models import Room, Seat
from rooms.rules.refusals import RoomRefused
from social.actions.follows import follow, unfollow
from social.models import Follow
from tests.support.client import Page, code
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import open_room, seated
from tests.support.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
# Seconds. How soon it must be is measured by a test that has the machine to itself (tests/attacks).
AT_ONCE = 15.0
NET = 40.0  # until the 5-second clock has come by, where the message was lost


def impose(user: User, kind: str, **values: Any) -> Sanction:
    return standing.impose_sanction(user, kind, None, "shouting at people", **values)


def close(user: User) -> None:
    standing.close_account(user, None, "asked for it")


def seats_of(user: User) -> int:
    return Seat.objects.filter(user=user, left_at=None).count()


async def put_out(page: Page, within: float = AT_ONCE) -> str:
    """The code with which a page is put out; fails when it is not, in time."""
    message = await page.wait_for(lambda message: "error" in message and "re" not in message, within)
    assert await page.closed(within) == 4403
    return str(message["error"]["code"])


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (close, "account_closed"),
        (lambda user: impose(user, "suspended"), "account_suspended"),
        (lambda user: impose(user, "suspended", ends_at=timezone.now() + timedelta(days=3)), "account_suspended"),
    ],
)
async def test_a_closed_account_loses_sockets_and_seat_at_once(web: Site, end: Callable[[User], Any], why: str) -> None:
    room = await run(open_room)()
    guest = await run(seated)("guest", room)
    async with (
        Page(room, guest) as one,
        Page(room, guest) as other,
        Page(room, room.host) as host,
        Page(room) as nobody,
    ):
        for page in (one, other, host, nobody):
            await page.wait_for("snapshot")
        await run(end)(guest)
        # Closing an account ends its sessions too: either is said, whichever is seen first.
        assert {await put_out(one), await put_out(other)} <= {why, "signed_out"}
        left = await host.wait_for("seat_left", AT_ONCE)
        assert left["data"] == {"user": "guest", "reason": "unseated"}
        assert not await run(seats_of)(guest)
        assert code(await nobody.ask("ping")) == code(await host.ask("ping")) == "ok", "others stay"
    with pytest.raises(RoomRefused, match=why):
        await run(actions.take_seat)(room.pk, guest)


async def test_who_signs_out_leaves_by_that_browser_alone(web: Site) -> None:
    room = await run(open_room)()
    guest = await run(seated)("guest", room)
    async with Page(room, guest) as phone, Page(room, guest) as desk:
        await phone.wait_for("snapshot")
        first = await run(lambda: Session.objects.filter(user=guest).order_by("-created_at").first())()
        await desk.wait_for("snapshot")
        assert first is not None
        await run(sign_out)(guest, first.ident)
        gone, stays = (phone, desk) if phone.socket.close_code else (desk, phone)
        done, _waiting = await asyncio.wait(
            [asyncio.create_task(page.socket.wait_closed()) for page in (phone, desk)],
            timeout=AT_ONCE,
            return_when=asyncio.FIRST_COMPLETED,
        )
        assert len(done) == 1
        gone, stays = (phone, desk) if phone.socket.close_code else (desk, phone)
        assert gone.socket.close_code == 4403
        assert code(await stays.ask("unmute")) == "ok", "the other browser is still signed in, and on stage"
        assert await run(seats_of)(guest) == 1
        last = await run(lambda: Session.objects.get(user=guest))()
        await run(sign_out)(guest, last.ident)
        assert await put_out(stays) == "signed_out"
        await until(run(lambda: not seats_of(guest)), AT_ONCE)


async def test_who_closes_while_being_put_out_still_leaves_the_stage(web: Site) -> None:
    """The peer answers the close at once, and Redis is slow at that moment: nothing of the departure is lost."""
    room = await run(open_room)()
    guest = await run(seated)("guest", room)
    async with Page(room, guest) as page, Page(room, room.host) as host:
        await page.wait_for("snapshot")
        await host.wait_for("snapshot")
        session = await run(Session.objects.get)(user=guest)
        await run(sign_out)(guest, session.ident)
        await page.wait_for(lambda message: "error" in message and "re" not in message, AT_ONCE)
        bus.client().client_pause(3000)  # milliseconds
        assert await page.closed(AT_ONCE) == 4403
        left = await host.wait_for("seat_left", AT_ONCE)
        assert left["data"] == {"user": "guest", "reason": "left"}


def sign_out(user: User, ident: str) -> None:
    """As the page does: the session's row goes, and that is said."""
    Session.objects.filter(ident=ident).delete()
    standing.standing_changed(user, "signed_out", ident)


async def test_a_new_key_for_a_session_closes_nothing(web: Site) -> None:
    """A sign-in and a password change give the browser a new key: what hangs on the session goes on."""
    from people.sessions import SessionStore

    room = await run(open_room)()
    guest = await run(seated)("guest", room)
    async with Page(room, guest) as page:
        await page.wait_for("snapshot")
        key = page.cookie.partition("=")[2]

        def cycle() -> str:
            store = SessionStore(key)
            store.cycle_key()
            store.save()
            standing.standing_changed(guest, "password_changed")
            return str(store.session_key)

        new = await run(cycle)()
        assert new != key
        await asyncio.sleep(0.5)
        assert code(await page.ask("unmute")) == "ok"


@pytest.mark.parametrize("how", ["gone", "too old"])
async def test_a_socket_whose_session_ended_unheard_does_nothing(web: Site, how: str) -> None:
    """The row is gone, or its time is over, and nobody was told: verbs are refused until the clock closes it."""
    room = await run(open_room)()
    guest = await run(seated)("guest", room)
    async with Page(room, guest) as page:
        await page.wait_for("snapshot")
        await asyncio.sleep(0.5)  # the rights of who has just joined are checked once more, which would close it too
        rows = Session.objects.filter(user=guest)
        await run(rows.delete if how == "gone" else lambda: rows.update(expire_date=timezone.now()))()
        # All at once: the clock may come by between two of them, and a closed socket answers nothing.
        verbs = ("take_seat", "unmute", "leave_seat", "listen", "ice", "snapshot")
        for number, verb in enumerate(verbs):
            await page.send({"id": number, "do": verb})
        assert await put_out(page, NET) == "signed_out"
    answers = [code(message) for message in page.seen if "re" in message]
    assert answers == ["not_signed_in"] * len(verbs)


async def test_a_sanction_that_nobody_was_told_of_is_found_by_the_clock(web: Site) -> None:
    room = await run(open_room)()
    guest = await run(seated)("guest", room)
    async with Page(room, guest) as page:
        await page.wait_for("snapshot")
        await run(Sanction.objects.create)(user=guest, kind="suspended", why="unheard")
        assert code(await page.ask("unmute")) == "account_suspended"
        assert await put_out(page, NET) == "account_suspended"
    assert await run(seats_of)(guest) == 1
    await run(actions.sweep_rooms)()
    assert await run(seats_of)(guest) == 0


async def test_no_stage_takes_the_seat_and_leaves_the_ears(web: Site) -> None:
    room = await run(open_room)()
    guest = await run(seated)("guest", room)
    async with Page(room, guest) as page:
        await page.wait_for("snapshot")
        sanction = await run(impose)(guest, "no_stage")
        assert (await page.wait_for("seat_left", AT_ONCE))["data"]["reason"] == "unseated"
        assert [code(await page.ask(verb)) for verb in ("take_seat", "unmute", "check_offer")] == ["no_stage"] * 3
        assert code(await page.ask("ping")) == "ok"
        await run(standing.lift_sanction)(sanction, None, "a mistake")
        assert code(await page.ask("take_seat")) == "ok"


async def test_the_room_of_a_suspended_host_ends(web: Site) -> None:
    room = await run(open_room)()
    async with Page(room) as page:
        await page.wait_for("snapshot")
        await run(impose)(room.host, "suspended")
        assert (await page.wait_for("room_ended", AT_ONCE))["data"]["reason"] == "staff"
    with pytest.raises(RoomRefused, match="account_suspended"):
        await run(actions.open_room)(room.host, title="Again")


def test_no_hosting_refuses_new_rooms_and_ends_none() -> None:
    room = open_room()
    sanction = impose(room.host, "no_hosting")
    room.refresh_from_db()
    assert room.is_live
    actions.end_room(room.pk, room.host)
    with pytest.raises(RoomRefused, match="no_hosting"):
        actions.open_room(room.host, title="Again")
    standing.lift_sanction(sanction, None, "over")
    assert actions.open_room(room.host, title="Again").is_live


async def test_a_warning_changes_nothing(web: Site) -> None:
    room = await run(open_room)()
    guest = await run(seated)("guest", room)
    async with Page(room, guest) as page:
        await page.wait_for("snapshot")
        await run(impose)(guest, "warning")
        await asyncio.sleep(0.5)
        assert code(await page.ask("unmute")) == "ok"


def test_a_sanction_begins_and_ends_by_itself() -> None:
    room = open_room()
    guest = seated("guest", room)
    now = timezone.now()
    Sanction.objects.create(user=guest, kind="no_stage", why="over", begins_at=now - timedelta(2), ends_at=now)
    Sanction.objects.create(user=guest, kind="no_stage", why="to come", begins_at=now + timedelta(1))
    actions.set_muted(room.pk, guest, False, by=guest)
    actions.sweep_rooms()
    assert seats_of(guest) == 1


def test_sanctions_and_closing_stand_in_the_ledger_and_are_checked() -> None:
    guest = person("guest")
    staff = person("staff", is_staff=True)
    wrongs: list[dict[str, Any]] = [{"kind": "beheaded"}, {"why": " "}, {"ends_at": timezone.now() - timedelta(1)}]
    for wrong in wrongs:
        with pytest.raises(PeopleRefused, match="bad_value"):
            standing.impose_sanction(guest, **{"kind": "warning", "by": staff, "why": "x", **wrong})
    with pytest.raises(PeopleRefused, match="not_allowed"):
        standing.impose_sanction(staff, "warning", staff, "myself")
    sanction = standing.impose_sanction(guest, "warning", staff, "shouting")
    assert standing.lift_sanction(sanction, staff, "heard them") and not standing.lift_sanction(
        sanction, staff, "twice"
    )
    assert standing.close_account(guest, staff, "asked") and not standing.close_account(guest, staff, "twice")
    assert standing.reopen_account(guest, staff, "asked again")
    acts = list(Entry.objects.order_by("seq").values_list("kind", "subject", "actor"))
    kinds = ["sanction_imposed", "sanction_lifted", "account_closed", "account_reopened"]
    assert acts == [(kind, f"person:{guest.pk}", staff.pk) for kind in kinds]


@pytest.mark.parametrize("policy", ["signed_in", "followers", "invited"])
async def test_a_tightened_policy_puts_out_whom_it_no_longer_admits(web: Site, policy: str) -> None:
    room = await run(open_room)()
    speaker, fan, stranger = [await run(seated)("speaker", room), *[await run(person)(n) for n in ("fan", "stranger")]]
    await run(Follow.objects.create)(follower=fan, followed=room.host)
    people = [room.host, speaker, fan, stranger, None]
    async with (
        Page(room, people[0]) as host,
        Page(room, people[1]) as seat,
        Page(room, people[2]) as follower,
        Page(room, people[3]) as other,
        Page(room) as nobody,
    ):
        for page in (host, seat, follower, other, nobody):
            await page.wait_for("snapshot")
        for page in (seat, follower, other, nobody):
            assert code(await page.ask("set_entry_policy", policy=policy)) in ("not_host", "not_signed_in")
        assert code(await host.ask("set_entry_policy", policy="my friends")) == "bad_value"
        assert code(await host.ask("set_entry_policy", policy=policy)) == "ok"
        out = {"signed_in": [nobody], "followers": [nobody, other], "invited": [nobody, other, follower]}[policy]
        for page in out:
            assert await put_out(page) == ("not_signed_in" if page is nobody else "not_allowed")
        for page in {host, seat, follower, other, nobody} - set(out):
            assert code(await page.ask("ping")) == "ok"
        assert [message["data"] for message in seat.of_type("entry_policy_set")] == [{"policy": policy}]
        for page in out:
            async with Page(room, page.user) as again:
                assert (await again.wait_for(lambda message: "error" in message)) and await again.closed() == 4403
    assert (await run(Room.objects.get)(pk=room.pk)).entry_policy == policy


def test_who_signs_in_stays_where_the_policy_was_loosened_again() -> None:
    room = open_room(entry_policy="invited")
    guest = person("guest")
    with pytest.raises(RoomRefused, match="not_allowed"):
        actions.record_consent(guest, room, settings.CONSENT_VERSION)
    actions.set_entry_policy(room.pk, room.host, "signed_in")
    room.refresh_from_db()
    actions.record_consent(guest, room, settings.CONSENT_VERSION)
    assert actions.take_seat(room.pk, guest).place == 1
    actions.set_entry_policy(room.pk, room.host, "invited")
    seq = Room.objects.get(pk=room.pk).seq
    actions.set_entry_policy(room.pk, room.host, "invited")
    assert Room.objects.get(pk=room.pk).seq == seq, "nothing happens twice"
    actions.set_muted(room.pk, guest, False, by=guest)
    actions.leave_seat(room.pk, guest)
    with pytest.raises(RoomRefused, match="not_allowed"):
        actions.take_seat(room.pk, guest)


async def test_who_stops_following_leaves_a_room_for_followers(web: Site) -> None:
    room = await run(open_room)(entry_policy="followers")
    fan = await run(person)("fan")
    await run(follow)(fan, room.host)
    async with Page(room, fan) as page:
        await page.wait_for("snapshot")
        await run(unfollow)(fan, room.host)
        assert await put_out(page) == "not_allowed"
