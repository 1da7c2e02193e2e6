"""The process that writes live captions: it leases rooms, listens to their tracks and hears one stretch after another.

One thread does everything in turn, so that captions take one core at most, at a low priority. What is over is heard
first, then whatever has waited longest. Several such processes share the rooms by leases.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from django.db import DatabaseError, connection
from redis.exceptions import RedisError

from core import bus
from transcripts.captions import actions, state
from transcripts.captions.actions import LeaseLost
from transcripts.captions.engine import LiveEngine, live_engine
from transcripts.captions.ladder import Ladder
from transcripts.captions.room import RoomCaptions, Speaker
from transcripts.captions.stretch import Stretch
from transcripts.speech.engine import EngineUnavailable, TookTooLong, UnknownLanguage

log = logging.getLogger(__name__)

REFRESH = 1.0  # seconds between two looks at rooms, seats and leases
REST = 0.03  # seconds without work between two looks at tracks
TRY_AGAIN = 30.0  # seconds until weights are looked for again, or a room that failed is taken again
STATUS_SECONDS = 10  # for which a status is believed
STATUS = "alive:captions"
TALKING_MS = 10_000  # without a word, after which somebody counts as silent


@dataclass
class Work:
    """A stretch to be heard."""

    room: RoomCaptions
    speaker: Speaker
    stretch: Stretch
    waited: float  # seconds since it could have been heard


def is_dead(worker: str) -> bool:
    """Whether a process of this machine has ended: nobody needs to wait for its leases to run out."""
    host, _colon, pid = worker.rpartition(":")
    return host == socket.gethostname() and pid.isdigit() and not Path(f"/proc/{pid}").exists()


class Captioner:
    """Live captions of the rooms that this process has leased."""

    def __init__(self, stopped: Callable[[], bool], load: Callable[[], LiveEngine] = live_engine) -> None:
        self._stopped, self._load = stopped, load
        self.worker = f"{socket.gethostname()}:{os.getpid()}"
        self.rooms: dict[int, RoomCaptions] = {}
        self.ladder = Ladder()
        self._engine: LiveEngine | None = None
        self._trouble = ""
        self._looked = self._tried = float("-inf")
        self._failed: dict[int, float] = {}  # rooms that are left alone for a while
        self._due: dict[int, float] = {}  # since when a stretch waits, by its identity
        self._behind = 0.0
        self._said: dict[int, tuple[str, frozenset[int]]] = {}  # what was said to a room about its captions

    def run(self) -> None:
        """Write captions until asked to stop; then give the rooms back."""
        self._report(0)
        while not self._stopped():
            try:
                if not self.turn():
                    time.sleep(REST)
            except (DatabaseError, RedisError) as error:
                log.warning("captions wait: %s", error)
                connection.close()
                time.sleep(REFRESH)
        for room in self.rooms.values():
            actions.release(room.claim)

    def turn(self) -> bool:
        """Look at rooms and tracks, and hear one stretch; returns whether there was one."""
        now = time.monotonic()
        if now - self._looked >= REFRESH:
            self._looked = now
            self._refresh(now)
        if self._engine is None:
            return False
        for pk, room in list(self.rooms.items()):
            self._guarded(pk, room.listen)
        work = self._next_work(now)
        self._take_step(now)
        if work is None:
            return False
        self._guarded(work.room.room.pk, lambda: self._hear(work))
        return True

    def _guarded(self, pk: int, part: Callable[[], None]) -> None:
        """Do something for a room. One that fails is given up for a while, and the others go on."""
        try:
            part()
        except LeaseLost as lost:
            log.warning("another process writes these captions now: %s", lost)
            self._forget(pk)
        except (DatabaseError, RedisError):
            raise
        except Exception:
            log.exception("captions of room %s failed", pk)
            room = self.rooms[pk]
            self._forget(pk)
            self._failed[pk] = time.monotonic() + TRY_AGAIN
            actions.release(room.claim)

    # --- rooms -------------------------------------------------------------------------------------------------------

    def _refresh(self, now: float) -> None:
        self._load_engine(now)
        for pk, room in list(self.rooms.items()):
            if not actions.renew(room.claim):
                log.warning("another process writes the captions of room %s now", pk)
                self._forget(pk)
            elif not room.refresh():
                actions.release(room.claim)
                self._forget(pk)
        if self._engine is not None:
            self._take_free_rooms(now)
        talking = sum(len(room.talkers(TALKING_MS)) for room in self.rooms.values())
        if talking:
            state.set_busy()
        for room in self.rooms.values():
            self._say_state(room)
        self._report(talking)

    def _take_free_rooms(self, now: float) -> None:
        """Take rooms that nobody has, up to this process' share of all."""
        dead = [worker for worker in actions.workers() if is_dead(worker)]
        free = actions.free_rooms(dead)
        held = actions.held_rooms(dead)
        share = ceil((held + len(free)) / state.processes(self.worker, dead))
        for pk in free:
            if pk in self.rooms or len(self.rooms) >= share or self._failed.get(pk, 0.0) > now:
                continue
            claim = actions.claim_room(pk, self.worker, dead)
            if claim is not None:
                room = RoomCaptions.take(claim)
                if room.refresh():
                    self.rooms[pk] = room

    def _forget(self, pk: int) -> None:
        self.rooms.pop(pk, None)
        self._said.pop(pk, None)

    def _load_engine(self, now: float) -> None:
        if self._engine is not None or now - self._tried < TRY_AGAIN:
            return
        self._tried = now
        try:
            self._engine, self._trouble = self._load(), ""
        except EngineUnavailable as error:
            log.error("there are no captions: %s", error)
            self._trouble = str(error)

    # --- hearing -----------------------------------------------------------------------------------------------------

    def _next_work(self, now: float) -> Work | None:
        """Choose what is over first, then what has waited longest; note how long the oldest has."""
        found: list[Work] = []
        due: dict[int, float] = {}
        for room in self.rooms.values():
            left_out = self.ladder.left_out(room.talkers(TALKING_MS))
            for speaker, stretch in room.waiting(self.ladder.step_ms, drafts=self.ladder.drafts, left_out=left_out):
                since = due[id(stretch)] = self._due.get(id(stretch), now)
                found.append(Work(room, speaker, stretch, now - since))
        self._due = due
        self._behind = max((work.waited for work in found), default=0.0)
        return max(found, key=lambda work: (work.stretch.closed, work.waited), default=None)

    def _hear(self, work: Work) -> None:
        room, stretch = work.room, work.stretch
        self._due.pop(id(stretch), None)
        if stretch.closed and stretch.heard_out:
            room.finish(work.speaker, stretch)
            return
        assert self._engine is not None
        until_ms, began = stretch.end_ms, time.monotonic()
        try:
            heard = self._engine.hear(
                stretch.sound, room.room.language, stretch.said, ask_language=room.asks_language(stretch)
            )
        except (UnknownLanguage, TookTooLong) as error:
            log.warning("room %s: %s", room.room.pk, error)
            work.speaker.stream.clear()
            return
        room.hearing_ms = (time.monotonic() - began) * 1000
        room.take_heard(work.speaker, stretch, heard, until_ms)

    # --- how it goes -------------------------------------------------------------------------------------------------

    def _take_step(self, now: float) -> None:
        talkers = max((len(room.talkers(TALKING_MS)) for room in self.rooms.values()), default=0)
        if self.ladder.update(now, self._behind, talkers):
            log.warning("captions are %.1f s behind: step %s", self._behind, self.ladder.step)
            for room in self.rooms.values():
                self._say_state(room)

    def _say_state(self, room: RoomCaptions) -> None:
        """Say how a room's captions are written: in Redis again and again, to its pages what is new."""
        talkers = room.talkers(TALKING_MS)
        left_out = self.ladder.left_out(talkers)
        level = self.ladder.level(len(talkers))
        before, before_out = self._said.get(room.room.pk, ("", frozenset()))
        handles = {pk: room.speakers[pk].user.handle for pk in left_out | before_out if pk in room.speakers}
        changed: list[str | None] = [handles[pk] for pk in left_out ^ before_out if pk in handles]
        changed += [None] if level != before else []
        without = [handles[pk] for pk in left_out if pk in handles]
        for pk in left_out - before_out:
            self._guarded(room.room.pk, lambda pk=pk: room.leave_out(pk))  # type: ignore[misc]
        actions.tell_state(room.claim, level, without, changed=changed)
        self._said[room.room.pk] = (level, left_out)

    def _report(self, talking: int) -> None:
        """Write a sign of life, with what operators want to know."""
        report = {
            "rooms": len(self.rooms),
            "talking": talking,
            "behind": round(self._behind, 1),
            "step": self.ladder.step,
            "engine": self._engine.version if self._engine else "",
            "trouble": self._trouble,
        }
        try:
            bus.client().set(bus.key(STATUS), json.dumps(report), ex=STATUS_SECONDS)
        except RedisError as error:
            log.warning("no sign of life: %s", error)
