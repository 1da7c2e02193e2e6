"""Dates as Dutch people write them, where Django puts them into words."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils import translation
from django.utils.formats import date_format

SHORT = ["jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"]
LONG = [
    *("januari", "februari", "maart", "april", "mei", "juni"),
    *("juli", "augustus", "september", "oktober", "november", "december"),
]


@pytest.mark.parametrize("month", range(1, 13))
def test_no_text_of_ours_takes_the_place_of_a_name_of_djangos(month: int) -> None:
    """`May` is a month and a permission: a text of ours without a context would stand in every date."""
    day = date(2027, month, 28)
    with translation.override("nl"):
        assert date_format(day) == f"28 {SHORT[month - 1]} 2027"
        assert date_format(day, "j F Y") == f"28 {LONG[month - 1]} 2027"
