"""The process that writes live captions: it leases rooms, listens to their tracks and hears one stretch after another.

One thread does everything in turn but hearing, for which there are CAPTIONS_THREADS others, so that captions take not
many more cores than that, at a low priority; one more watches how late they are (`priority.py`). What is over is heard
first, then whatever has waited longest; of one person one stretch at a time. Several such processes share the rooms by
leases. The model is loaded when there is a room for it.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from redis.exceptions import RedisError

from core import bus
from transcripts.captions import actions, state
from transcripts.captions.actions import Claim, LeaseLost
from transcripts.captions.engine import Heard, LiveEngine, live_engine
from transcripts.captions.ladder import Ladder
from transcripts.captions.priority import Share
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


@dataclass
class Hearing:
    """A stretch that is being heard, as it was when that began."""

    work: Work
    until_ms: int
    final: bool
    result: Future[Heard]
    began: float = field(default_factory=time.monotonic)


def place() -> str:
    """Return where this process runs: the machine, and the namespace of its number. Containers may share a host's name,
    and do not see each other's processes."""
    namespace = Path("/proc/self/ns/pid")
    return f"{socket.gethostname()[:40]}/{namespace.stat().st_ino if namespace.exists() else ''}"


def is_dead(worker: str) -> bool:
    """Whether a process of this place has ended: nobody needs to wait for its leases to run out."""
    there, _colon, pid = worker.rpartition(":")
    return there == place() and Path("/proc/self").exists() and pid.isdigit() and not Path(f"/proc/{pid}").exists()


def _waited(stretch: Stretch, now: float) -> float:
    """Return for how many seconds a stretch that is worth hearing has waited."""
    if stretch.due_since is None:
        stretch.due_since = now
    return now - stretch.due_since


class Captioner:
    """Live captions of the rooms that this process has leased."""

    def __init__(
        self, stopped: Callable[[], bool], load: Callable[[], LiveEngine] = live_engine, share: Share | None = None
    ) -> None:
        self._stopped, self._load, self._share = stopped, load, share or Share()
        self.worker = f"{place()}:{os.getpid()}"
        self.rooms: dict[int, RoomCaptions] = {}
        self.ladder = Ladder()
        self._engine: LiveEngine | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._hearings: list[Hearing] = []
        self._trouble = ""
        self._looked = self._tried = self._renewed = float("-inf")
        self._failed: dict[int, float] = {}  # rooms that are left alone for a while
        self._behind, self._turned = 0.0, time.monotonic()
        self._out: frozenset[tuple[int, int]] = frozenset()  # rooms and accounts that are left out for lack of time
        self._said: dict[int, tuple[str, frozenset[int]]] = {}  # what was said to a room about its captions

    def run(self) -> None:
        """Write captions until asked to stop; then give the rooms back."""
        log.info("captions wait for rooms")
        self._report(0)
        while not self._stopped():
            try:
                self.turn()
                self._rest()
            except (DatabaseError, RedisError) as error:
                log.warning("captions wait: %s", error)
                connection.close()
                time.sleep(REFRESH)
        self._give_back()
        if self._threads is not None:  # what is being heard is nobody's any more
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _give_back(self) -> None:
        """Release all rooms, for another process to go on at once."""
        for room in self.rooms.values():
            try:
                actions.release(room.claim)
            except DatabaseError as error:
                log.warning("room %s is free when its lease is over: %s", room.room.pk, error)

    def _end_if_it_hangs(self, now: float) -> None:
        """End the process where a hearing does not come back: its thread cannot be ended, and while this process renews
        its leases no other one writes these captions."""
        assert self._engine is not None
        if any(now - hearing.began > self._engine.patience for hearing in self._hearings):
            log.critical("a hearing did not come back within %.0f s", self._engine.patience)
            self._give_back()
            os._exit(1)

    def _rest(self) -> None:
        """Wait until something was heard, or for as long as tracks need no look."""
        if self._hearings:
            wait([hearing.result for hearing in self._hearings], REST, FIRST_COMPLETED)
        else:
            time.sleep(REST)

    def turn(self) -> bool:
        """Look at rooms and tracks, show what was heard and begin to hear more; returns whether there was any of it."""
        now = time.monotonic()
        if now - self._looked >= REFRESH:
            self._looked = now
            self._refresh(now)
        if self._engine is None:
            return False
        self._end_if_it_hangs(now)
        for room in list(self.rooms.values()):
            self._keep_leases()
            self._guarded(room.claim, lambda room=room: room.listen(self._keep_leases))  # type: ignore[misc]
        busy = bool(self._hearings)
        self._take_heard()
        while (work := self._next_work(now)) and len(self._hearings) < self._engine.at_once:
            busy = True
            self._guarded(work.room.claim, lambda work=work: self._begin(work))  # type: ignore[misc]
        self._take_step(now)
        self._turned = time.monotonic()
        return busy

    def _guarded(self, claim: Claim, part: Callable[[], None]) -> None:
        """Do something for a room. One that fails is given up for a while, and the others go on."""
        try:
            part()
        except LeaseLost as lost:
            log.warning("another process writes these captions now: %s", lost)
            self._forget(claim.room_pk)
        except (OperationalError, InterfaceError, RedisError):
            raise  # of all rooms
        except Exception:
            log.exception("captions of room %s failed", claim.room_pk)
            self._forget(claim.room_pk)
            self._failed[claim.room_pk] = time.monotonic() + TRY_AGAIN
            actions.release(claim)

    # --- rooms -------------------------------------------------------------------------------------------------------

    def _refresh(self, now: float) -> None:
        self._renewed = now
        for room in list(self.rooms.values()):
            self._guarded(room.claim, lambda room=room: self._look_at(room))  # type: ignore[misc]
        self._take_free_rooms(now)
        talking = len(self._talkers())
        if talking:
            state.set_busy()
        self._say_states()
        self._report(talking)

    def _look_at(self, room: RoomCaptions) -> None:
        """Renew the lease of a room, or give up what is over. Raises LeaseLost."""
        if not actions.renew(room.claim):
            raise LeaseLost(f"room {room.room.pk}")
        if not room.refresh():
            actions.release(room.claim)
            self._forget(room.room.pk)

    def _keep_leases(self) -> None:
        """Renew all leases where that was long ago, in work that takes long. A room that was lost is left at the next
        look."""
        now = time.monotonic()
        if now - self._renewed >= 2 * REFRESH:
            self._renewed = now
            for room in self.rooms.values():
                actions.renew(room.claim)

    def _take_free_rooms(self, now: float) -> None:
        """Take rooms that nobody has, up to this process' share of all."""
        dead = [worker for worker in actions.workers() if is_dead(worker)]
        free = actions.free_rooms(dead)
        if (free or self._trouble) and not self._has_engine(now):
            return  # others do not leave it a share
        held = actions.held_rooms(dead)
        share = ceil((held + len(free)) / state.processes(self.worker, dead))
        for pk in free:
            if pk in self.rooms or len(self.rooms) >= share or self._failed.get(pk, 0.0) > now:
                continue
            claim = actions.claim_room(pk, self.worker, dead)
            if claim is not None:
                self._guarded(claim, lambda claim=claim: self._take(claim))  # type: ignore[misc]

    def _take(self, claim: Claim) -> None:
        room = RoomCaptions.take(claim)
        if room.refresh():
            self.rooms[claim.room_pk] = room
            log.info("captions of room %s are written here", claim.room_pk)

    def _forget(self, pk: int) -> None:
        self.rooms.pop(pk, None)
        self._said.pop(pk, None)

    def _has_engine(self, now: float) -> bool:
        """Whether there is an engine; loads it where there is none, not more often than every TRY_AGAIN seconds."""
        if self._engine is None and now - self._tried >= TRY_AGAIN:
            self._tried = now
            try:
                with ThreadPoolExecutor(1, initializer=self._share.hear_last) as loader:  # an engine has threads, too
                    self._engine, self._trouble = loader.submit(self._load).result(), ""
                self._turned = time.monotonic()
                self._share.watch(self._late)
                self._share.be_idle()
                self._threads = ThreadPoolExecutor(self._engine.at_once, "hearing")
                log.info("captions hear by %s", self._engine.version)
            except EngineUnavailable as error:
                log.error("there are no captions: %s", error)
                self._trouble = str(error)
        return self._engine is not None

    # --- hearing -----------------------------------------------------------------------------------------------------

    def _next_work(self, now: float) -> Work | None:
        """Choose what is over first, then what has waited longest; note how long the oldest has."""
        self._choose_left_out()
        found: list[Work] = []
        heard = [hearing.work for hearing in self._hearings]
        # Who is being heard waits as well, once the next draft could have begun.
        behind = max([0.0, *(now - hearing.began - self.ladder.step_ms / 1000 for hearing in self._hearings)])
        for pk, room in self.rooms.items():
            waiting = room.waiting(self.ladder.step_ms, drafts=self.ladder.drafts, left_out=self._out_of(pk))
            found += [
                Work(room, speaker, stretch, _waited(stretch, now))
                for speaker, stretch in waiting
                if all(speaker is not work.speaker for work in heard)
            ]
            for speaker in room.speakers.values():  # and what stands in line behind
                in_line = [each for each in speaker.stream.closed if all(each is not work.stretch for work in heard)]
                behind = max([behind, *(_waited(stretch, now) for stretch in in_line)])
        self._behind = max([behind, *(work.waited for work in found)])
        # What a process finds when it takes a room has waited equally long: it is heard in the order it was said in.
        return max(found, key=lambda work: (work.stretch.closed, work.waited, -work.stretch.start_ms), default=None)

    def _begin(self, work: Work) -> None:
        """Begin to hear a stretch; one that was heard to its end already is shown as it is."""
        room, stretch = work.room, work.stretch
        stretch.due_since = None
        if stretch.closed and stretch.heard_out:
            room.finish(work.speaker, stretch)
            return
        assert self._engine is not None and self._threads is not None
        result = self._threads.submit(
            self._engine.hear,
            stretch.sound,
            room.room.language,
            stretch.said,
            ask_language=room.asks_language(stretch),
        )
        self._hearings.append(Hearing(work, stretch.end_ms, stretch.closed, result))

    def _take_heard(self) -> None:
        """Show what was heard since the last look, of rooms that are still held."""
        for hearing in [each for each in self._hearings if each.result.done()]:
            self._hearings.remove(hearing)
            room = hearing.work.room
            if self.rooms.get(room.room.pk) is room:
                self._guarded(room.claim, lambda hearing=hearing: self._show(hearing))  # type: ignore[misc]

    def _show(self, hearing: Hearing) -> None:
        room, speaker = hearing.work.room, hearing.work.speaker
        try:
            heard = hearing.result.result()
        except (UnknownLanguage, TookTooLong) as error:
            log.warning("room %s: %s", room.room.pk, error)
            speaker.stream.clear()
            return
        room.hearing_ms = (time.monotonic() - hearing.began) * 1000
        room.take_heard(speaker, hearing.work.stretch, heard, hearing.until_ms, final=hearing.final)

    # --- how it goes -------------------------------------------------------------------------------------------------

    def _talkers(self) -> list[tuple[int, int]]:
        """Return who spoke lately in all rooms, as (room, account), the least recent first."""
        spoke = {(pk, user): at for pk, room in self.rooms.items() for user, at in room.talkers(TALKING_MS).items()}
        return sorted(spoke, key=lambda talker: spoke[talker])

    def _choose_left_out(self) -> None:
        talkers = self._talkers()
        self.ladder.fell_silent(len(self._out - set(talkers)))
        self._out = self.ladder.left_out(talkers, self._out)

    def _out_of(self, room_pk: int) -> frozenset[int]:
        return frozenset(user for pk, user in self._out if pk == room_pk)

    def _late(self) -> float:
        """Return for how many seconds the oldest work waits, also while there is no time to look for it."""
        return self._behind + time.monotonic() - self._turned

    def _take_step(self, now: float) -> None:
        if self.ladder.update(now, self._behind, len(self._talkers())):
            log.warning("captions are %.1f s behind: step %s", self._behind, self.ladder.step)
            self._say_states()

    def _say_states(self) -> None:
        self._choose_left_out()
        for room in list(self.rooms.values()):
            self._guarded(room.claim, lambda room=room: self._say_state(room))  # type: ignore[misc]

    def _say_state(self, room: RoomCaptions) -> None:
        """Say how a room's captions are written: in Redis again and again, to pages what is new. Raises LeaseLost."""
        pk, left_out = room.room.pk, self._out_of(room.room.pk)
        level = self.ladder.level(nobody=bool(left_out) and left_out >= set(room.talkers(TALKING_MS)))
        before, before_out = self._said.get(pk, ("", frozenset()))
        handles = {user: room.speakers[user].user.handle for user in left_out | before_out if user in room.speakers}
        changed: list[str | None] = [handles[user] for user in left_out ^ before_out if user in handles]
        changed += [None] if level != before else []
        without = [handles[user] for user in left_out if user in handles]
        if pk not in self._said:  # whom the process left out that had the room before
            changed += [handle for handle in state.room_state(pk)[1] if handle not in without]
        for user in left_out - before_out:
            room.leave_out(user)
        actions.tell_state(room.claim, level, without, changed=changed)
        self._said[pk] = (level, left_out)

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
