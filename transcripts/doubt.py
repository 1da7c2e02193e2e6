"""Detection of doubtful lines: words the model may have invented, as it does for speech in another language. Pure.

Source of the limit: the measurements in docs/subsystems/transcription.md.
"""

from __future__ import annotations

LIMIT = 0.68  # mean probability of a line's words


def doubtful(confidence: float | None) -> bool:
    """Return whether a line with this mean word probability is doubtful; None (no words) is not."""
    return confidence is not None and confidence < LIMIT
