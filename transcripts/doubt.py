"""Which lines are doubtful: words that the machine may have made up, as it does of another language than the room's.

Pure. The figures behind the limit stand in docs/subsystems/transcription.md.
"""

from __future__ import annotations

LIMIT = 0.68  # mean probability of a line's words


def doubtful(confidence: float | None) -> bool:
    """Whether a line with this mean probability of its words is marked."""
    return confidence is not None and confidence < LIMIT
