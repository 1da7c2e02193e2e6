"""Which bytes a request asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.recording.delivery.ranges import Range, Unsatisfiable, asked, still_same


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, None),
        ("", None),
        ("bytes=0-", Range(0, 100)),
        ("bytes=0-0", Range(0, 1)),
        ("bytes=10-19", Range(10, 20)),
        ("bytes=90-1000", Range(90, 100)),
        ("bytes=-10", Range(90, 100)),
        ("bytes=-1000", Range(0, 100)),
        ("Bytes= 5 - 6 ", Range(5, 7)),
        ("Bytes = 5-6", None),
        ("items=0-5", None),
        ("bytes=1-2,5-6", None),
        ("bytes=1-2,500-", Range(1, 3)),
        ("bytes", None),
        ("bytes=", None),
    ],
)
def test_ranges_of_a_hundred_bytes(header: str | None, wanted: Range | None) -> None:
    assert asked(header, 100) == wanted


@pytest.mark.parametrize(
    "header",
    [
        *("bytes=100-", "bytes=200-300", "bytes=-0", "bytes=20-10"),
        *("bytes=-", "bytes=a-b", "bytes=abc", "bytes=1-2,", "bytes=+1-2", "bytes=1_0-20", "bytes=१-२"),
        *("bytes=" + "9" * 30 + "-", "bytes=0-" + "9" * 5000),
    ],
)
def test_ranges_behind_the_end_and_what_is_none(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        asked(header, 100)


def test_any_part_of_nothing_is_all_of_it() -> None:
    assert asked("bytes=0-", 0) is asked(None, 0) is None
    with pytest.raises(Unsatisfiable):
        asked("bytes=1-", 0)


@given(st.text(max_size=40), st.integers(0, 10**12))
def test_nonsense_never_breaks_anything(text: str, size: int) -> None:
    for header in (text, f"bytes={text}"):
        try:
            found = asked(header, size)
        except Unsatisfiable:
            continue
        assert found is None or 0 <= found.start < found.stop <= size


def test_a_range_is_of_the_same_thing_only() -> None:
    assert still_same(None, '"a"')
    assert still_same('"a"', '"a"')
    assert not still_same('"b"', '"a"')
    assert not still_same('W/"a"', '"a"')
    assert not still_same("Mon, 23 Nov 2026 18:00:00 GMT", '"a"')
