"""Every kind of event, replayed on an old snapshot, gives what a fresh snapshot says, whatever happens."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from rooms import actions
from rooms.models import Room, RoomEvent, Seat
from rooms.rules.identity import Who
from rooms.rules.refusals import RoomRefused
from rooms.wire.events import SEQUENCED, as_message
from rooms.wire.snapshot import snapshot
from tests.rooms.reducer import apply, replay
from tests.support.people import person
from tests.support.rooms import consented, open_room

pytestmark = pytest.mark.django_db(transaction=True)
LOSSY = ("now", "listening")


def seen(room: Room, who: Who) -> dict[str, Any]:
    """A snapshot without what is lossy: counts, who is connected, the moment."""
    state: dict[str, Any] = copy.deepcopy(dict(snapshot(room.pk, who)))
    for name in LOSSY:
        del state[name]
    return bare(state)


def bare(state: dict[str, Any]) -> dict[str, Any]:
    """Without who is connected, nor a removed title, in whose place pages have words in the reader's language, nor
    what a reader chose for their own words, of which only a seat tells."""
    seats = [{name: value for name, value in seat.items() if name != "connected"} for seat in state["seats"]]
    you = {name: value for name, value in state["you"].items() if name not in ("parts", "captions_off")}
    room = state["room"] | ({"title": None} if state["room"]["title_removed"] else {})
    return {**state, "room": room, "seats": seats, "you": you}


def events_after(room: Room, seq: int) -> list[Any]:
    found = [as_message(row) for row in RoomEvent.objects.filter(room=room, seq__gt=seq).order_by("seq")]
    for event in found:
        event["data"].get("seat", {}).pop("connected", None)
    return found


def one_step(dice: random.Random, room: Room, people: list[Any]) -> None:
    user, other = dice.choice(people), dice.choice(people)
    step: Callable[[], object] = dice.choice(
        [
            lambda: actions.take_seat(room.pk, user),
            lambda: actions.take_seat(room.pk, user),
            lambda: actions.leave_seat(room.pk, user),
            lambda: actions.set_muted(room.pk, user, dice.random() < 0.3, by=user),
            lambda: actions.set_muted(room.pk, other, True, by=room.host),
            lambda: actions.unseat(room.pk, other, by=room.host),
            lambda: actions.host_lost(room.pk, timezone.now() - timedelta(seconds=7)),
            lambda: actions.host_back(room.pk),
            lambda: actions.set_recording_paused(room.pk, dice.random() < 0.5),
            lambda: actions.set_entry_policy(room.pk, room.host, dice.choice(["anyone", "signed_in"])),
            lambda: actions.set_speak_policy(room.pk, room.host, dice.choice(["everyone", "followed", "invited"])),
            lambda: actions.lock_hands(room.pk, room.host, dice.random() < 0.3),
            lambda: actions.hold_mute(room.pk, other, by=room.host),
            lambda: actions.lift_mute(room.pk, other, by=room.host),
            lambda: actions.name_cohost(room.pk, other, by=room.host),
            lambda: actions.demote(room.pk, other, by=room.host),
            lambda: actions.set_captions(room.pk, room.host, dice.random() < 0.7),
            lambda: actions.set_own_captions(room.pk, other, dice.random() < 0.5, by=other),
            lambda: actions.set_language(room.pk, room.host, dice.choice(["en", "nl"])),
            lambda: actions.take_down_title(room, None, "one"),
            lambda: [actions.put_back_title(row, None) for row in room.title_takedowns.all()],
        ]
    )
    try:
        step()
    except RoomRefused:
        return  # a refusal changes nothing, which is what is being tested


@pytest.mark.parametrize("seed", range(6))
def test_replay_is_what_a_fresh_snapshot_says(seed: int) -> None:
    dice = random.Random(seed)
    room = open_room()
    people = [room.host, *(person(f"p{n}") for n in range(13))]
    for user in people:
        consented(user, room)
    readers = [Who.of_user(room.host), Who.of_user(people[5]), Who(None, "a:reader")]
    starts = {reader.key: [seen(room, reader)] for reader in readers}
    for n in range(120):
        one_step(dice, room, people)
        if n % 30 == 0:
            for reader in readers:
                starts[reader.key].append(seen(room, reader))
    if seed % 2:
        actions.end_room(room.pk, None if seed == 3 else room.host, "stage_empty" if seed == 3 else "host")
    for reader in readers:
        fresh = seen(room, reader)
        for start in starts[reader.key]:
            assert bare(replay(start, events_after(room, start["seq"]))) == fresh
            assert bare(replay(start, events_after(room, 0))) == fresh, "what was seen already changes nothing"


def test_every_kind_of_event_was_replayed() -> None:
    """Guards the test above: a kind that never happens there would be trusted unseen."""
    from tests.rooms import reducer as module

    assert set(module._CHANGES) == set(SEQUENCED)
    room = open_room()
    guest = consented(person("guest"), room)
    actions.take_seat(room.pk, guest)
    actions.set_muted(room.pk, guest, False, by=guest)
    actions.host_lost(room.pk, timezone.now())
    actions.host_back(room.pk)
    actions.set_recording_paused(room.pk, True)
    actions.set_recording_paused(room.pk, False)
    actions.set_entry_policy(room.pk, room.host, "signed_in")
    actions.set_speak_policy(room.pk, room.host, "followed")
    actions.lock_hands(room.pk, room.host, True)
    actions.set_captions(room.pk, room.host, False)
    actions.set_captions(room.pk, room.host, True)
    actions.set_own_captions(room.pk, guest, True, by=guest)
    actions.set_language(room.pk, room.host, "nl")
    actions.put_back_title(actions.take_down_title(room, None), None)
    actions.name_cohost(room.pk, guest, by=room.host)
    actions.hand_over(room.pk, guest, by=room.host)
    actions.end_room(room.pk, guest)
    assert {event["type"] for event in events_after(room, 0)} == set(SEQUENCED)


def test_a_gap_is_noticed() -> None:
    room = open_room()
    start = seen(room, Who(None, "a:reader"))
    actions.host_lost(room.pk, timezone.now())
    actions.host_back(room.pk)
    with pytest.raises(ValueError, match="something is missing"):
        apply(start, events_after(room, start["seq"])[1])


@pytest.mark.parametrize("full", [False, True])
def test_a_snapshot_costs_the_same_for_one_seat_and_eleven(full: bool, django_assert_num_queries: Any) -> None:
    room = open_room(speak_policy="followed")
    reader = person("reader")
    if full:
        for n in range(10):
            Seat.objects.create(room=room, user=person(f"p{n}"), place=n + 1)
    with django_assert_num_queries(5):  # room with host, seats, lines of captions; the reader: standing, all else
        assert len(snapshot(room.pk, Who.of_user(reader))["seats"]) == (11 if full else 1)
    with django_assert_num_queries(3):  # room with host, seats, lines of captions
        snapshot(room.pk, Who(None, "a:reader"))
