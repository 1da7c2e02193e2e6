"""Cells of tables that people download: no spreadsheet computes them, whatever separates cells there."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.recording.exports import harmless

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
