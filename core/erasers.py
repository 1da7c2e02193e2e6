"""Erasers: how an app removes what it keeps about rooms.

An app registers what a DELETE on its own rows cannot do (keys in Redis, files elsewhere, an index):
`@erasers.register("transcripts.index")`, by the artefact's name in `retention/artefacts.py`. The purge calls it. An
eraser may run twice, at once, and again after it was killed; it removes what is there and ignores what is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.hooks import Hook

Eraser = Callable[[Sequence[int]], int]
"""Takes primary keys of rooms, returns how many things it removed."""

erasers: Hook[Eraser] = Hook("core.erasers")
