"""Captions come from the process that writes them alone: nobody else can put words into anybody's mouth."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.test import Client

from rooms.live.verbs.table import VERBS
from rooms.models import Room
from tests.support.client import Page, code
from tests.support.processes import Site
from tests.support.rooms import open_room, seated
from transcripts.models import LiveLine

pytestmark = pytest.mark.django_db(transaction=True)

FORGED: dict[str, Any] = {
    "type": "caption",
    "person": "hanna",
    "line": 1,
    "confirmed": [["shame", 0, 300]],
    "draft": "",
    "final": True,
    "at": 0,
}
KINDS = ("caption", "captions_state", "caption_language", "keep_line", "show_draft")


def test_no_page_can_say_what_only_captions_say(web: Site) -> None:
    """Not the host, not a speaker, not a listener: neither as a message, nor as a verb, nor over the API."""
    room: Room = open_room("hanna")
    nora = seated("nora", room)

    async def story() -> None:
        async with Page(room, room.host) as host, Page(room, nora) as speaker, Page(room) as listener:
            pages = (host, speaker, listener)
            for page in pages:
                await page.wait_for("snapshot")
            for page in pages:
                await page.send(FORGED)
            for page in (host, speaker):
                for kind in KINDS:
                    answer = await page.ask(kind, **{k: v for k, v in FORGED.items() if k != "type"})
                    assert code(answer) is not None, (kind, answer)
            await asyncio.sleep(1)
            for page in pages:
                assert not [message for message in page.seen if message.get("type") in KINDS]

    asyncio.run(story())
    assert not set(KINDS) & set(VERBS) and not LiveLine.objects.exists()
    client = Client()
    client.force_login(nora)
    for kind in KINDS:
        path = f"/api/v1/rooms/{room.slug}/{kind}/"
        assert client.post(path, FORGED, content_type="application/json").status_code in (403, 404, 405)
