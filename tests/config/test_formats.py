"""Dates as Dutch people write them, where Django puts them into words."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils import translation
from django.utils.formats import date_format

MONTHS = ["jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"]


@pytest.mark.parametrize("month", range(1, 13))
def test_no_text_of_ours_takes_the_place_of_a_name_of_djangos(month: int) -> None:
    """`May` is a month and a permission: a text of ours without a context would stand in every date."""
    day = date(2027, month, 29 if month != 2 else 28)
    with translation.override("nl"):
        short, long = date_format(day), date_format(day, "j F Y")
    assert short == f"{day.day} {MONTHS[month - 1]} 2027"
    assert long.split()[1][:2] == MONTHS[month - 1][:2] and long.islower()
