"""Looking at evidence, noted once per person, case, range and ten minutes."""

from __future__ import annotations

from moderation.actions.evidence import note_look
from moderation.models import Case
from moderation.queries.looks import looked_lately
from people.models import User


def look_once(case: Case, by: User, what: str, from_ms: int | None = None, to_ms: int | None = None) -> None:
    """Note a look, unless the same person looked at all of it in the last ten minutes. Raises as `note_look`."""
    if not looked_lately(case, by, what, from_ms, to_ms):
        note_look(case, by, what, from_ms, to_ms)
