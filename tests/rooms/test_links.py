"""Personal links, by which one person comes to speak, and shared links, which count by whom people came."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings

from core import bus
from people.models import User
from rooms import actions
from rooms.models import Arrival, Invitation, PersonalLink, Removal, Room, RoomEvent, ShareLink, token_hash
from rooms.queries.personal_links import personal_link
from rooms.rules import limits, permissions
from rooms.rules.facts import facts_of
from rooms.rules.identity import Who
from social.models import Block, Message
from tests.support.cohosts import with_cohosts
from tests.support.invitations import ask, invited, of, part, reachable
from tests.support.messages import deliver
from tests.support.people import api_client, person
from tests.support.races import refused
from tests.support.rooms import consented, open_room, seated

pytestmark = pytest.mark.django_db
ADDRESS = "192.0.2.7"


def made(room: Room, by: User | None = None, label: str = "A prospect") -> tuple[PersonalLink, str]:
    """A personal link and its token."""
    link, path = actions.make_link(room.pk, by or room.host, label)
    start = f"/r/{room.slug}/come/"
    assert path.startswith(start) and path.endswith("/")
    return link, path.removeprefix(start).rstrip("/")


def look(room: Room, token: str, reader: User | None = None) -> str:
    """Answer of the page at the link’s address: "ok" or a code."""
    bus.client().flushdb()
    try:
        assert personal_link(room.slug, token, reader, address=ADDRESS).room == room
    except Exception as error:
        return str(getattr(error, "code", error))
    return "ok"


def use(token: str, user: User) -> str:
    bus.client().flushdb()
    return refused(actions.use_link, token, user, address=ADDRESS)


def test_a_link_is_128_bits_kept_as_a_hash_and_shown_once() -> None:
    room = open_room()
    link, token = made(room)
    assert len(token) >= 22 and link.hash == token_hash(token)
    other, _token = made(room)
    assert other.hash != link.hash
    everything = json.dumps(
        [list(PersonalLink.objects.values_list("label", "hash")), part(room, room.host)], default=str
    )
    assert token not in everything
    answer = api_client(room.host).post(
        f"/api/v1/rooms/{room.slug}/personal-links/", {"label": "Aunt May"}, "application/json"
    )
    assert answer.status_code == 201 and answer.json()["url"].startswith(f"{settings.SITE_URL}/r/{room.slug}/come/")


def test_after_signing_up_the_link_is_the_persons_invitation() -> None:
    room = open_room(entry_policy="invited", speak_policy="invited")
    link, token = made(room)
    prospect = person("prospect", invitations_by_mail=True)
    assert refused(actions.admit, room, Who.of_user(prospect)) == "not_allowed"
    assert look(room, token) == look(room, token, prospect) == "ok"
    assert not Invitation.objects.exists(), "looking changes nothing"
    invitation = actions.use_link(token, prospect)
    assert (invitation.state, invitation.by, invitation.by_helper, invitation.kind) == (
        "pending",
        room.host,
        True,
        "speak",
    )
    assert permissions.may_enter(facts_of(room, prospect)) is None
    assert part(room, prospect)["own"]["kind"] == "speak"
    assert actions.use_link(token, prospect).pk == invitation.pk, "once more is the same"
    assert look(room, token, prospect) == "ok"
    assert part(room, room.host)["links"] == [{"id": link.pk, "label": "A prospect", "state": "used"}]
    deliver()
    assert Message.objects.get(kind="invitation").delivered_at is not None, "found again in the inbox"
    assert actions.accept(room.pk, prospect).seat_free
    actions.take_seat(room.pk, consented(prospect, room))


def test_a_link_is_for_one_person_and_dies_with_its_room() -> None:
    room = open_room()
    _link, token = made(room)
    taken_back, other = made(room)
    first, second = person("first"), person("second")
    actions.use_link(token, first)
    assert use(token, second) == look(room, token, second) == look(room, token) == "link_used"
    actions.revoke_link(room.pk, room.host, taken_back.pk)
    actions.revoke_link(room.pk, room.host, taken_back.pk)
    assert use(other, second) == look(room, other) == "link_ended"
    _link, third = made(room)
    actions.end_room(room.pk, room.host)
    room.refresh_from_db()
    assert use(third, second) == look(room, third) == "link_ended"
    assert sorted(link["state"] for link in part(room, room.host)["links"]) == ["expired", "revoked", "used"]
    assert Invitation.objects.count() == 1


def test_a_declined_or_revoked_invitation_does_not_come_back_by_its_link() -> None:
    room = open_room()
    _link, token = made(room)
    prospect = person("prospect")
    actions.use_link(token, prospect)
    actions.revoke(room.pk, room.host, of(prospect, room).pk)
    assert actions.use_link(token, prospect).state == "revoked"
    assert not facts_of(room, prospect).invited


def test_links_do_not_pass_what_an_invitation_does_not() -> None:
    room, (helper,) = with_cohosts("helper")
    _link, token = made(room, helper)
    out, blocked, by_helper, blocker = person("out"), person("blocked"), person("byhelper"), person("blocker")
    Removal.objects.create(room=room, user=out, by=room.host)
    Block.objects.create(blocker=room.host, blocked=blocked)
    Block.objects.create(blocker=helper, blocked=by_helper)
    Block.objects.create(blocker=blocker, blocked=room.host)
    assert [use(token, user) for user in (out, blocked, by_helper)] == ["not_allowed"] * 3
    assert use(token, blocker) == "you_blocked_host"
    assert use(token, helper) == use(token, room.host) == use(token, seated("sits", room)) == "on_stage_already"
    actions.demote(room.pk, helper, by=room.host)
    actions.leave_seat(room.pk, helper)
    assert use(token, helper) == "not_invite_oneself"
    standing = invited("standing", room)
    assert actions.use_link(token, standing).link_id is None, "who is invited already leaves it for somebody else"
    assert look(room, token) == "ok"
    assert actions.use_link(token, person("prospect")).by == helper


def test_only_the_host_side_makes_and_takes_back_links_of_its_own_room(settings: Any) -> None:
    room, other = open_room(), open_room("second")
    guest = person("guest")
    link, _token = made(room)
    assert refused(actions.make_link, room.pk, guest, "x") == "not_host"
    assert refused(actions.revoke_link, room.pk, guest, link.pk) == "not_host"
    assert refused(actions.revoke_link, other.pk, other.host, link.pk) == "unknown_link"
    for label in ("", "  ", "x" * 61, "a\u202eb"):
        assert refused(actions.make_link, room.pk, room.host, label) == "bad_value"
    settings.ROOM_OPEN_INVITATIONS = 2
    made(room)
    assert refused(actions.make_link, room.pk, room.host, "x") == "invitations_full"
    actions.revoke_link(room.pk, room.host, link.pk)
    made(room)


def test_guessing_is_counted_by_address() -> None:
    room = open_room()
    _link, token = made(room)
    user = person("guesser")
    codes = [refused(actions.use_link, f"{token[:-1]}-{number}", user, address=ADDRESS) for number in range(25)]
    assert set(codes[:20]) == {"unknown_link"} and codes[-1] == "too_fast"
    assert refused(actions.use_link, token, user, address=ADDRESS) == "too_fast", "the right one too"
    assert actions.use_link(token, user, address="198.51.100.1").user == user
    for odd in ("", "\x00", "é" * 100, "\ud800"):
        assert refused(actions.use_link, odd, user, address="198.51.100.2") == "unknown_link"


# --- links to share ---------------------------------------------------------------------------------------------------


def shared(room: Room, by: User) -> ShareLink:
    return actions.share_link(room.pk, by)


def came(room: Room) -> dict[str, int]:
    return {count["by"]: count["came"] for count in part(room, room.host)["counts"]}


def test_everybody_in_the_room_has_one_link_to_share_and_it_admits_nobody() -> None:
    room = open_room(entry_policy="signed_in")
    guest = person("guest")
    answer = api_client(guest).post(f"/api/v1/rooms/{room.slug}/share-link/").json()
    link = shared(room, guest)
    assert answer == {"url": f"{settings.SITE_URL}/r/{room.slug}/?by={link.code}"} and shared(room, guest) == link
    assert actions.arrive(link.code, Who(None, "a:somebody")) is False, "who may not come in has not come"
    Room.objects.filter(pk=room.pk).update(entry_policy="invited")
    assert refused(actions.share_link, room.pk, guest) == "not_allowed"
    assert actions.arrive(link.code, Who.of_user(person("other"))) is False
    assert not Arrival.objects.exists()


def test_arrivals_count_each_person_once_and_not_the_one_who_shared() -> None:
    room = open_room()
    guest, other = person("guest"), person("other")
    link = shared(room, guest)
    assert actions.arrive(link.code, Who(None, "a:first")) and not actions.arrive(link.code, Who(None, "a:first"))
    assert actions.arrive(link.code, Who.of_user(other)) and not actions.arrive(link.code, Who.of_user(other))
    assert not actions.arrive(link.code, Who.of_user(person("late"), listener="a:first")), "signed in since"
    assert not actions.arrive(link.code, Who.of_user(guest))
    assert not actions.arrive(link.code, Who.of_user(room.host)) and not actions.arrive(
        link.code, Who.of_user(seated("sits", room))
    )
    for code in ("", "nothing", "\x00"):
        assert not actions.arrive(code, Who(None, "a:second"))
    assert came(room) == {"guest": 2} and Arrival.objects.count() == 2
    assert not any(str(other.pk) == mac or "a:first" in mac for mac in Arrival.objects.values_list("mac", flat=True))
    fan = reachable("fan")
    assert ask(room, room.host, "fan", kind="listen") == ["invited"]
    by_host = shared(room, room.host)
    assert not actions.arrive(by_host.code, Who.of_user(fan)), "counts with the invitation"
    actions.set_unseen(room, fan, False)
    actions.admit(room, Who.of_user(fan))
    assert came(room) == {"guest": 2, "host": 1}
    assert part(room, guest)["counts"] is None, "the host side alone sees by whom"
    assert not RoomEvent.objects.filter(data__icontains=link.code).exists()


def test_a_flood_without_cookies_is_limited_by_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ARRIVING", replace(limits.ARRIVING, per_minute=1, burst=3))
    room = open_room()
    link = shared(room, person("guest"))
    bus.client().flushdb()
    assert [actions.arrive(link.code, Who(None, f"a:{number}"), address=ADDRESS) for number in range(3)] == [True] * 3
    assert refused(actions.arrive, link.code, Who(None, "a:more"), address=ADDRESS) == "too_fast"
    assert actions.arrive(link.code, Who(None, "a:elsewhere"), address="198.51.100.1")
    assert came(room) == {"guest": 4}
