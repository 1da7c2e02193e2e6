"""The quality of a speaker's connection: measured in the page, told to the host's side and to nobody else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from channels.db import database_sync_to_async as run

from rooms import actions
from rooms.models import Room, RoomEvent
from rooms.rules import limits
from tests.support.client import Page, code
from tests.support.people import api_client, person
from tests.support.processes import Site
from tests.support.races import refused
from tests.support.rooms import open_room, seated

JSON = "application/json"


# --- the measurement --------------------------------------------------------------------------------------------------


def stats(second: int, *, lost: float = 0, missed: float = 0, trip: float = 0.05, jitter: float = 0.005) -> list[Any]:
    """Statistics as of getStats after so many seconds of 50 packets each way; `lost` and `missed` count until then."""
    return [
        {"type": "outbound-rtp", "packetsSent": 50 * second},
        {"type": "remote-inbound-rtp", "packetsLost": lost, "roundTripTime": trip, "jitter": 0.001},
        {"type": "inbound-rtp", "packetsReceived": 50 * second - missed, "packetsLost": missed, "jitter": jitter},
        {"type": "candidate-pair", "nominated": True, "currentRoundTripTime": trip},
        {"type": "candidate-pair", "nominated": False, "currentRoundTripTime": 9},
        {"type": "codec"},
    ]


def measured(*stories: list[list[Any]]) -> list[list[Any]]:
    command = ["node", str(Path(__file__).with_name("quality.mjs"))]
    done = subprocess.run(command, input=json.dumps(stories), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: list[list[Any]] = json.loads(done.stdout)
    return found


def levels(*stories: list[list[Any]]) -> list[str]:
    """The level of the last measurement of each."""
    return [story[-1][0] for story in measured(*stories)]


def test_what_makes_a_connection_weak_or_bad() -> None:
    assert levels(
        [stats(0), stats(5)],
        [stats(0), stats(5, lost=7)],
        [stats(0), stats(5, lost=8)],
        [stats(0), stats(5, lost=25)],
        [stats(0), stats(5, missed=8)],
        [stats(0), stats(5, missed=25)],
        [stats(0), stats(5, trip=0.4)],
        [stats(0), stats(5, trip=1.2)],
        [stats(0), stats(5, jitter=0.05)],
        [stats(0), stats(5, jitter=0.2)],
    ) == ["good", "good", "weak", "bad", "weak", "bad", "weak", "bad", "weak", "bad"]


def test_what_was_lost_before_does_not_count() -> None:
    assert levels([stats(5, lost=100, missed=100), stats(10, lost=100, missed=100)]) == ["good"]


def test_a_connection_that_brings_nothing_any_more_is_bad() -> None:
    deaf = [dict(one, packetsReceived=250) if one["type"] == "inbound-rtp" else one for one in stats(10)]
    never = [one for one in stats(10) if one["type"] != "inbound-rtp"]
    assert levels([stats(5), deaf], [stats(5)[:1], never]) == ["bad", "good"]


def test_a_connection_that_was_made_anew_is_measured_anew() -> None:
    (story,) = measured([stats(60, lost=5), stats(1), stats(6)])
    assert story == [None, None, ["good", "good"]]


def test_one_burst_changes_nothing_and_two_in_a_row_do() -> None:
    lost = [0, 10, 10, 20, 60, 60, 60, 60]  # packets in all, every five seconds
    (story,) = measured([stats(5 * number, lost=many) for number, many in enumerate(lost)])
    assert [level for level, _said in story[1:]] == ["weak", "good", "weak", "bad", "good", "good", "good"]
    assert [said for _level, said in story[1:]] == ["good", "good", "good", "weak", "weak", "good", "good"]


# --- the word of it ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_only_a_person_on_stage_says_so() -> None:
    room = open_room()
    ada, listener = seated("ada", room), person("listener")
    before = RoomEvent.objects.filter(room=room).count()
    for level in ("weak", "bad", "good"):
        actions.tell_quality(room, ada, level)
    for odd in ("", "Weak", "worst", "good "):
        assert refused(actions.tell_quality, room, ada, odd) == "bad_value"
    assert refused(actions.tell_quality, room, listener, "weak") == "not_on_stage"
    actions.leave_seat(room.pk, ada)
    assert refused(actions.tell_quality, room, ada, "weak") == "not_on_stage"
    actions.remove_person(room.pk, ada, by=room.host)
    assert refused(actions.tell_quality, room, ada, "weak") == "not_allowed"
    assert RoomEvent.objects.filter(room=room).count() == before + 1, "that ada left her seat, and nothing else"
    actions.end_room(room.pk, room.host)
    room.refresh_from_db()
    assert refused(actions.tell_quality, room, room.host, "weak") == "room_ended"


@pytest.mark.django_db
def test_the_same_over_the_api() -> None:
    room = open_room()
    ada, listener = api_client(seated("ada", room)), api_client(person("listener"))
    at = f"/api/v1/rooms/{room.slug}/quality/"
    assert ada.put(at, {"level": "weak"}, JSON).status_code == 200
    assert listener.put(at, {"level": "weak"}, JSON).json()["error"]["code"] == "not_on_stage"
    for wrong in ({}, {"level": None}, {"level": "worst"}, {"level": ["weak"]}):
        assert ada.put(at, wrong, JSON).status_code == 400, wrong


@pytest.mark.django_db(transaction=True)
async def test_the_host_s_side_hears_it_and_nobody_else(web: Site) -> None:
    room: Room = await run(open_room)()
    ada, bert = await run(seated)("ada", room), await run(seated)("bert", room)
    cora = await run(seated)("cora", room)
    await run(actions.name_cohost)(room.pk, cora, room.host)
    listener = await run(person)("listener")
    async with (
        Page(room, room.host) as host,
        Page(room, cora) as cohost,
        Page(room, ada) as speaker,
        Page(room, bert) as other,
        Page(room, listener) as cheat,
        Page(room) as nobody,
    ):
        for page in (host, cohost, speaker, other, cheat, nobody):
            await page.wait_for("snapshot")
        assert code(await speaker.ask("quality", level="weak", user="bert")) == "ok"
        for page in (host, cohost):
            told = await page.wait_for("quality")
            assert told == {"type": "quality", "room": room.slug, "data": {"user": "ada", "level": "weak"}}
        assert code(await cheat.ask("quality", level="bad", user="ada")) == "not_on_stage"
        assert code(await nobody.ask("quality", level="bad")) == "not_signed_in"
        for odd in (None, 1, {"weak": 1}, ["weak"], "\u0000", "weakest"):
            assert code(await other.ask("quality", level=odd)) in ("bad_value", "too_fast")
        codes = [code(await speaker.ask("quality", level="bad")) for _time in range(limits.QUALITY.burst + 3)]
        assert codes[0] == "ok" and codes[-1] == "too_fast"
        assert code(await speaker.ask("ping")) == "ok", "what else a speaker asks has a measure of its own"
        for page in (speaker, other, cheat, nobody):
            assert not page.of_type("quality")
    assert not await run(RoomEvent.objects.filter(room=room, type="quality").exists)()
