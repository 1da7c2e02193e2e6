"""The page's reducers (static/js/room/features, in node) and ours agree with each other and with fresh snapshots."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from core import bus
from people.actions.account import update_profile
from people.models import User
from rooms import actions, presence
from rooms.models import Room, RoomEvent
from rooms.rules.identity import Who
from rooms.wire.events import SEQUENCED, as_message
from rooms.wire.snapshot import snapshot
from tests.rooms.reducer import apply
from tests.support.people import person
from tests.support.rooms import consented, open_room

pytestmark = pytest.mark.django_db(transaction=True)
SAME = ("seq", "room", "seats", "you")  # the count is lossy


def page(start: Any, events: list[Any]) -> list[dict[str, Any]]:
    """Run the page's reducers in Node, and return the state after each event."""
    asked = json.dumps({"snapshot": start, "events": events})
    command = ["node", str(Path(__file__).with_name("reduce.mjs"))]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    steps: list[dict[str, Any]] = json.loads(done.stdout)
    return steps


def here(room: Room, user: User, is_here: bool) -> None:
    async def change() -> None:
        async with bus.connect() as client:
            if is_here:
                await presence.enter(client, room.pk, [(f"u:{user.pk}", "page")])
            else:
                await presence.leave(client, room.pk, f"u:{user.pk}", "page")

    asyncio.run(change())


class Story:
    """A room, its readers, and what each would see fresh after each step."""

    def __init__(self) -> None:
        self.room = open_room()
        self.anna, self.bert = (consented(person(name), self.room) for name in ("anna", "bert"))
        for user in (self.room.host, self.anna, self.bert):
            here(self.room, user, True)
        self.readers = [Who.of_user(self.room.host), Who.of_user(self.anna), Who(None, "a:reader")]
        self.starts = self.look()
        self.fresh: dict[int, list[Any]] = {}

    def look(self) -> list[Any]:
        return [snapshot(self.room.pk, who) for who in self.readers]

    def step(self, act: Any, *args: Any) -> None:
        act(self.room.pk, *args)
        looks = self.look()
        self.fresh[looks[0]["seq"]] = looks

    def events(self) -> list[Any]:
        rows = RoomEvent.objects.filter(room=self.room, seq__gt=self.starts[0]["seq"]).order_by("seq")
        return [as_message(row) for row in rows]


def followed(state: Any) -> dict[str, Any]:
    """A state without what events do not tell the reader: parts of apps, and whom a new host follows."""
    you = {key: value for key, value in state["you"].items() if key != "parts"}
    return {**state, "you": you}


def everything() -> Story:
    story = Story()
    room, anna, bert = story.room, story.anna, story.bert
    story.step(actions.take_seat, bert)
    story.step(actions.take_seat, anna)
    story.step(lambda _room, user: update_profile(user, display_name="Anna Amstel"), anna)
    story.step(lambda _room, user: update_profile(user, display_name="Hanna"), room.host)
    story.step(actions.set_muted, anna, False, anna)
    story.step(actions.set_recording_paused, True)
    story.step(actions.set_muted, anna, True, room.host)
    story.step(actions.set_recording_paused, False)
    story.step(actions.set_entry_policy, room.host, "signed_in")
    story.step(actions.leave_seat, bert)
    story.step(actions.take_seat, bert)
    here(room, room.host, False)
    story.step(actions.host_lost, timezone.now())
    story.step(actions.unseat, anna, room.host)
    here(room, room.host, True)
    story.step(actions.host_back)
    story.step(actions.take_seat, anna)
    story.step(actions.hold_mute, anna, room.host)
    story.step(actions.lift_mute, anna, room.host)
    story.step(actions.name_cohost, bert, room.host)
    here(room, room.host, False)
    story.step(actions.host_lost, timezone.now())
    story.step(actions.leave_seat, bert)
    here(room, room.host, True)
    story.step(actions.host_back)
    story.step(actions.take_seat, bert)
    story.step(actions.name_cohost, bert, room.host)
    story.step(actions.hand_over, bert, room.host)
    story.step(actions.demote, room.host, bert)
    story.step(actions.set_speak_policy, bert, "followed")
    story.step(actions.lock_hands, bert, True)
    story.step(lambda room_pk: actions.set_own_captions(room_pk, anna, True, by=anna))
    story.step(actions.set_captions, bert, False)
    story.step(actions.set_captions, bert, True)
    story.step(lambda room_pk: actions.set_own_captions(room_pk, anna, False, by=anna))
    story.step(actions.set_language, bert, "nl")
    story.step(actions.set_language, bert, "en")
    story.step(lambda _room: actions.take_down_title(room, None))
    story.step(actions.end_room, bert)
    return story


def test_both_reducers_and_fresh_snapshots_agree_after_every_event() -> None:
    story = everything()
    events = story.events()
    assert {event["type"] for event in events} == set(SEQUENCED) - {"room_opened"}
    compared = 0
    for number, start in enumerate(story.starts):
        ours: Any = start
        for event, theirs in zip(events, page(start, events), strict=True):
            ours = apply(ours, event)
            assert not theirs["gap"]
            for name in SAME:
                assert theirs["state"][name] == ours[name], f"{event['type']}: {name}"
                if event["seq"] in story.fresh:
                    fresh = story.fresh[event["seq"]][number]
                    assert followed(ours)[name] == followed(fresh)[name], f"{event['type']}: {name}"
                    compared += 1
    assert compared == len(story.readers) * len(SAME) * 35


def test_the_page_takes_nothing_twice_and_asks_when_something_is_missing() -> None:
    story = everything()
    start, events = story.starts[2], story.events()
    twice = page(start, [events[0], events[0], *events[1:], *events])
    assert twice[-1]["state"] == page(start, events)[-1]["state"] and not any(step["gap"] for step in twice)
    gap = page(start, [events[0], events[2]])
    assert [step["gap"] for step in gap] == [False, True]
    assert gap[1]["state"] == gap[0]["state"], "what comes after a gap is not believed"
    beats = [{"type": "beat", "seq": start["seq"] + more, "listening": 7} for more in (0, 1)]
    assert [(step["gap"], step["state"]["listening"]) for step in page(start, beats)] == [(False, 7), (True, 7)]
    unknown = {"seq": start["seq"] + 1, "type": "of_tomorrow", "at": 0, "data": {}}
    (later,) = page(start, [unknown])
    assert later["state"]["seq"] == start["seq"] + 1 and later["state"]["seats"] == start["seats"]


def talkers(start: Any, *events: Any) -> list[list[str]]:
    """List the talkers after each event, as the page has them."""
    return [step["state"]["talking"] for step in page(start, list(events))]


def test_nobody_talks_who_is_gone() -> None:
    """Away, muted, stood up or silent for long: each ends talking by itself, also where the word of Janus is lost."""
    story = everything()
    start, seq = story.starts[2], story.starts[2]["seq"]
    sat = [event for event in story.events() if event["type"] == "seat_taken"][1]
    seat = {**sat["data"]["seat"], "muted": False}
    sit = {**sat, "seq": seq + 1, "data": {"seat": seat}}
    talks = {"type": "talking", "user": "anna", "talking": True}
    muted = {"user": "anna", "muted": True, "held": False, "by": None}
    ends: list[Any] = [
        {"type": "connected", "user": "anna", "connected": False},
        {"type": "silent", "users": ["anna"]},
        {"seq": seq + 2, "type": "seat_muted", "at": 0, "data": muted},
        {"seq": seq + 2, "type": "seat_left", "at": 0, "data": {"user": "anna", "reason": "lost"}},
        {**start, "seats": [{**seat, "connected": False}], "seq": seq + 2},
        {**start, "seats": [], "seq": seq + 2},
    ]
    for end in ends:
        assert talkers(start, sit, talks, end) == [[], ["anna"], []], end
    assert talkers(start, sit, ends[0], talks)[-1] == [], "a word that comes late makes no ghost"
    still = {**start, "seats": [seat], "seq": seq + 2}
    assert talkers(start, sit, talks, still)[-1] == ["anna"], "a fresh snapshot does not know who talks"
    lost = {"seq": seq + 1, "type": "host_lost", "at": 0, "data": {"lost_at": "2030-01-01", "ends_at": "2030-01-01"}}
    host = [{**one, "muted": False, "connected": True} for one in start["seats"]]
    talks = {"type": "talking", "user": "host", "talking": True}
    assert talkers({**start, "seats": host}, talks, lost) == [["host"], []]
