"""Children that other apps add to each live room (`rooms.hooks.media_taps`). Nobody waits for one, however it fails."""

from __future__ import annotations

import asyncio
import logging
import time

from core import loops
from rooms.hooks import MediaTap
from rooms.media.ffmpeg import commands
from rooms.media.ffmpeg.child import Child
from rooms.media.ffmpeg.folders import written_at
from rooms.media.supervisor.forward import Forward

log = logging.getLogger(__name__)

STALLED = 4.0  # seconds without a change of its output
SETTLE = 6.0  # seconds a fresh one gets before it can be stalled
ENDS_SOON = 0.5  # seconds that are waited for its end; one that needs longer goes on ending beside
PATIENCE = 1.0  # seconds it gets to write its last piece before it is killed

_ending: set[asyncio.Task[bool]] = set()  # tasks need somebody who holds them


class TapChild(Child):
    """One tap of one room. What its class raises is reported as a failed start."""

    def __init__(self, room_pk: int, name: str, tap: type[MediaTap], forward: Forward) -> None:
        super().__init__(f"tap {name} of room {room_pk}", self._command, finishes=True)
        self.room_pk = room_pk
        self.tap_class = tap
        self.forward = forward
        self._tap: MediaTap | None = None
        self._supervising: asyncio.Task[None] | None = None

    def _command(self) -> list[str | bytes]:
        return commands.tap_command(self._made().command(commands.mix_input(*self.forward.renew())))

    def _made(self) -> MediaTap:
        if self._tap is None:
            self._tap = self.tap_class(self.room_pk)
        return self._tap

    def ensure_beside(self) -> None:
        """Start it when it does not run or hangs, in a task of its own. One that is still at it is left to it."""
        if self._supervising is None or self._supervising.done():
            self._supervising = asyncio.create_task(self._supervise(), name=self.name)

    async def _supervise(self) -> None:
        try:
            if self.running and self.age > SETTLE and (silent := await self._silent_for()) > STALLED:
                log.warning("%s has not written for %.1f s", self.name, silent)
                if not await self.kill():
                    self.forward.leave_port()
            if await self.ensure() and self.starts > 1 and self.tap_class.required:
                await self._report(RuntimeError("it ended and was started again"))
        except Exception as error:  # of code that is not ours, too
            self._slow_down()
            await self._report(error)

    async def _silent_for(self) -> float:
        """Seconds since its output changed, or since its start; 0 where it has no output. Raises DiskHangs."""
        output = self._made().output()
        if output is None:
            return 0.0
        written = await self.lane.run(lambda: written_at(output))
        return self.age if written is None else min(self.age, time.time() - written)

    async def _report(self, error: Exception) -> None:
        if self.tap_class.required:
            await loops.item_failed("media-taps", self.name, error)
        else:
            log.warning("%s: %s %s", self.name, type(error).__name__, error)

    async def end(self, patience: float = PATIENCE) -> bool:
        """End it, but do not wait for one that hangs: it is killed beside. False for such a one."""
        ending = asyncio.create_task(self._end(min(patience, PATIENCE)), name=f"end of {self.name}")
        _ending.add(ending)
        ending.add_done_callback(_ending.discard)
        await asyncio.wait([ending], timeout=ENDS_SOON)
        return ending.done() and ending.result()

    async def _end(self, patience: float) -> bool:
        supervising, self._supervising = self._supervising, None
        if supervising is not None:
            supervising.cancel()
            await asyncio.wait([supervising])
        try:
            return await self.stop(patience)
        except asyncio.CancelledError:
            await self.kill()
            raise


async def kill_ending() -> None:
    """Kill the taps that are still given time to end: the supervisor itself ends now."""
    ending = list(_ending)
    for task in ending:
        task.cancel()
    if ending:
        await asyncio.wait(ending, timeout=ENDS_SOON)
