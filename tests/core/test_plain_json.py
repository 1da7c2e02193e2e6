"""JSON from outside: what passes can be kept, encoded and looked through."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import plain_json

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_clients_send_passes_unchanged(value: Any) -> None:
    assert plain_json.load(json.dumps(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "NaN",
        "[Infinity]",
        "[-Infinity]",
        '{"a": 1e999}',
        "9" * 5000,
        str(2**63),
        '{"a": 1, "a": 2}',
        '{"b": {"a": 1, "a": 1}}',
        '"\\u0000"',
        '{"\\u0000": 1}',
        '"\\ud800"',
        '["\\udc00\\ud800"]',
        '{"\\ud800": 1}',
        "[" * (plain_json.DEEPEST + 2) + "]" * (plain_json.DEEPEST + 2),
        "[" * 900 + "]" * 900,
        "[" * 100_000,
        '{"a":' * 1000 + "1" + "}" * 1000,
    ],
    ids=lambda text: text[:24],
)
def test_what_no_client_sends_is_refused(text: str) -> None:
    with pytest.raises(plain_json.NotPlain):
        plain_json.load(text)


def test_a_whole_pair_is_a_letter() -> None:
    assert plain_json.load('"\\ud83d\\ude00"') == "\U0001f600"
