"""Pure: when recording pauses and goes on, and when operators are written a mail about it."""

from __future__ import annotations

import math

from rooms.recording.finishing.space import Space

ROOMY = 1.25  # times the reserve must be free before recording goes on: or it would stop again at once
CALM = 3  # looks in a row (one a second) that must find it
MOST_CALM = 300  # of them, when it keeps closing
SOON = 600.0  # seconds after it went on: closing by then is the same trouble still
HOUR = 3600.0  # seconds from one mail of a kind to the next
LASTING = 600.0  # seconds of a state that is told all the same


class Gate:
    """Shut at once, opened after some calm looks at more than was needed: more of them each time it did not last."""

    def __init__(self, reserve: int) -> None:
        self.reserve = reserve
        self.shut = False
        self._calm, self._needed = 0, CALM
        self._opened_at = -math.inf

    def take(self, space: Space, at: float) -> bool:
        """One look, at a time in seconds; True when the gate was shut or opened by it."""
        if not self.shut:
            self.shut = bool(space.trouble) or space.free < self.reserve
            if self.shut:
                again = at - self._opened_at < SOON
                self._calm, self._needed = 0, min(MOST_CALM, self._needed * 2) if again else CALM
            return self.shut
        roomy = not space.trouble and space.free >= self.reserve * ROOMY
        self._calm = self._calm + 1 if roomy else 0
        self.shut = self._calm < self._needed
        if not self.shut:
            self._opened_at = at
        return not self.shut


class Telling:
    """A mail of each kind (paused, going on) at once, and another within the hour only of a state that lasts."""

    def __init__(self, told: bool) -> None:
        """`told`: the last that operators were told is that recording is paused."""
        self.told = told
        self._shut, self._since = told, -math.inf
        self._sent: dict[bool, float] = {}

    def due(self, shut: bool, at: float) -> bool:
        """Whether to write one now, at a time in seconds; it then counts as written."""
        if shut != self._shut:
            self._shut, self._since = shut, at
        if shut == self.told:
            return False
        if at - self._sent.get(shut, -math.inf) < HOUR and at - self._since < LASTING:
            return False
        self.told, self._sent[shut] = shut, at
        return True
