"""Processes that write captions: rooms and load are shared, and one that fails is no matter to the others."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from concurrent.futures import Future
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.utils import timezone

from core import bus
from rooms import actions as room_actions
from tests.support.rooms import open_room
from tests.transcripts.captions.pieces import EverySecond, captioned, room_of, status
from tests.transcripts.pieces import never
from transcripts.captions import actions, state
from transcripts.captions.engine import LiveEngine
from transcripts.captions.ladder import NO_DRAFTS, Ladder
from transcripts.captions.process import Captioner, Hearing, is_dead
from transcripts.captions.room import RoomCaptions
from transcripts.captions.stretch import Stretch
from transcripts.models import CaptionedRoom

pytestmark = pytest.mark.django_db


def test_several_processes_share_the_rooms() -> None:
    first, second = Captioner(never, EverySecond), Captioner(never, EverySecond)
    first.worker, second.worker = "one:1", "two:2"
    second.turn()
    rooms = [open_room(f"host{number}") for number in range(4)]
    first.turn()
    assert len(first.rooms) == 2
    second._looked = float("-inf")
    second.turn()
    assert len(second.rooms) == 2 and set(first.rooms) | set(second.rooms) == {room.pk for room in rooms}


def test_only_processes_of_this_machine_can_be_known_to_be_dead() -> None:
    """Another container may have the same name for its host, and other numbers for its processes."""
    alive = Captioner(never, EverySecond).worker
    assert not is_dead(f"{socket.gethostname()}:999999999") and not is_dead(f"{socket.gethostname()}/1:999999999")
    assert not is_dead(alive) and not is_dead("elsewhere:1") and not is_dead("nonsense") and not is_dead("")
    assert is_dead(f"{alive.rpartition(':')[0]}:999999999")


def test_who_is_left_out_is_chosen_among_all_rooms_and_work_in_line_counts_as_late() -> None:
    room_of(seconds=30)
    captioner, captions = captioned(EverySecond)
    speaker = captions.speaker(captions.room.host)
    for start_ms in (0, 2_000):
        stretch = Stretch(start_ms)
        stretch.add(np.ones(16_000, np.float32), speech=True)
        stretch.closed = True
        speaker.stream.closed.append(stretch)
    captioner._next_work(10.0)
    speaker.stream.closed.popleft()
    work = captioner._next_work(14.0)
    assert work is not None and work.waited == captioner._behind == 4.0
    captioner._hearings.append(Hearing(work, 0, True, Future(), began=10.0))
    assert captioner._next_work(14.0) is None and captioner._behind == 4.0 - captioner.ladder.step_ms / 1000
    captioner._hearings.clear()
    spoke = {1: {7: 3_000.0}, 2: {8: 2_000.0, 9: 4_000.0}}
    rooms: Any = {pk: SimpleNamespace(talkers=lambda _ms, at=at: at) for pk, at in spoke.items()}
    captioner.rooms, captioner.ladder = rooms, Ladder(step=NO_DRAFTS + 2)
    captioner._choose_left_out()
    assert captioner._out == {(2, 8), (1, 7)} and captioner._out_of(2) == {8}
    captioner._behind, captioner.ladder.step = 1.0, NO_DRAFTS + 3
    captioner._take_step(20.0)
    assert captioner.ladder.step == NO_DRAFTS + 3, "three talk, not two"
    captioner.ladder.step = NO_DRAFTS + 2
    del spoke[1][7]
    captioner._choose_left_out()
    assert captioner._out == {(2, 8)}, "nobody in the place of who fell silent"


def test_one_room_that_fails_or_is_lost_is_no_matter_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    bad, lost, good = (open_room(f"host{number}") for number in range(3))
    take = RoomCaptions.take

    def failing(claim: actions.Claim) -> RoomCaptions:
        if claim.room_pk == bad.pk:
            raise ValueError("broken")
        return take(claim)

    def broken(_room: RoomCaptions) -> bool:
        raise ValueError("broken")

    monkeypatch.setattr(RoomCaptions, "take", failing)
    captioner = Captioner(never, EverySecond)
    captioner.turn()
    assert set(captioner.rooms) == {lost.pk, good.pk} and bad.pk in actions.free_rooms()
    CaptionedRoom.objects.filter(room=lost).update(token=99)
    captioner._say_states()
    assert set(captioner.rooms) == {good.pk}
    CaptionedRoom.objects.filter(room=good).update(lease_until=timezone.now() - timedelta(seconds=1))
    captioner._renewed = float("-inf")
    captioner.turn()
    assert good.pk not in actions.free_rooms(), "leases are renewed while tracks are read"
    monkeypatch.setattr(RoomCaptions, "refresh", broken)
    captioner._refresh(time.monotonic())
    assert captioner.rooms == {}


def test_a_model_is_loaded_for_a_room_and_its_pages_are_told_at_once(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """Also those whose words the process left out that had the room before."""
    loaded: list[int] = []
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(bus, "publish", lambda _channel, text: sent.append(json.loads(text)))

    def load() -> LiveEngine:
        loaded.append(1)
        return EverySecond()

    captioner = Captioner(never, load)
    captioner.turn()
    assert loaded == [] and status()["trouble"] == ""
    room = open_room(transcription=False)
    room_actions.set_captions(room.pk, room.host, True)
    state.set_room_state(room.pk, "drafts_off", ["mara"])
    captioner._looked = float("-inf")
    with django_capture_on_commit_callbacks(execute=True):
        captioner.turn()
        captioner._refresh(time.monotonic())
    assert loaded == [1] and set(captioner.rooms) == {room.pk}
    told = [(message["state"], message["person"]) for message in sent if message["type"] == "captions_state"]
    assert told == [("on", None), ("on", "mara")]


def test_the_process_is_nice_before_it_loads_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    def nice(_by: int) -> None:
        raise InterruptedError("nice")

    monkeypatch.setattr(os, "nice", nice)
    monkeypatch.setitem(sys.modules, "transcripts.captions.process", None)
    with pytest.raises(InterruptedError):
        call_command("captions")
