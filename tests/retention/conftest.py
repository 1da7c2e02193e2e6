"""Facts that keep a copy, for tests: what the console will tell of cases, decisions and appeals."""

from collections.abc import Generator, Sequence

import pytest

from retention.hooks import retention_facts
from retention.policy import Finding, Hold

Facts = dict[int, list[Finding | Hold]]


@pytest.fixture
def facts() -> Generator[Facts]:
    """Findings and holds by room; the purge asks for them as it will ask the console."""
    known: Facts = {}

    @retention_facts.register("test")
    def tell(rooms: Sequence[int]) -> list[tuple[int, Finding | Hold]]:
        return [(pk, fact) for pk in rooms for fact in known.get(pk, [])]

    yield known
    retention_facts.unregister("test")
