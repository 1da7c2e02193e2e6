"""An unseen listener is named to nobody, on any way; a hand or a seat shows them, and a removal works all the same."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.test import Client

from core import bus
from people.actions.account import update_profile
from people.models import User
from rooms import actions, hooks, seen_changes
from rooms.live.ticker import readers_of
from rooms.models import Invitation, ListenerChoice, Room
from rooms.queries.audience import audience
from rooms.rules.identity import Who
from rooms.wire.snapshot import snapshot
from social.models import Follow
from tests.support.client import Page, code
from tests.support.people import api_client, person
from tests.support.processes import Site
from tests.support.races import refused
from tests.support.rooms import consented, is_connected, open_room, seated
from tests.support.waiting import until

JSON = "application/json"
GHOST = "ghostly"


def everything_told(room: Room, reader: User | None) -> str:
    """All that the API and the snapshot say to one reader."""
    client = Client() if reader is None else api_client(reader)
    who = Who(None, "a:reader") if reader is None else Who.of_user(reader)
    texts = [json.dumps(snapshot(room.pk, who))]
    for path in ("", "audience/", f"audience/?q={GHOST}"):
        answer = client.get(f"/api/v1/rooms/{room.slug}/{path}")
        assert answer.status_code == 200
        texts.append(answer.content.decode())
    return "".join(texts)


def make() -> tuple[Room, dict[str, User]]:
    room = open_room()
    people = {"host": room.host, "cohost": seated("cora", room), "fan": person("fan")}
    actions.name_cohost(room.pk, people["cohost"], by=room.host)
    people["ghost"] = consented(person(GHOST, name="Ghostly Gus", listens_unseen=True), room)
    Follow.objects.create(follower=people["fan"], followed=people["ghost"])
    return room, people


@pytest.mark.django_db(transaction=True)
async def test_nobody_reads_who_listens_unseen(web: Site) -> None:
    """Host, co-host, a follower and an anonymous listener: sockets, snapshots, API, texts of the download."""
    room, people = await run(make)()
    ghost = people["ghost"]
    readers = [people["host"], people["cohost"], people["fan"], None]
    async with (
        Page(room, people["host"]) as host,
        Page(room, people["cohost"]) as cohost,
        Page(room, people["fan"]) as fan,
        Page(room) as nobody,
    ):
        pages = (host, cohost, fan, nobody)
        async with Page(room, ghost) as theirs, Page(room, ghost) as other:
            await theirs.wait_for("snapshot")
            assert theirs.snapshot["you"]["parts"]["unseen"] is True
            for page in pages:
                await page.wait_for(lambda message: message.get("listening") == 3)
                await page.ask("snapshot")
            for reader in readers:
                told = await run(everything_told)(room, reader)
                assert GHOST not in told.lower().replace(f"q={GHOST}", ""), reader
            assert (await run(audience)(room, Who.of_user(people["host"]))).listening == 3, "counted all the same"

            assert code(await theirs.ask("listen_unseen", unseen=False)) == "ok"
            assert (await other.wait_for("unseen"))["unseen"] is False
            for reader in (people["host"], people["cohost"], people["fan"]):
                assert GHOST in await run(everything_told)(room, reader)
            for page in (host, cohost, fan):
                assert await page.wait_for("audience") == {"type": "audience", "room": room.slug}, "they read it anew"
            assert code(await theirs.ask("listen_unseen", unseen=True)) == "ok"
            for wrong in (None, 1, "true", [True]):
                assert code(await theirs.ask("listen_unseen", unseen=wrong)) == "bad_value"
            assert code(await nobody.ask("listen_unseen", unseen=True)) == "not_signed_in"
            told = "".join(json.dumps(page.seen) for page in pages)
            assert GHOST not in told.lower()
            assert not any(message.get("type") == "audience" for message in nobody.seen), "who sees no names anyway"
            texts = await run(downloaded)(room)
            assert GHOST not in texts.lower()

            await run(actions.remove_person)(room.pk, ghost, by=people["cohost"])
            assert await theirs.closed() == 4403

            async def gone() -> bool:
                return not await run(is_connected)(room.pk, ghost.pk)

            await until(gone)


def downloaded(room: Room) -> str:
    """The texts in the zip of everything, and the room's log."""
    parts: list[str] = [json.dumps(list(room.events.values("type", "data")))]
    for _name, text in hooks.export_texts.items():
        parts += text(room) or ()
    return "".join(parts)


@pytest.mark.django_db
def test_a_hand_and_a_seat_show_their_person_while_they_last(monkeypatch: pytest.MonkeyPatch) -> None:
    room, people = make()
    ghost, host = people["ghost"], Who.of_user(room.host)
    monkeypatch.setattr("rooms.presence.people_here", lambda _room: ({ghost.pk}, 1))

    def named() -> list[str]:
        return [one["user"] for one in audience(room, host).people]

    assert named() == []
    actions.set_speak_policy(room.pk, room.host, "invited")
    actions.raise_hand(room.pk, ghost)
    assert named() == [GHOST]
    actions.lower_hand(room.pk, ghost)
    assert named() == []
    actions.raise_hand(room.pk, ghost)
    actions.let_up(room.pk, room.host, ghost)
    assert named() == [], "on stage, where everybody sees them"
    assert any(seat["user"] == GHOST for seat in snapshot(room.pk, Who(None, "a:x"))["seats"])
    actions.leave_seat(room.pk, ghost)
    assert named() == []
    actions.set_unseen(room, ghost, False)
    assert named() == [GHOST]
    actions.set_unseen(room, ghost, True)
    assert named() == []


@pytest.mark.django_db
def test_a_choice_that_changes_nothing_for_anybody_is_told_to_nobody(django_capture_on_commit_callbacks: Any) -> None:
    """Else it would show a follower who came in and listens unseen."""
    room, ada = open_room(), person("ada")

    def choose(unseen: bool) -> list[int]:
        with django_capture_on_commit_callbacks(execute=True):
            actions.set_unseen(room, ada, unseen)
        bus.client().delete(bus.key(f"seen:{room.pk}:pace"))
        return asyncio.run(taken())

    async def taken() -> list[int]:
        async with bus.connect() as client:
            return await seen_changes.atake(client, room.pk) if room.pk in await seen_changes.adue(client) else []

    assert choose(True) == [], "from undecided to unseen"
    assert choose(False) == [ada.pk] and choose(False) == []
    assert choose(True) == [ada.pk] and choose(True) == []


@pytest.mark.django_db
def test_readers_who_are_told_are_the_hosts_side_and_followers() -> None:
    room, people = make()
    person("stranger")
    slug, readers = readers_of(room.pk, [people["ghost"].pk])
    assert (slug, readers) == (room.slug, [people[name].pk for name in ("host", "cohost", "fan")])


@pytest.mark.django_db
def test_nobody_is_named_before_they_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting of the account decides only whether the page asks."""
    room = open_room()
    ada, fan = person("ada"), person("fan")
    Follow.objects.create(follower=fan, followed=ada)
    monkeypatch.setattr("rooms.presence.people_here", lambda _room: ({ada.pk, fan.pk}, 2))
    monkeypatch.setattr("rooms.presence.look", lambda _room, keys: (2, [True] * len(keys)))

    def told() -> tuple[list[str], list[str], Any]:
        readers = [audience(room, Who.of_user(reader)).people for reader in (room.host, fan)]
        by_host, by_fan = ([one["user"] for one in people] for people in readers)
        return by_host, by_fan, snapshot(room.pk, Who.of_user(ada))["you"]["parts"]["unseen"]

    assert told() == ([], [], None)
    update_profile(ada, listens_unseen=True)
    assert told() == ([], [], True)
    update_profile(ada, listens_unseen=False)
    assert told() == ([], [], None)
    actions.set_unseen(room, ada, True)
    assert told() == ([], [], True)
    actions.set_unseen(room, ada, False)
    assert told() == (["ada"], ["ada"], False)


@pytest.mark.django_db
def test_the_choice_is_one_s_own_and_goes_over_the_api() -> None:
    room = open_room()
    ada = person("ada")
    at = f"/api/v1/rooms/{room.slug}/unseen/"
    assert api_client(ada).put(at, {"unseen": True}, JSON).json()["you"]["parts"]["unseen"] is True
    assert api_client(ada).put(at, {"unseen": "sometimes"}, JSON).status_code == 400
    assert Client().put(at, {"unseen": True}, JSON).status_code in (401, 403)
    assert list(ListenerChoice.objects.values_list("user__handle", "unseen")) == [("ada", True)]
    assert snapshot(room.pk, Who.of_user(room.host))["you"]["parts"]["unseen"] is None
    actions.remove_person(room.pk, ada, by=room.host)
    assert refused(actions.set_unseen, room, ada, False) == "not_allowed"
    actions.end_room(room.pk, room.host)
    room.refresh_from_db()
    assert refused(actions.set_unseen, room, person("lea"), True) == "room_ended"


@pytest.mark.django_db
def test_settings_are_saved_by_page_and_api(client: Client) -> None:
    ada = person("ada")
    client.force_login(ada)
    client.post("/settings/rooms/", {"listens_unseen": "on"})
    ada.refresh_from_db()
    assert (ada.listens_unseen, ada.uses_keys) == (True, False)
    answer: Any = api_client(ada).patch("/api/v1/me/", {"uses_keys": True, "listens_unseen": False}, JSON)
    assert (answer.json()["uses_keys"], answer.json()["listens_unseen"]) == (True, False)
    assert (
        client.post(
            "/settings/", {"display_name": "Ada", "about": "", "language": "en", "time_zone": "UTC"}
        ).status_code
        == 302
    )
    ada.refresh_from_db()
    assert (ada.listens_unseen, ada.uses_keys) == (False, True), "the form of the profile leaves them alone"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("by_default", [True, False])
def test_an_invitation_does_not_tell_that_its_unseen_person_came(by_default: bool) -> None:
    room = open_room()
    ghost = person(GHOST, listens_unseen=by_default, messages_from=User.MessagesFrom.EVERYONE)
    assert [line.result for line in actions.invite(room.pk, room.host, [GHOST], "listen")] == ["invited"]
    actions.admit(room, Who.of_user(ghost))
    row = Invitation.objects.get(user=ghost)
    assert row.came_at is None and row.state == Invitation.State.PENDING
    actions.set_unseen(room, ghost, True)
    assert Invitation.objects.get(user=ghost).came_at is None
    actions.set_unseen(room, ghost, False)
    row = Invitation.objects.get(user=ghost)
    assert row.came_at is not None and row.state == Invitation.State.ACCEPTED
