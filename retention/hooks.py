"""Hooks of retention: sources of findings and holds, and of facts and receipts that a person must not read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from django.db.models import Q

from core.hooks import Hook
from retention.policy import Finding, Hold

FactSource = Callable[[Sequence[int]], Iterable[tuple[int, Finding | Hold]]]
"""Given primary keys of rooms, returns all findings and holds of them as (room, fact), also those that have ended."""

HiddenReceipts = Callable[[int], Q]
"""Given the key of a reader, returns the receipts that this person must not read: those of rooms in which they took
part, since a receipt's rule names violations and secret orders."""

HiddenFacts = Callable[[int, Sequence[int]], Collection[str]]
"""Given the key of a reader and keys of rooms, returns the `ref` of the facts of these rooms that this person must not
learn of: to them the clock is as if there were none."""

retention_facts: Hook[FactSource] = Hook("retention.facts")
hidden_facts: Hook[HiddenFacts] = Hook("retention.hidden_facts")
hidden_receipts: Hook[HiddenReceipts] = Hook("retention.hidden_receipts")
