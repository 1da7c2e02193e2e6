"""Prepared rooms under long runs of acts at random, beside a model of what each must answer and leave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone
from hypothesis import settings as properties
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from rooms import actions
from rooms.actions.preparing import cancel_unheld
from rooms.models import Invitation, Recording, Room
from rooms.rules.refusals import RoomRefused
from rooms.rules.starts import APART, LATEST, MOST_PREPARED, NOT_HELD_AFTER, SOONEST
from tests.support.invitations import reachable
from tests.support.people import person

REST: dict[str, Any] = {
    "topic": "",
    "language": "en",
    "speak_policy": "everyone",
    "entry_policy": "anyone",
    "transcription": True,
}
AHEAD = st.one_of(
    st.sampled_from([-60, 0, 4, 5, 6, 59, 60, 61, 90 * 24 * 60 - 1, 90 * 24 * 60 + 1]), st.integers(5, 600)
)  # minutes from now
ROOM = st.integers(0, 30)  # the place of a room among those of a run
OVER = {"cancelled": "room_cancelled", "ended": "room_ended", "live": "open_already"}


@dataclass
class Modelled:
    """State of one room as the model has it."""

    pk: int
    start: datetime
    status: str = "scheduled"
    reason: str = ""


class Prepared(RuleBasedStateMachine):
    """A host, another person, and rooms; `now` is the moment for all of the site's code."""

    def __init__(self) -> None:
        super().__init__()
        self.host, self.guest = person(creator=True), reachable()
        self.now = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
        self.clock = mock.patch.object(timezone, "now", lambda: self.now)
        self.clock.start()
        self.rooms: list[Modelled] = []

    def teardown(self) -> None:
        self.clock.stop()

    # --- what the model says --------------------------------------------------------------------------------------

    def wrong_start(self, start: datetime) -> str | None:
        if start < self.now + SOONEST:
            return "starts_too_soon"
        return "starts_too_late" if start > self.now + LATEST else None

    def together(self, start: datetime, but: Modelled | None = None) -> str | None:
        near = (abs(room.start - start) < APART for room in self.waiting() if room is not but)
        return "starts_together" if any(near) else None

    def waiting(self) -> list[Modelled]:
        return [room for room in self.rooms if room.status == "scheduled"]

    def at(self, ahead: int) -> tuple[datetime, str]:
        start = (self.now + timedelta(minutes=ahead)).replace(second=0, microsecond=0)
        return start, f"{start:%Y-%m-%dT%H:%M}"

    def answers(self, expected: str | None, work: Callable[[], Any]) -> Any:
        """Do it; the answer must be the expected one."""
        try:
            done = work()
        except RoomRefused as refused:
            assert refused.code == expected
            return None
        assert expected is None, f"it was not refused with {expected}"
        return done

    # --- acts -----------------------------------------------------------------------------------------------------

    @rule(ahead=AHEAD)
    def prepare(self, ahead: int) -> None:
        start, wall = self.at(ahead)
        full = "too_many_prepared" if len(self.waiting()) >= MOST_PREPARED else None
        expected = self.wrong_start(start) or full or self.together(start)
        made = self.answers(
            expected, lambda: actions.prepare_room(self.host, title="Bread", wall=wall, zone="UTC", **REST)
        )
        if made is not None:
            self.rooms.append(Modelled(made.pk, start))
            actions.invite(made.pk, self.host, [self.guest.handle], "listen")

    @precondition(lambda self: bool(self.rooms))
    @rule(place=ROOM, ahead=AHEAD, title=st.sampled_from(["Bread", "Salt"]))
    def move(self, place: int, ahead: int, title: str) -> None:
        room = self.rooms[place % len(self.rooms)]
        start, wall = self.at(ahead)
        expected = OVER.get(room.status)
        if expected is None and start != room.start:
            expected = self.wrong_start(start) or self.together(start, room)
        values = {**REST, "title": title, "wall": wall, "zone": "UTC"}
        if self.answers(expected, lambda: actions.change_prepared(room.pk, self.host, **values)) is not None:
            room.start = start

    @precondition(lambda self: bool(self.rooms))
    @rule(place=ROOM)
    def cancel(self, place: int) -> None:
        room = self.rooms[place % len(self.rooms)]
        if self.answers(OVER.get(room.status), lambda: actions.cancel_room(room.pk, self.host)) is not None:
            room.status, room.reason = "cancelled", "host"

    @precondition(lambda self: bool(self.rooms))
    @rule(place=ROOM)
    def open(self, place: int) -> None:
        room = self.rooms[place % len(self.rooms)]
        hosting = "already_hosting" if any(one.status == "live" for one in self.rooms) else None
        expected = OVER.get(room.status) or hosting
        if self.answers(expected, lambda: actions.open_prepared(room.pk, self.host)) is not None:
            room.status = "live"

    @precondition(lambda self: any(room.status == "live" for room in self.rooms))
    @rule()
    def end(self) -> None:
        (room,) = [room for room in self.rooms if room.status == "live"]
        actions.end_room(room.pk, self.host)
        room.status = "ended"

    @precondition(lambda self: bool(self.rooms))
    @rule(place=ROOM, act=st.sampled_from([actions.cancel_room, actions.open_prepared]))
    def meddle(self, place: int, act: Callable[[int, Any], Any]) -> None:
        room = self.rooms[place % len(self.rooms)]
        self.answers(OVER.get(room.status, "not_host"), lambda: act(room.pk, self.guest))

    @rule(minutes=st.sampled_from([1, 10, 59, 60, 61, 24 * 60]), swept=st.booleans())
    def wait(self, minutes: int, swept: bool) -> None:
        """Let time pass; the sweep may be late, and then a room that is due can still be opened."""
        self.now += timedelta(minutes=minutes)
        if swept:
            cancel_unheld(self.now)
            for room in self.waiting():
                if room.start <= self.now - NOT_HELD_AFTER:
                    room.status, room.reason = "cancelled", "not_held"

    # --- what holds after each ------------------------------------------------------------------------------------

    @invariant()
    def rows_are_as_the_model_says(self) -> None:
        rows = Room.objects.filter(host=self.host).order_by("pk")
        found = list(rows.values_list("pk", "starts_at", "status", "cancel_reason"))
        assert found == [(room.pk, room.start, room.status, room.reason) for room in self.rooms]

    @invariant()
    def what_hangs_on_a_room_fits_its_state(self) -> None:
        began = {room.pk for room in self.rooms if room.status in ("live", "ended")}
        pks = [room.pk for room in self.rooms]
        assert set(Recording.objects.filter(room__in=pks).values_list("room", flat=True)) == began
        states = dict(Invitation.objects.filter(room__in=pks).values_list("room", "state"))
        assert states == {
            room.pk: "expired" if room.status in ("ended", "cancelled") else "pending" for room in self.rooms
        }


@pytest.mark.django_db
def test_acts_at_random_are_answered_and_leave_what_the_model_says() -> None:
    run_state_machine_as_test(Prepared, settings=properties(max_examples=8, stateful_step_count=40))
