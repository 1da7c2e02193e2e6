"""Mutes by the host's side: all at once, held until lifted, and asking. Held people try every way to be heard."""

from __future__ import annotations

from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.db import IntegrityError, transaction
from django.test import Client

from people.models import User
from rooms import actions
from rooms.media.supervisor import wanted
from rooms.models import Room, RoomEvent, Seat
from rooms.rules.identity import Who
from rooms.rules.refusals import RoomRefused
from tests.support.client import Page, code
from tests.support.people import api_client, person
from tests.support.processes import Site
from tests.support.races import said
from tests.support.rooms import consented, open_room, seated

pytestmark = pytest.mark.django_db


def opened(handle: str, room: Room) -> User:
    user = seated(handle, room)
    actions.set_muted(room.pk, user, False, by=user)
    return user


def seat_of(room: Room, user: User) -> Seat:
    return Seat.objects.get(room=room, user=user, left_at=None)


def open_microphones(room: Room) -> set[str]:
    return set(Seat.objects.filter(room=room, left_at=None, muted=False).values_list("user__handle", flat=True))


def full_room() -> tuple[Room, dict[str, User]]:
    """A room in which host, two co-hosts and two speakers have open microphones."""
    room = open_room()
    people = {handle: opened(handle, room) for handle in ("cora", "carl", "sam", "sue")}
    consented(room.host, room)
    actions.set_muted(room.pk, room.host, False, by=room.host)
    for handle in ("cora", "carl"):
        actions.name_cohost(room.pk, people[handle], by=room.host)
    return room, {**people, "host": room.host}


@pytest.mark.parametrize(
    ("by", "still_open"), [("host", {"host"}), ("cora", {"host", "cora", "carl"}), ("carl", {"host", "cora", "carl"})]
)
def test_mute_all_spares_the_host_oneself_and_between_cohosts_the_other(by: str, still_open: set[str]) -> None:
    room, people = full_room()
    seq = Room.objects.get(pk=room.pk).seq
    assert actions.mute_all(room.pk, by=people[by]) == 5 - len(still_open)
    assert open_microphones(room) == still_open
    told = RoomEvent.objects.filter(room=room, seq__gt=seq)
    assert {(event.type, event.data["by"], event.data["held"]) for event in told} == {("seat_muted", by, False)}
    assert actions.mute_all(room.pk, by=people[by]) == 0
    assert said(actions.set_muted, room.pk, people["sam"], False, by=people["sam"]) == "ok", "everybody may again"


def test_who_may_mute_hold_lift_and_ask() -> None:
    room, people = full_room()
    listener = person("listener")
    acts = (actions.hold_mute, actions.lift_mute, actions.ask_unmute)
    for by, target, expected in (
        ("sam", "sue", "not_host"),
        ("sam", "host", "not_host"),
        ("cora", "host", "not_allowed"),
        ("cora", "carl", "not_allowed"),
        ("cora", "cora", "not_allowed"),
        ("host", "host", "not_allowed"),
        ("cora", "sam", "ok"),
        ("host", "cora", "ok"),
    ):
        assert [said(act, room.pk, people[target], by=people[by]) for act in acts] == [expected] * 3, (by, target)
    assert [said(act, room.pk, listener, by=room.host) for act in acts] == ["not_on_stage"] * 3
    assert [said(act, room.pk, people["sam"], by=listener) for act in acts] == ["not_host"] * 3
    assert (
        said(actions.mute_all, room.pk, by=people["sam"]) == said(actions.mute_all, room.pk, by=listener) == "not_host"
    )
    actions.end_room(room.pk, room.host)
    assert [said(act, room.pk, people["sam"], by=room.host) for act in acts] == ["room_ended"] * 3
    assert said(actions.mute_all, room.pk, by=room.host) == "room_ended"


def test_a_held_mute_stays_until_it_is_lifted() -> None:
    room = open_room()
    sam, other = opened("sam", room), opened("other", room)
    actions.hold_mute(room.pk, sam, by=room.host)
    events = RoomEvent.objects.filter(room=room).count()
    actions.hold_mute(room.pk, sam, by=room.host)
    actions.set_muted(room.pk, sam, True, by=room.host)
    assert RoomEvent.objects.filter(room=room).count() == events, "said once"
    held = RoomEvent.objects.filter(room=room).latest("seq").data
    assert held == {"user": "sam", "muted": True, "held": True, "by": "host"}

    def tries() -> set[str]:
        seat = seat_of(room, sam)
        pages = (None, "", "a page", "another page")
        codes = {said(actions.set_muted, room.pk, sam, False, by=sam, page=page) for page in pages}
        codes |= {said(actions.set_muted, room.pk, sam, False, by=by) for by in (other, room.host)}
        for page, take in (("a page", True), ("another page", True), ("", True)):
            actions.hold_microphone(room.pk, sam, page, take=take)
        wanted_seat = wanted.open_seat(room.pk, seat.pk, Who.of_user(sam).key)
        assert wanted_seat is not None and wanted_seat.muted and wanted.load()[room.pk].seats[seat.pk].muted
        return codes

    assert tries() == {"mute_held", "not_allowed"}
    for reason in (Seat.LeftReason.LEFT, Seat.LeftReason.LOST):
        actions.leave_seat(room.pk, sam, reason)
        assert said(actions.set_muted, room.pk, sam, False, by=sam) == "not_on_stage"
        actions.take_seat(room.pk, sam)
        taken = RoomEvent.objects.filter(room=room, type="seat_taken").latest("seq").data["seat"]
        assert taken["held"] and taken["muted"] and tries() == {"mute_held", "not_allowed"}
    actions.unseat(room.pk, sam, by=room.host)
    actions.take_seat(room.pk, sam)
    actions.name_cohost(room.pk, sam, by=room.host)
    assert said(actions.lift_mute, room.pk, sam, by=sam) == "not_allowed", "not by being a co-host either"
    assert seat_of(room, sam).mute_held and tries() == {"mute_held", "not_allowed"}
    assert not seat_of(room, other).mute_held

    actions.lift_mute(room.pk, sam, by=room.host)
    lifted = RoomEvent.objects.filter(room=room).latest("seq").data
    assert lifted == {"user": "sam", "muted": True, "held": False, "by": "host"}, "which opens no microphone"
    assert said(actions.set_muted, room.pk, sam, False, by=sam, page="") == "ok"
    actions.leave_seat(room.pk, sam)
    actions.take_seat(room.pk, sam)
    assert not seat_of(room, sam).mute_held


def test_a_held_mute_is_of_one_room() -> None:
    room, elsewhere = open_room(), open_room("other_host")
    sam = seated("sam", room)
    actions.hold_mute(room.pk, sam, by=room.host)
    consented(sam, elsewhere)
    actions.take_seat(elsewhere.pk, sam)
    assert said(actions.set_muted, elsewhere.pk, sam, False, by=sam) == "ok"


def test_the_database_has_no_open_microphone_that_is_held() -> None:
    room = open_room()
    sam = seated("sam", room)
    actions.hold_mute(room.pk, sam, by=room.host)
    with pytest.raises(IntegrityError, match="seat_held_is_muted"), transaction.atomic():
        Seat.objects.filter(user=sam).update(muted=False)


def test_a_held_microphone_is_lifted_before_it_is_asked_for() -> None:
    room = open_room()
    sam = seated("sam", room)
    actions.hold_mute(room.pk, sam, by=room.host)
    assert said(actions.ask_unmute, room.pk, sam, by=room.host) == "not_allowed"


def test_over_the_api() -> None:
    room, people = full_room()
    api = {handle: api_client(user) for handle, user in people.items()}

    def post(by: str, path: str, user: str | None = None) -> Any:
        body = {} if user is None else {"user": user}
        return api[by].post(f"/api/v1/rooms/{room.slug}/{path}/", body, "application/json")

    seats = post("cora", "hold-mute", "sam").json()["seats"]
    assert [(seat["muted"], seat["held"]) for seat in seats if seat["user"] == "sam"] == [(True, True)]
    refused = post("sam", "unmute")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "mute_held")
    assert post("sam", "lift-mute", "sam").json()["error"]["code"] == "not_host"
    at_seat = f"/api/v1/rooms/{room.slug}/seat/"
    assert (api["sam"].delete(at_seat).status_code, api["sam"].post(at_seat).status_code) == (200, 201)
    assert post("sam", "unmute").json()["error"]["code"] == "mute_held"
    assert post("host", "ask-unmute", "sam").json()["error"]["code"] == "not_allowed"
    assert post("host", "ask-unmute", "nobody").json()["error"]["code"] == "not_on_stage"
    assert post("host", "hold-mute").status_code == 400
    assert post("host", "lift-mute", "sam").status_code == post("sam", "unmute").status_code == 200
    post("host", "mute-all")
    assert open_microphones(room) == {"host"}
    assert Client().post(f"/api/v1/rooms/{room.slug}/mute-all/").status_code == 401


def test_a_person_is_asked_a_few_times_a_minute_whoever_asks() -> None:
    """Each time is read out to them."""
    room = open_room()
    sam, cohost = seated("sam", room), seated("cas", room)
    actions.name_cohost(room.pk, cohost, by=room.host)
    for by in (room.host, cohost, room.host):
        actions.ask_unmute(room.pk, sam, by=by)
    with pytest.raises(RoomRefused) as refused:
        actions.ask_unmute(room.pk, sam, by=cohost)
    assert refused.value.code == "too_fast"
    actions.set_muted(room.pk, sam, False, by=sam)
    actions.ask_unmute(room.pk, sam, by=cohost)  # nothing is asked of an open microphone, so nothing is counted


@pytest.mark.django_db(transaction=True)
async def test_over_sockets_a_held_person_with_two_pages(web: Site) -> None:
    room = await run(open_room)()
    sam = await run(opened)("sam", room)
    async with Page(room, room.host) as host, Page(room, sam) as page, Page(room, sam) as other, Page(room) as guest:
        assert code(await host.ask("hold_mute", user="sam")) == "ok"
        told = await page.wait_for("you_muted")
        assert told == {"type": "you_muted", "room": room.slug, "by": "host", "held": True}
        for where in (page, other):
            assert code(await where.ask("unmute")) == "mute_held"
            assert code(await where.ask("unmute", user="sam", held=False)) == "mute_held"
            assert code(await where.ask("speak_claim", take=True)) == "ok"
            assert code(await where.ask("unmute")) == "mute_held"
            assert code(await where.ask("lift_mute", user="sam")) == "not_host"
        assert code(await page.ask("leave_seat")) == code(await other.ask("take_seat")) == "ok"
        assert code(await other.ask("unmute")) == "mute_held"
        async with Page(room, sam) as again:
            seats = (await again.wait_for("snapshot"))["seats"]
            assert [(seat["muted"], seat["held"]) for seat in seats if seat["user"] == "sam"] == [(True, True)]
            assert code(await again.ask("unmute")) == "mute_held"
        assert code(await host.ask("lift_mute", user="sam")) == "ok"
        await guest.wait_for(lambda message: message.get("type") == "seat_muted" and not message["data"]["held"])
        assert code(await host.ask("ask_unmute", user="sam")) == "ok"
        asked = await other.wait_for("unmute_asked")
        assert asked == {"type": "unmute_asked", "room": room.slug, "by": "host"}
        assert code(await other.ask("unmute")) == "ok"
        assert code(await host.ask("ask_unmute", user="sam")) == "ok"
        assert (await host.ask("mute_all"))["muted"] == 1
        assert code(await guest.ask("ping")) == code(await other.ask("ping")) == "ok"
        assert len(other.of_type("unmute_asked")) == 1, "nothing is asked of an open microphone"
        for reader in (host, guest):
            assert not reader.of_type("unmute_asked") and not reader.of_type("you_muted")
    log = await run(lambda: set(RoomEvent.objects.filter(room=room).values_list("type", flat=True)))()
    assert "unmute_asked" not in log
