"""Steps by which captions give way where there is more speech than the machine can hear, and come back. Pure.

Steps: hear drafts every 1, 1.5, 2 seconds; no drafts; then one person after the other is left out, whoever has spoken
least recently first, of all rooms together. Who is left out stays so while they talk: that whoever pauses for breath
were left out next would spare nobody. Short contexts and smaller models are never a step: they write nonsense.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rooms.wire.events import CaptionsLevel

STEPS_MS = (1000, 1500, 2000)
NO_DRAFTS = len(STEPS_MS)
LATE = 2.0  # seconds that the oldest work waits, beyond which a step is taken …
LATE_FOR = 2.0  # … once it has been so for as long
# The same where somebody would be left out, whose words are lost: what is over comes in heaps, and is done in time.
LATE_OUT, LATE_OUT_FOR = 6.0, 5.0
EARLY = 0.5  # seconds below which a step is taken back …
EARLY_FOR = 10.0  # … once it has been so for as long

Talker = TypeVar("Talker")


@dataclass
class Ladder:
    """The step that is taken now. `update` is called often, with the age of the oldest work."""

    step: int = 0
    _since: float = 0.0  # when the age came to be what it is now: late, early, or neither
    _was: int = 0

    def update(self, now: float, age: float, talkers: int) -> bool:
        """Take a step, or take one back; returns whether it did. With all `talkers` left out there is no further step,
        and as people fall silent there are fewer."""
        before = self.step
        self.step = min(self.step, NO_DRAFTS + talkers)
        late, late_for = (LATE, LATE_FOR) if self.drafts else (LATE_OUT, LATE_OUT_FOR)
        tends = 1 if age > late else -1 if age < EARLY else 0
        if tends != self._was:
            self._was, self._since = tends, now
        held = now - self._since
        if tends > 0 and held >= late_for and self.step < NO_DRAFTS + talkers:
            self.step += 1
        elif tends < 0 and held >= EARLY_FOR and self.step > 0:
            self.step -= 1
        if self.step != before:
            self._since = now
        return self.step != before

    def fell_silent(self, left_out: int) -> None:
        """Take back as many steps as people who were left out do not talk any more: nobody else is, in their place."""
        self.step -= min(left_out, max(0, self.step - NO_DRAFTS))

    @property
    def step_ms(self) -> int:
        """How much new sound makes a draft worth hearing."""
        return STEPS_MS[min(self.step, len(STEPS_MS) - 1)]

    @property
    def drafts(self) -> bool:
        return self.step < NO_DRAFTS

    def left_out(self, talkers: Sequence[Talker], out: Collection[Talker] = ()) -> frozenset[Talker]:
        """Return who is left out, of people in order of when they spoke last, the least recent first; of those who are
        `out` already before others."""
        ordered = sorted(talkers, key=lambda talker: talker not in out)
        return frozenset(ordered[: max(0, self.step - NO_DRAFTS)])

    def level(self, *, nobody: bool) -> CaptionsLevel:
        """How captions of a room are written, as pages say it; `nobody`: of all who talk there no words are."""
        if self.step == 0:
            return "on"
        if self.drafts:
            return "slow"
        return "off" if nobody else "drafts_off"
