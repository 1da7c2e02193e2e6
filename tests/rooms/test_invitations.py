"""Invitations to speak and to listen: who makes them, how each line is answered, and what they give."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import bus
from people.actions.standing import impose_sanction
from people.models import User
from rooms import actions, presence
from rooms.actions.invitations import Accepted
from rooms.models import Hand, Invitation, Room
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from social.actions.blocks import block
from social.actions.follows import follow
from social.models import Follow, Message
from social.queries import unread_of_many
from tests.support.cohosts import with_cohosts
from tests.support.hands import queue, raised
from tests.support.invitations import ask, invited, of, overhear, part, reachable, scheduled, small_room
from tests.support.messages import deliver
from tests.support.people import people, person
from tests.support.races import refused
from tests.support.rooms import consented, open_room, seated

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    return overhear(monkeypatch)


# --- who is invited, line by line -------------------------------------------------------------------------------------


def test_each_line_of_a_list_is_answered_in_its_order() -> None:
    room = open_room()
    invited("again", room)
    reachable("new")
    reachable("removed")
    seated("sits", room)
    person("closed", is_active=False)
    person("unreachable")
    mine = person("mine", messages_from="everyone")
    block(room.host, mine)
    actions.remove_person(room.pk, User.objects.get(handle="removed"), by=room.host)
    lines = {
        "new": "invited",
        "@NEW": "invited",  # the same person once more
        "again": "invited_already",
        "sits": "on_stage_already",
        "host": "not_invite_oneself",
        "removed": "removed_here",
        "unreachable": "cannot_be_reached",
        "mine": "you_block_receiver",
        "closed": "unknown_person",
        "nobody_at_all": "unknown_person",
        "no handle!": "bad_value",
        "": "bad_value",
    }
    assert dict(zip(lines, ask(room, room.host, *lines), strict=True)) == lines
    assert Invitation.objects.filter(room=room, user__handle="new").count() == 1
    assert Message.objects.filter(kind="invitation").count() == 2
    deliver()
    new = User.objects.get(handle="new")
    assert unread_of_many([new.pk]) == {new.pk: 1}


def test_a_person_who_is_seen_here_or_whose_hand_is_up_can_always_be_asked_to_speak() -> None:
    room = open_room(speak_policy="followed")
    present, unseen = (person(handle, messages_from="nobody") for handle in ("present", "unseen"))
    raised("waiting", room)
    for user in (present, unseen):
        enter(room, user)
    actions.set_unseen(room, present, False)
    assert ask(room, room.host, "present", "unseen", "waiting") == ["invited", "cannot_be_reached", "invited"]
    actions.set_unseen(room, unseen, True)
    assert ask(room, room.host, "unseen") == ["cannot_be_reached"]
    assert ask(room, room.host, "present", kind="listen") == ["cannot_be_reached"], "to speak only"


def enter(room: Room, user: User) -> None:
    """Open a page, as far as presence knows."""

    async def connect() -> None:
        client = bus.connect()
        await presence.enter(client, room.pk, [(presence.user_key(user.pk), "a.page.1")])
        await client.aclose()

    asyncio.run(connect())


def test_guests_invite_those_they_follow_and_who_follow_them_to_listen() -> None:
    room = open_room()
    guest = person("guest")
    fan, idol = reachable("fan"), reachable("idol")
    reachable("stranger")
    follow(fan, guest)
    follow(guest, idol)
    assert ask(room, guest, "fan", "idol", "stranger", kind="listen") == ["invited", "invited", "not_acquainted"]
    assert refused(ask, room, guest, "fan") == "not_host", "never to speak"
    row = of(fan, room)
    assert not row.by_helper and not facts_of(room, fan).invited and not facts_of(room, fan).invited_to_speak
    assert {message.kind for message in Message.objects.all()} == {"room"}
    Room.objects.filter(pk=room.pk).update(entry_policy="invited")
    room.refresh_from_db()
    assert permissions.may_enter(facts_of(room, fan)) == "not_allowed", "a guest's is news, never admission"
    assert ask(room, room.host, "fan", kind="listen") == ["invited"]
    assert permissions.may_enter(facts_of(room, fan)) is None
    assert [entry["by"] for entry in part(room, room.host)["list"]] == ["host"], "guests' are only counted"


def test_limits_are_counted_over_calls_and_hold_for_each_inviter(settings: Any) -> None:
    settings.ROOM_OPEN_INVITATIONS, settings.ROOM_INVITATIONS_OF_HOST, settings.ROOM_INVITATIONS_OF_GUEST = 3, 3, 2
    room, (helper,) = with_cohosts("helper")
    handles = [reachable().handle for _number in range(5)]
    assert ask(room, room.host, *handles[:2]) == ["invited"] * 2
    actions.make_link(room.pk, room.host, "A prospect")
    assert ask(room, helper, *handles[2:4]) == ["invitations_full"] * 2, "an open link counts"
    actions.decline(room.pk, User.objects.get(handle=handles[0]))
    assert ask(room, helper, *handles[2:4]) == ["invited", "invitations_full"]
    assert ask(room, room.host, *handles, kind="listen") == ["invited"] * 3 + ["invitations_used_up"] * 2
    actions.revoke(room.pk, room.host, of(User.objects.get(handle=handles[0]), room).pk)
    assert ask(room, room.host, handles[4], kind="listen") == ["invitations_used_up"], "taking back frees none"
    assert ask(room, helper, handles[4], kind="listen") == ["invited"]
    guest = person("guest")
    for handle in handles:
        Follow.objects.create(follower=User.objects.get(handle=handle), followed=guest)
    assert ask(room, guest, *handles[:3], kind="listen") == ["invited", "invited", "invitations_used_up"]


def test_two_hundred_cost_as_many_statements_as_two() -> None:
    room = open_room()
    costs = []
    for number in (2, 150):
        users = people(number)
        User.objects.filter(pk__in=[user.pk for user in users]).update(messages_from="everyone")
        with CaptureQueriesContext(connection) as seen:
            assert set(ask(room, room.host, *(user.handle for user in users), kind="listen")) == {"invited"}
        costs.append(len(seen))
    assert costs[0] == costs[1] < 45, costs


def test_who_declined_is_not_asked_again_before_they_raise_a_hand() -> None:
    room = open_room(speak_policy="invited")
    anna = consented(invited("anna", room), room)
    actions.decline(room.pk, anna)
    assert ask(room, room.host, "anna") == ["declined_here"]
    assert ask(room, room.host, "anna", kind="listen") == ["invited"]
    actions.raise_hand(room.pk, anna)
    actions.lower_hand(room.pk, anna)
    assert ask(room, room.host, "anna") == ["invited"]


# --- accepting and declining ------------------------------------------------------------------------------------------


def test_accepting_with_a_free_place_offers_it_and_the_seat_is_theirs(told: list[Any]) -> None:
    room = open_room(speak_policy="invited")
    anna = consented(invited("anna", room), room)
    told.clear()
    assert actions.accept(room.pk, anna) == actions.accept(room.pk, anna)
    assert actions.accept(room.pk, anna).seat_free and queue(room) == []
    assert of(anna, room).state == "accepted" and of(anna, room).answered_at is not None
    assert [(whom, message["data"]["state"]) for whom, message in told] == [(f"host:{room.pk}", "accepted")], "once"
    actions.take_seat(room.pk, anna)
    assert actions.accept(room.pk, anna) == Accepted()
    assert refused(actions.decline, room.pk, anna) == "on_stage_already"


def test_accepting_while_the_stage_is_full_is_the_end_of_the_one_queue_at_that_moment(settings: Any) -> None:
    settings.ROOM_MAX_HANDS = 1
    room = small_room()
    raised("before", room)
    anna, bert = consented(invited("anna", room), room), invited("bert", room)
    actions.lock_hands(room.pk, room.host, True)
    assert actions.accept(room.pk, anna).place == 2, "whatever the lock and the number of hands"
    assert actions.accept(room.pk, anna).place == 2
    without = actions.accept(room.pk, bert)
    assert (without.place, without.needs_consent, without.seat_free) == (None, True, False)
    assert of(bert, room).state == "accepted" and queue(room) == ["before", "anna"]
    actions.raise_hand(room.pk, consented(bert, room))
    assert queue(room) == ["before", "anna", "bert"]
    up = Hand.objects.filter(room=room).order_by("pk")
    assert list(up.values_list("user__handle", "invited")) == [("before", False), ("anna", True), ("bert", True)]
    assert refused(actions.raise_hand, room.pk, consented(person("late"), room)) == "hands_locked"


def test_a_hand_that_is_up_keeps_its_place_and_is_marked() -> None:
    room = small_room()
    for handle in ("anna", "bert"):
        raised(handle, room)
    anna = User.objects.get(handle="anna")
    assert ask(room, room.host, "anna") == ["invited"], "a hand makes reachable"
    assert actions.accept(room.pk, anna).place == 1
    assert Hand.objects.get(user=anna).invited and queue(room) == ["anna", "bert"]


def test_declining_lowers_the_hand_and_still_lets_the_person_listen(told: list[Any]) -> None:
    room = small_room(entry_policy="invited")
    anna = consented(invited("anna", room), room)
    actions.accept(room.pk, anna)
    assert queue(room) == ["anna"]
    actions.decline(room.pk, anna)
    assert queue(room) == [] and of(anna, room).state == "declined"
    assert permissions.may_enter(facts_of(room, anna)) is None, "nobody is put out by saying no"
    assert not facts_of(room, anna).invited_to_speak
    assert refused(actions.decline, room.pk, anna) == refused(actions.accept, room.pk, anna) == "unknown_invitation"
    actions.remove_person(room.pk, anna, by=room.host)
    actions.undo_removal(room.pk, anna, by=room.host)
    assert permissions.may_enter(facts_of(room, anna)) == "not_allowed", "invitations do not come back"


def test_only_ones_own_invitation_to_speak_is_answered() -> None:
    room, other = open_room(), open_room("second")
    anna = invited("anna", other)
    listener = invited("listener", room, "listen")
    for user in (anna, listener, person("stranger")):
        assert refused(actions.accept, room.pk, user) == refused(actions.decline, room.pk, user) == "unknown_invitation"
    assert {row.state for row in Invitation.objects.all()} == {"pending"}


def test_sanctioned_people_accept_nothing() -> None:
    room = open_room()
    anna = invited("anna", room)
    impose_sanction(anna, "no_stage", None, "shouting")
    assert refused(actions.accept, room.pk, anna) == "no_stage"
    actions.decline(room.pk, anna)
    assert of(anna, room).state == "declined"


# --- taking back, the end, before the start ---------------------------------------------------------------------------


def test_revoking_ends_the_right_the_hand_and_the_admission_at_once(told: list[Any]) -> None:
    room = small_room(entry_policy="invited")
    anna = consented(invited("anna", room), room)
    actions.accept(room.pk, anna)
    told.clear()
    row = of(anna, room)
    actions.revoke(room.pk, room.host, row.pk)
    actions.revoke(room.pk, room.host, row.pk)
    assert of(anna, room).state == "revoked" and queue(room) == []
    assert permissions.may_enter(facts_of(room, anna)) == "not_allowed"
    mine = [message for whom, message in told if whom == f"u:{anna.pk}"]
    assert mine == [{"type": "invitation_revoked", "room": room.slug}]
    assert ask(room, room.host, "anna") == ["invited"], "may be asked anew"


def test_only_the_host_side_takes_back_and_only_what_is_theirs() -> None:
    room, (helper,) = with_cohosts("helper")
    other = open_room("second")
    anna, elsewhere = invited("anna", room), of(invited("elsewhere", other), other)
    guest = person("guest")
    follow(anna, guest)
    ask(room, guest, "anna", kind="listen")
    by_guest = of(anna, room)
    row = Invitation.objects.get(room=room, kind="speak")
    assert refused(actions.revoke, room.pk, guest, row.pk) == "not_host"
    assert refused(actions.revoke, room.pk, anna, row.pk) == "not_host"
    for pk in (elsewhere.pk, by_guest.pk, 2**40):
        assert refused(actions.revoke, room.pk, room.host, pk) == "unknown_invitation"
    actions.revoke(room.pk, helper, row.pk)
    row.refresh_from_db()
    assert row.state == "revoked"


def test_a_seat_that_was_taken_stays_when_the_invitation_is_taken_back() -> None:
    room = open_room(speak_policy="invited")
    anna = consented(invited("anna", room), room)
    actions.take_seat(room.pk, anna)
    actions.revoke(room.pk, room.host, of(anna, room).pk)
    assert facts_of(room, anna).seated


def test_the_end_expires_what_nobody_answered_and_nothing_is_done_after_it() -> None:
    room = open_room(entry_policy="invited")
    anna, bert, cleo = (invited(name, room) for name in ("anna", "bert", "cleo"))
    actions.accept(room.pk, bert)
    actions.decline(room.pk, cleo)
    actions.end_room(room.pk, room.host)
    room.refresh_from_db()
    assert [of(user, room).state for user in (anna, bert, cleo)] == ["expired", "accepted", "declined"]
    assert permissions.may_enter(facts_of(room, anna)) is None, "may hear the replay"
    reachable("late")
    for act in (
        lambda: ask(room, room.host, "late"),
        lambda: ask(room, room.host, "late", kind="listen"),
        lambda: actions.accept(room.pk, anna),
        lambda: actions.decline(room.pk, anna),
        lambda: actions.revoke(room.pk, room.host, of(anna, room).pk),
        lambda: actions.make_link(room.pk, room.host, "x"),
        lambda: actions.share_link(room.pk, room.host),
    ):
        assert refused(act) == "room_ended"


def test_before_a_room_opens_its_host_invites_and_people_answer() -> None:
    room = scheduled(open_room(entry_policy="invited"))
    anna = invited("anna", room)
    link, _path = actions.make_link(room.pk, room.host, "A prospect")
    accepted = actions.accept(room.pk, anna)
    assert (accepted.seat_free, accepted.place, accepted.needs_consent) == (False, None, False)
    assert of(anna, room).state == "accepted" and queue(room) == []
    assert refused(ask, room, anna, "host", kind="listen") == "not_open_yet", "guests, once it runs"
    actions.revoke_link(room.pk, room.host, link.pk)
    actions.revoke(room.pk, room.host, of(anna, room).pk)
    assert of(anna, room).state == "revoked"
