"""Invitations and blocks: nobody reads from an answer, a list or a missing message who blocks whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mail.models import Mail
from people.models import User
from rooms import actions
from rooms.models import Invitation, Room
from rooms.queries.invitable import Asked, invitable
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from social.actions.blocks import block
from social.actions.follows import follow
from social.models import Block, Follow, Message
from tests.support.cohosts import with_cohosts
from tests.support.invitations import ask, invited, of, overhear, part, reachable
from tests.support.messages import deliver
from tests.support.people import person
from tests.support.races import refused
from tests.support.rooms import open_room

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    return overhear(monkeypatch)


def test_a_receivers_block_does_not_show_and_nothing_arrives(told: list[Any]) -> None:
    room, (helper,) = with_cohosts("helper")
    blocker, plain = reachable("blocker", invitations_by_mail=True), reachable("plain")
    block(blocker, helper)
    costs = []
    for user in (plain, blocker):
        with CaptureQueriesContext(connection) as seen:
            assert ask(room, helper, user.handle) == ["invited"]
        costs.append(len(seen))
    assert costs[0] == costs[1]
    deliver()
    assert [whom for whom, message in told if message["type"] == "invited"] == [f"u:{plain.pk}"]
    assert not Mail.objects.exists() and not mail.outbox
    sent = Message.objects.filter(sender=helper).order_by("pk")
    assert [message.withheld for message in sent] == [False, True]
    assert [entry["state"] for entry in part(room, helper)["list"]] == ["pending", "pending"]
    assert part(room, blocker)["own"] is None, "nor does the one who blocked hear of it in the room"
    told.clear()
    actions.revoke(room.pk, helper, of(blocker, room).pk)
    assert [whom for whom, _message in told] == [f"host:{room.pk}"]


def test_a_hosts_block_does_not_show_to_a_cohost_and_gives_no_right(told: list[Any]) -> None:
    host, target = person("host", creator=True), reachable("target", invitations_by_mail=True)
    block(host, target)
    room, (helper,) = with_cohosts("helper", host=host)
    assert ask(room, host, "target") == ["you_block_receiver"]
    assert ask(room, helper, "target") == ["invited"]
    deliver()
    assert Message.objects.get(sender=helper).withheld
    assert not [message for _whom, message in told if message["type"] == "invited"]
    assert permissions.may_enter(facts_of(room, target)) == "not_allowed"
    assert refused(actions.accept, room.pk, target) == "not_allowed"
    guest = person("guest")
    follow(target, guest)
    assert ask(room, guest, "target", kind="listen") == ["invited"]
    assert Message.objects.get(sender=guest).withheld


@pytest.mark.django_db(transaction=True)
def test_a_cohosts_block_of_somebody_who_was_never_here_does_not_show_to_the_host() -> None:
    room, (helper,) = with_cohosts("helper")
    asked, unasked = invited("asked", room), reachable("unasked")
    for user in (asked, unasked):
        block(helper, user)
    assert of(asked, room).state == "pending" and permissions.may_enter(facts_of(room, asked)) == "not_allowed"
    assert [entry["state"] for entry in part(room, room.host)["list"]] == ["pending"]
    assert ask(room, room.host, "asked", "unasked") == ["invited_already", "invited"]
    assert Message.objects.get(thread__sides__user=unasked).withheld
    assert ask(room, helper, "unasked") == ["invited_already"]
    assert ask(room, helper, "unasked", kind="listen") == ["you_block_receiver"]
    assert refused(actions.accept, room.pk, unasked) == "not_allowed"


def test_a_follow_that_a_block_ended_still_stands_for_the_guest_who_was_blocked() -> None:
    room = open_room()
    guest, target = person("guest"), reachable("target")
    follow(target, guest)
    block(target, guest)
    assert not Follow.objects.exists() and Block.objects.get().undid_own_follow
    assert ask(room, guest, "target", kind="listen") == ["invited"]


@pytest.mark.django_db(transaction=True)
def test_a_block_takes_back_what_the_blocker_sent_and_nothing_else() -> None:
    room = open_room()
    target = invited("target", room)
    actions.decline(room.pk, target)
    guest = person("guest")
    follow(target, guest)
    ask(room, guest, "target", kind="listen")
    block(guest, target)
    assert of(target, room).state == "revoked" and Invitation.objects.get(by=room.host).state == "declined"
    assert ask(room, room.host, "target", kind="listen") == ["invited"]
    block(room.host, target)
    assert of(target, room).state == "revoked"
    assert Invitation.objects.get(by=room.host, kind="speak").state == "declined", "nobody revokes that by hand"
    assert permissions.may_enter(facts_of(room, target)) == "not_allowed"


@pytest.mark.django_db(transaction=True)
def test_a_cohost_sees_the_same_whether_the_host_blocks_somebody_or_takes_their_own_invitation_back() -> None:
    """Two rooms with the same people invited, by host and co-host, to speak and to listen; in one the host blocks them,
    in the other the host takes back what the host sent. What the co-host sees is equal then, and after the end."""
    seen = []
    for host, blocks in (("blocking", True), ("revoking", False)):
        room, (helper,) = with_cohosts(f"helper{host}", host=person(host, creator=True))
        speaks, listens, declines = [reachable(f"{name}{host}") for name in ("speaks", "listens", "declines")]
        assert ask(room, helper, speaks.handle, declines.handle) == ["invited"] * 2
        assert ask(room, helper, listens.handle, kind="listen") == ["invited"]
        assert ask(room, room.host, speaks.handle, kind="listen") == ["invited"]
        actions.decline(room.pk, declines)
        for user in (speaks, listens, declines):
            if blocks:
                block(room.host, user)
        if not blocks:
            actions.revoke(room.pk, room.host, Invitation.objects.get(by=room.host, user=speaks).pk)
        now = [
            as_seen(room, helper),
            ask(room, helper, speaks.handle),
            ask(room, helper, listens.handle, kind="listen"),
        ]
        found = [one["state"] for one in invitable(room, helper, Asked(speaks.handle))[0]]
        actions.end_room(room.pk, room.host)
        seen.append([*now, found, sorted(Invitation.objects.filter(room=room).values_list("kind", "state"))])
    assert str(seen[0]).replace("blocking", "revoking") == str(seen[1])
    assert "pending" in str(seen[0][0]) and "expired" in str(seen[0][-1])


def as_seen(room: Room, reader: User) -> list[tuple[str, ...]]:
    """List the invitations as a helper reads them, without keys and pictures."""
    rows = part(room, reader)["list"]
    return sorted(tuple(str(row[name]) for name in ("user", "kind", "state", "by", "came")) for row in rows)
