"""Clock of one room's talk time: how long each microphone that is open hears speech."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

MOST = 15.0  # seconds counted between two looks, which come every five


class TalkClock:
    """Talk time of one room that is not saved yet: `unsaved`, milliseconds by account."""

    def __init__(self) -> None:
        self.unsaved: Counter[int] = Counter()
        self.untold = False  # something was saved that the host's side does not know
        self._since: dict[int, tuple[int, float]] = {}  # by seat: account, and when it was last looked at

    def look(self, audible: Mapping[int, int], now: float) -> None:
        """Count until `now` (monotonic seconds); then the accounts in `audible`, by seat, are those that speak."""
        for user_pk, since in self._since.values():
            self.unsaved[user_pk] += round(1000 * min(max(0.0, now - since), MOST))
        self._since = {seat_pk: (user_pk, now) for seat_pk, user_pk in audible.items()}
