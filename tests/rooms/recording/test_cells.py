"""Cells of tables that people download: no spreadsheet computes them, whatever separates cells there."""

from __future__ import annotations

import codecs
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.recording.delivery.exports import Stint, harmless, table

SIGNS = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"
SEPARATORS = ",;\t|\n"


@given(st.text(st.sampled_from([*SIGNS, *SEPARATORS, '"', "'", " ", "\xa0", "a", "1", "é"]), max_size=30))
def test_no_cell_begins_a_formula_whatever_separates_cells(text: str) -> None:
    table = io.StringIO()
    csv.writer(table).writerow(["before", harmless(text), "after"])
    for separator in (*SEPARATORS, '"', '";"', '","'):
        for cell in table.getvalue().removesuffix("\r\n").split(separator):
            # A tab or return alone begins nothing; what follows it is a cell of its own where it separates.
            assert cell.strip('" \xa0')[:1] not in tuple(SIGNS), (separator, cell)
    assert harmless(text).replace("'", "") == text.replace("'", ""), "nothing but apostrophes was added"


@given(st.text(st.sampled_from("abcé 12.,;'\"|\n")))
def test_a_text_without_a_sign_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("x;=1+cmd|' /C calc'!A0", "x;'=1+cmd|' /C calc'!A0"),
        ('=HYPERLINK("x")', '\'=HYPERLINK("x")'),
        ('"=1"', '"\'=1"'),
        ("a, -b", "a, '-b"),
        ("\t=1", "'\t'=1"),
        ("@handle", "'@handle"),
        ("Jean-Luc", "Jean-Luc"),
        ("a - b", "a - b"),
    ],
)
def test_names_as_people_and_attackers_write_them(text: str, cell: str) -> None:
    assert harmless(text) == cell


HARD = st.text(
    st.one_of(st.sampled_from([*SIGNS, *SEPARATORS, '"', "'", "a", "é", "\u05d0", "👍"]), st.characters(codec="utf-8")),
    max_size=30,
)


def stay(user: str, name: str) -> Stint:
    moments: dict[str, str | None] = {"from": "2026-11-23T18:00:00+00:00", "to": None}
    return {"user": user, "name": name, "role": "speaker", "place": 1, "from_ms": 0, "to_ms": 9, "left": "", **moments}  # type: ignore[typeddict-item]


@given(st.lists(HARD, max_size=5))
def test_the_table_reads_back_and_says_that_it_is_utf_8(names: list[str]) -> None:
    """Also where it is empty, and with one name for all: the handle tells them apart."""
    handles = [f"person-{number}" for number in range(len(names))]
    data = "".join(table(map(stay, handles, names))).encode()
    assert data.startswith(codecs.BOM_UTF8) and b"Zo\xc3\xab" in "".join(table([stay("z", "Zoë")])).encode()
    found = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert [row["user"] for row in found] == handles, "a row a stay, whatever stands in the names"
    assert [row["name"].replace("'", "") for row in found] == [name.replace("'", "") for name in names]
    for row in found:
        assert row["name"].lstrip(" \xa0")[:1] not in tuple(SIGNS)
