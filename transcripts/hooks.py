"""Hooks of transcripts, filled by apps above it in their `registrations.py`."""

from __future__ import annotations

from collections.abc import Callable

from core.hooks import Hook
from transcripts.models import LiveLine

LineConfirmed = Callable[[LiveLine], object]
"""Takes a line of live captions of which more words are confirmed, after its commit. Called again as the line grows."""

line_confirmed: Hook[LineConfirmed] = Hook("transcripts.line_confirmed")
