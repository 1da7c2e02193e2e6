"""Erasers: how an app removes what it keeps about rooms. At the bottom of the house, so that every app can tell.

An app registers what a DELETE on its own rows cannot do (keys in Redis, files elsewhere, an index); the purge in
`moderation` calls it by the name that its table of artefacts has. An eraser may run twice, at once, and again after
it was killed; it removes what is there and does not mind what is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Eraser = Callable[[Sequence[int]], int]
"""Takes the keys of rooms, returns how many things it removed."""

_erasers: dict[str, Eraser] = {}


def erases(artefact: str) -> Callable[[Eraser], Eraser]:
    """Register the eraser of one artefact, by its name in the table: `@erases("transcripts.index")`."""

    def register(eraser: Eraser) -> Eraser:
        known = _erasers.get(artefact)
        if known is not None and known is not eraser:
            raise ValueError(f"{artefact} has two erasers")
        _erasers[artefact] = eraser
        return eraser

    return register


def erasers() -> dict[str, Eraser]:
    """All that are registered, by artefact."""
    return dict(_erasers)
