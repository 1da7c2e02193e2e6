"""Consequences of invitations: coming, cards, mails, and what each reader is shown of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from people.models import User
from rooms import actions
from rooms.hooks import export_texts
from rooms.models import Invitation, ListenerChoice, RoomEvent
from rooms.rules.identity import Who
from rooms.wire import sides
from social.actions.follows import follow
from social.hooks import DrawnMessage, MessageKind, message_kinds
from social.models import Block, Message
from social.reach import why_not_write
from tests.support.cohosts import with_cohosts
from tests.support.invitations import ask, invited, of, overhear, part, reachable, scheduled, small_room
from tests.support.messages import deliver
from tests.support.people import api_client, person
from tests.support.races import refused
from tests.support.rooms import consented, open_room

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    return overhear(monkeypatch)


# --- coming, and what follows from it ---------------------------------------------------------------------------------


def test_coming_is_noted_once_and_makes_the_inviter_known() -> None:
    room = open_room()
    anna = invited("anna", room, "listen")
    User.objects.filter(pk=anna.pk).update(messages_from="known")
    anna.refresh_from_db()
    assert why_not_write(room.host, [anna])[anna.pk] == "cannot_be_reached"
    ListenerChoice.objects.create(room=room, user=anna, unseen=False)  # one comes once one is seen
    with CaptureQueriesContext(connection) as first:
        actions.admit(room, Who.of_user(anna))
    came = of(anna, room).came_at
    with CaptureQueriesContext(connection) as second:
        actions.admit(room, Who.of_user(anna))
    nobody = Who.of_user(person("stranger"))
    with CaptureQueriesContext(connection) as stranger:
        actions.admit(room, nobody)
    assert came is not None and of(anna, room).came_at == came and of(anna, room).state == "accepted"
    asked = [
        [query for query in seen.captured_queries if "invitation" in str(query["sql"])] for seen in (second, stranger)
    ]
    assert len(first) > len(second) and max(map(len, asked)) <= 1, "one part of one query"
    assert why_not_write(room.host, [anna])[anna.pk] is None
    assert why_not_write(anna, [room.host])[room.host.pk] == "cannot_be_reached", "not the other way"
    assert part(room, room.host)["counts"] == [{"by": "host", "name": "Host", "came": 1}]
    assert part(room, anna)["counts"] is None


def test_coming_to_a_room_that_is_not_open_or_not_allowed_is_not_noted() -> None:
    room = open_room()
    anna = invited("anna", room)
    actions.remove_person(room.pk, anna, by=room.host)
    assert refused(actions.admit, room, Who.of_user(anna)) == "not_allowed"
    bert = invited("bert", scheduled(room))
    actions.admit(room, Who.of_user(bert))
    assert not Invitation.objects.filter(came_at__isnull=False).exists()


# --- cards and mails --------------------------------------------------------------------------------------------------


def cards(messages: list[Message], reader: User) -> dict[int, DrawnMessage]:
    kinds: dict[str, MessageKind] = dict(message_kinds.items())
    return kinds[messages[0].kind].draw(messages, reader)


def card(user: User) -> DrawnMessage:
    message = Message.objects.filter(thread__sides__user=user).latest("pk")
    return cards([message], user)[message.pk]


def test_a_card_says_what_is_true_now_and_never_why_not() -> None:
    room = open_room(title="Secret plans", entry_policy="invited")
    anna = invited("anna", room)
    assert (card(anna).data["state"], card(anna).data["own"]) == ("pending", True)
    assert "Secret plans" in card(anna).text and card(anna).data["path"] == room.get_absolute_url()
    assert card(room.host).data["own"] is False
    actions.accept(room.pk, anna)
    assert card(anna).data["state"] == "accepted"
    actions.decline(room.pk, anna)
    assert card(anna).data["state"] == "declined"
    ends: dict[str, Callable[[], Any]] = {
        "revoked": lambda: Invitation.objects.filter(user=anna).update(state="revoked"),
        "removed": lambda: actions.remove_person(room.pk, anna, by=room.host),
        "blocked": lambda: Block.objects.create(blocker=room.host, blocked=anna),
        "ended": lambda: actions.end_room(room.pk, room.host),
    }
    said = []
    for state in ("revoked", "removed", "blocked", "ended"):
        Invitation.objects.filter(user=anna).update(state="pending")
        ends[state]()
        said.append((card(anna).text, json.dumps(dict(card(anna).data), sort_keys=True)))
    assert len(set(said)) == 1 and "Secret plans" not in said[0][0] + said[0][1] and room.slug not in said[0][1]


def test_many_cards_cost_as_many_queries_as_one() -> None:
    host = person("host", creator=True)
    reader = reachable("reader")
    for number in range(6):
        room = open_room(host)
        assert ask(room, host, "reader", kind="listen") == ["invited"]
        if number < 5:
            actions.end_room(room.pk, host)
    messages = list(Message.objects.filter(kind="invitation").order_by("pk"))  # only the last room is live
    costs = []
    for some in (messages[-1:], messages):
        with CaptureQueriesContext(connection) as seen:
            found = cards(some, reader)
        costs.append(len(seen))
        assert set(found) == {message.pk for message in some}
    assert costs[0] == costs[1] <= 5
    Invitation.objects.all().delete()
    gone = cards(messages, reader)
    assert {one.data["state"] for one in gone.values()} == {"over"}


def test_a_mail_goes_to_those_who_ticked_it_at_a_confirmed_address_once() -> None:
    room = open_room(title="Voices", entry_policy="followers")
    anna = invited("anna", room, invitations_by_mail=True, language="nl")
    invited("bert", room)
    invited("cleo", room, invitations_by_mail=True, confirmed=False)
    deliver()
    deliver()
    (sent,) = mail.outbox
    assert sent.to == [anna.email] and "Voices" in sent.subject and room.get_absolute_url() in str(sent.body)
    guest, fan = person("guest"), reachable("fan", invitations_by_mail=True)
    follow(guest, room.host)
    follow(fan, guest)
    assert ask(room, guest, "fan", kind="listen") == ["invited"]
    deliver()
    assert len(mail.outbox) == 2 and mail.outbox[1].to == [fan.email]
    assert "Voices" not in mail.outbox[1].subject + str(mail.outbox[1].body), (
        "a room that they may not enter has no name"
    )


def test_what_was_taken_back_before_its_delivery_is_told_to_nobody(told: list[Any]) -> None:
    room = open_room()
    anna = invited("anna", room, invitations_by_mail=True)
    actions.revoke(room.pk, room.host, of(anna, room).pk)
    told.clear()
    deliver()
    assert not told and not mail.outbox


# --- who sees what ----------------------------------------------------------------------------------------------------


def test_the_parts_of_host_side_invited_person_and_others() -> None:
    room, (helper,) = with_cohosts("helper")
    anna = invited("anna", room)
    invited("listener", room, "listen")
    actions.make_link(room.pk, helper, "Aunt May")
    mine = part(room, anna)
    assert mine == {
        "own": {"by": "host", "by_name": "Host", "kind": "speak", "state": "pending"},
        "list": None,
        "links": None,
        "counts": None,
    }
    shown = part(room, room.host)
    assert [(entry["user"], entry["kind"], entry["state"], entry["by"], entry["came"]) for entry in shown["list"]] == [
        ("anna", "speak", "pending", "host", False),
        ("listener", "listen", "pending", "host", False),
    ]
    assert [(link["label"], link["state"]) for link in shown["links"]] == [("Aunt May", "open")]
    assert part(room, helper) == shown
    assert part(room, person("stranger")) == {"own": None, "list": None, "links": None, "counts": None}
    assert set(shown["list"][0]) == set(sides.Invitation.__annotations__)


def test_nothing_of_invitations_is_in_the_log_or_in_the_snapshot_of_others() -> None:
    room = small_room()
    anna = consented(invited("anna_secret", room), room)
    actions.make_link(room.pk, room.host, "Aunt Secret")
    actions.accept(room.pk, anna)
    actions.decline(room.pk, anna)
    client = api_client(person("stranger"))
    seen = json.dumps(client.get(f"/api/v1/rooms/{room.slug}/").json())
    log = json.dumps(list(RoomEvent.objects.filter(room=room).values_list("type", "data")))
    actions.end_room(room.pk, room.host)
    room.refresh_from_db()
    texts = "".join("".join(text(room) or ()) for text in export_texts.values())
    for word in ("anna_secret", "Aunt Secret", "invit"):
        assert word not in log and word not in texts, word
    assert "anna_secret" not in seen and "Aunt Secret" not in seen


def test_the_api_answers_lines_and_refuses_floods() -> None:
    room = open_room()
    reachable("anna")
    client: Client = api_client(room.host)
    address = f"/api/v1/rooms/{room.slug}/invitations/"

    def post(body: Any) -> Any:
        return client.post(address, body, "application/json")

    assert post({"users": ["anna", "x"], "kind": "speak"}).json() == {
        "results": [{"user": "anna", "result": "invited"}, {"user": "x", "result": "bad_value"}]
    }
    for body in (
        {"users": ["anna"] * 10_000, "kind": "listen"},
        {"users": [], "kind": "listen"},
        {"users": "anna", "kind": "listen"},
        {"users": [{"pk": 1}], "kind": "listen"},
        {"users": ["a" * 101], "kind": "listen"},
        {"users": ["anna"], "kind": "host"},
        {"users": ["anna"]},
        {"kind": "speak"},
    ):
        answer = post(body)
        assert answer.status_code == 400 and answer.json()["error"]["code"] == "bad_value", body
    assert Invitation.objects.count() == 1
    codes = {post({"users": ["nobody_x"], "kind": "speak"}).status_code for _number in range(30)}
    assert codes == {200, 429}
    assert settings.ROOM_OPEN_INVITATIONS == 50
