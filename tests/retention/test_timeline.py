"""Positions on the clock's bar."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from retention.policy import Rules
from retention.timeline import Mark, Timeline, timeline

END = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def bar(now: float, purge: float | None, *, purged: bool = False) -> Timeline:
    at = None if purge is None else END + timedelta(days=purge)
    return timeline(END, END + timedelta(days=now), at, Rules(), purged=purged)


def test_a_copy_under_review() -> None:
    assert bar(12.9, 30) == Timeline(
        marks=(Mark(0, "0.00%", "start"), Mark(30, "33.33%", "middle"), Mark(90, "100.00%", "end")),
        past="14.33%",
        kept="33.33%",
        now="14.33%",
        purge="33.33%",
        day=12,
        beyond=False,
    )


def test_a_violation_an_appeal_and_an_order_beyond_the_bar() -> None:
    assert (bar(45, 90).kept, bar(45, 90).now) == ("100.00%", "50.00%")
    appeal = bar(45, 180)
    assert [mark.day for mark in appeal.marks] == [0, 30, 90, 180] and appeal.now == "25.00%"
    order = bar(200, 400)
    assert (order.kept, order.purge, order.beyond, order.now, order.day) == ("100.00%", None, True, "100.00%", 200)


def test_kept_on_without_a_day() -> None:
    kept = bar(45, None)
    assert (kept.past, kept.kept, kept.now, kept.purge, kept.day) == ("50.00%", "50.00%", "50.00%", None, 45)
    assert [mark.day for mark in kept.marks] == [0, 30, 90]


def test_purged() -> None:
    gone = bar(60, 30, purged=True)
    assert (gone.past, gone.kept, gone.now, gone.day) == ("33.33%", "33.33%", None, 30)


def test_other_days() -> None:
    same = timeline(END, END, END + timedelta(days=7), Rules(7, 7, 7))
    assert [mark.day for mark in same.marks] == [0, 7] and same.kept == "100.00%"


@given(
    now=st.floats(-1, 1000),
    purge=st.none() | st.floats(0, 1000),
    purged=st.booleans(),
)
def test_nothing_lies_outside_of_the_bar(now: float, purge: float | None, purged: bool) -> None:
    made = bar(now, purge, purged=purged)
    found = [float(x.removesuffix("%")) for x in (made.past, made.kept, made.now, made.purge) if x is not None]
    assert all(0 <= x <= 100 for x in found) and made.day >= 0
    assert float(made.past.removesuffix("%")) <= float(made.kept.removesuffix("%"))
    assert [mark.day for mark in made.marks] == sorted({mark.day for mark in made.marks})
