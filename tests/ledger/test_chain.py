"""Coverage of an entry's seal, and the values that an entry may hold."""

import random
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from ledger import chain

AT = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
ENTRY: dict[str, Any] = {
    "seq": 7,
    "kind": "purged",
    "subject": "room:12",
    "actor": None,
    "at": AT,
    "data": {"files": 3, "names": ["a", "b"]},
    "commitments": {"facts": "00ff"},
    "previous": "ab" * 32,
}
OTHER: dict[str, Any] = {
    "seq": 8,
    "kind": "purge",
    "subject": "room:1",
    "actor": 0,
    "at": AT + timedelta(microseconds=1),
    "data": {"files": 3, "names": ["b", "a"]},
    "commitments": {"facts": "00fe"},
    "previous": "ac" * 32,
}


@pytest.mark.parametrize("name", ENTRY)
def test_every_part_of_an_entry_is_sealed(name: str) -> None:
    assert chain.seal("k", **ENTRY) != chain.seal("k", **{**ENTRY, name: OTHER[name]})


def test_another_key_makes_another_seal() -> None:
    assert chain.seal("k", **ENTRY) != chain.seal("l", **ENTRY)


def test_the_seal_does_not_depend_on_the_zone_or_on_the_order_of_names() -> None:
    east = AT.astimezone(timezone(timedelta(hours=9)))
    turned = {"names": ["a", "b"], "files": 3}
    assert chain.seal("k", **ENTRY) == chain.seal("k", **{**ENTRY, "at": east, "data": turned})


def test_two_entries_that_look_alike_when_joined_differ() -> None:
    assert chain.seal("k", **{**ENTRY, "kind": "ab", "subject": "c"}) != chain.seal(
        "k", **{**ENTRY, "kind": "a", "subject": "bc"}
    )


@pytest.mark.parametrize(
    "value", [1.5, AT, b"x", {1: "x"}, "x" * 201, "nul\0", "\ud800", {"a": [{"b": 0.5}]}, object(), {"x" * 201: 1}]
)
def test_what_would_not_come_back_as_it_went_in_is_refused(value: Any) -> None:
    with pytest.raises(chain.NotSealable):
        chain.sealable(value)


def test_a_commitment_fits_one_text_and_one_salt() -> None:
    rng = random.Random(1)
    salts = ["".join(rng.choices("0123456789abcdef", k=64)) for _ in range(50)]
    texts = ["", "a", "b", "ü", "a\0"]
    made = {chain.commit(salt, text) for salt in salts for text in texts}
    assert len(made) == len(salts) * len(texts)
    assert all(len(value) == 64 for value in made)
