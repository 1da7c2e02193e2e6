"""Invitations over real sockets: each hears what is theirs, others nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from channels.db import database_sync_to_async as run

from rooms import actions
from rooms.models import Room
from tests.support.client import Page, code
from tests.support.cohosts import with_cohosts
from tests.support.invitations import reachable
from tests.support.messages import deliver
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import consented

pytestmark = pytest.mark.django_db(transaction=True)
KINDS = ("invitation", "personal_link", "invited", "invitation_revoked")


def prepared() -> tuple[Room, Any, Any, Any]:
    """A full room that only invited people enter and speak in, with a co-host, somebody to invite, and a listener."""
    room, (helper,) = with_cohosts("helper")
    Room.objects.filter(pk=room.pk).update(max_speakers=1, speak_policy="invited", entry_policy="signed_in")
    anna, stranger = reachable("anna"), person("stranger")
    return room, helper, anna, stranger


async def test_a_story_of_an_invitation_and_of_a_link(web: Site) -> None:
    room, helper, anna, stranger = await run(prepared)()
    async with (
        Page(room, room.host) as host,
        Page(room, helper) as cohost,
        Page(room, anna) as hers,
        Page(room, stranger) as other,
    ):
        answer = await host.ask("invite", users=["anna", "nobody_here"], kind="speak")
        assert answer["results"] == [
            {"user": "anna", "result": "invited"},
            {"user": "nobody_here", "result": "unknown_person"},
        ]
        assert code(await other.ask("invite", users=["anna"], kind="speak")) == "not_host"
        seen = await cohost.wait_for("invitation")
        assert (seen["room"], seen["data"]["user"], seen["data"]["state"]) == (room.slug, "anna", "pending")
        await run(deliver)()
        assert await hers.wait_for("invited") == {"type": "invited", "room": room.slug, "by": "host"}
        assert (await hers.wait_for("unread"))["messages"] == 1
        await run(consented)(anna, room)
        accepted = await hers.ask("accept_invitation")
        assert (accepted["seat_free"], accepted["place"], accepted["needs_consent"]) == (True, None, False)
        await host.wait_for(lambda message: message.get("data", {}).get("state") == "accepted")
        assert code(await hers.ask("take_seat")) == "ok"
        made = await cohost.ask("make_link", label="Aunt May")
        token = made["url"].rstrip("/").rsplit("/", 1)[1]
        assert (await host.wait_for("personal_link"))["data"] == {
            "id": made["id"],
            "label": "Aunt May",
            "state": "open",
        }
        assert code(await host.ask("revoke_invitation", invitation=seen["data"]["id"])) == "ok"
        assert await hers.wait_for("invitation_revoked") == {"type": "invitation_revoked", "room": room.slug}
        for value in ("x", None, -1, True, 2**70):
            assert code(await host.ask("revoke_invitation", invitation=value)) in ("bad_value", "unknown_invitation")
        shared = (await other.ask("share_link"))["url"].rsplit("=", 1)[1]
        await other.ask("ping")
        assert not [message for message in other.seen if message.get("type") in KINDS]
        assert not [message for message in hers.seen if message.get("type") in ("invitation", "personal_link")]
        for page in (host, hers):
            assert token not in json.dumps(page.seen) and shared not in json.dumps(page.seen)
        for page in (other, hers):
            assert "Aunt May" not in json.dumps(page.seen)
        assert "Aunt May" in json.dumps(cohost.seen)


async def test_who_was_in_by_an_invitation_alone_is_put_out_with_it(web: Site) -> None:
    room, _helper, anna, _stranger = await run(prepared)()
    await run(actions.set_entry_policy)(room.pk, room.host, "invited")
    (line,) = await run(actions.invite)(room.pk, room.host, ["anna"], "listen")
    assert line.result == "invited"
    await run(actions.set_unseen)(room, anna, False)  # one counts as come once one is seen
    async with Page(room, room.host) as host, Page(room, anna) as hers:
        first = await hers.wait_for("snapshot")
        assert first["you"]["parts"]["invitations"]["own"] == {
            "by": "host",
            "by_name": "Host",
            "kind": "listen",
            "state": "accepted",
        }
        shown = (await host.wait_for("snapshot"))["you"]["parts"]["invitations"]
        await host.ask("revoke_invitation", invitation=shown["list"][0]["id"])
        assert code(await hers.wait_for(lambda message: "error" in message and "re" not in message)) == "not_allowed"
        assert await hers.closed() == 4403
