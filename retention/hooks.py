"""Hooks of retention: sources of findings and holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from core.hooks import Hook
from retention.policy import Finding, Hold

FactSource = Callable[[Sequence[int]], Iterable[tuple[int, Finding | Hold]]]
"""Given primary keys of rooms, returns all findings and holds of them as (room, fact), also those that have ended."""

retention_facts: Hook[FactSource] = Hook("retention.facts")
