"""When a prepared room begins: wall times in zones, also where clocks change, and the limits of a start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rooms.rules.starts import LATEST, SOONEST, BadStart, start_of

AMSTERDAM = "Europe/Amsterdam"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("wall", "zone", "now", "at", "twice"),
    [
        ("2026-12-24T20:00", AMSTERDAM, "2026-11-26", "2026-12-24T19:00", False),
        ("2027-03-28T01:59", AMSTERDAM, "2027-03-20", "2027-03-28T00:59", False),
        ("2027-03-28T03:00", AMSTERDAM, "2027-03-20", "2027-03-28T01:00", False),
        ("2026-10-25T02:30", AMSTERDAM, "2026-10-20", "2026-10-25T00:30", True),
        ("2026-10-25T02:00", AMSTERDAM, "2026-10-20", "2026-10-25T00:00", True),
        ("2026-10-25T01:59", AMSTERDAM, "2026-10-20", "2026-10-24T23:59", False),
        ("2026-10-25T03:00", AMSTERDAM, "2026-10-20", "2026-10-25T02:00", False),
        # Half an hour, on an island; the date line; a zone that is behind.
        ("2026-10-04T02:45", "Australia/Lord_Howe", "2026-10-01", "2026-10-03T15:45", False),
        ("2026-12-01T00:30", "Pacific/Kiritimati", "2026-11-26", "2026-11-30T10:30", False),
        ("2026-11-26T20:00", "America/Los_Angeles", "2026-11-26T22:00", "2026-11-27T04:00", False),
    ],
)
def test_a_wall_time_is_one_moment(wall: str, zone: str, now: str, at: str, twice: bool) -> None:
    start = start_of(wall, zone, utc(now))
    assert (start.at, start.wall, start.zone, start.twice) == (utc(at), wall, zone, twice)


@pytest.mark.parametrize(
    ("wall", "zone", "code", "field"),
    [
        ("2027-03-28T02:00", AMSTERDAM, "no_such_time", "wall"),
        ("2027-03-28T02:30", AMSTERDAM, "no_such_time", "wall"),
        ("2027-03-28T02:59", AMSTERDAM, "no_such_time", "wall"),
        ("2027-03-28T20:00", "Europe/Atlantis", "bad_value", "zone"),
        ("2027-03-28T20:00", "", "bad_value", "zone"),
        ("2027-03-28T20:00", "localtime", "bad_value", "zone"),
        ("2027-03-28T20:00", "../../etc/passwd", "bad_value", "zone"),
        ("2027-02-30T20:00", AMSTERDAM, "bad_value", "wall"),
        ("2027-03-28T24:00", AMSTERDAM, "bad_value", "wall"),
        ("2027-03-28 20:00", AMSTERDAM, "bad_value", "wall"),
        ("2027-03-28T20:00:30", AMSTERDAM, "bad_value", "wall"),
        ("2027-03-28T20:00Z", AMSTERDAM, "bad_value", "wall"),
        ("2027-03-28T20:00\n", AMSTERDAM, "bad_value", "wall"),
        ("٢٠٢٧-03-28T20:00", AMSTERDAM, "bad_value", "wall"),
        ("20270328T200000", AMSTERDAM, "bad_value", "wall"),
        ("", AMSTERDAM, "bad_value", "wall"),
        ("0001-01-01T00:00", "Pacific/Kiritimati", "starts_too_soon", "wall"),
        ("9999-12-31T23:59", "America/Los_Angeles", "starts_too_late", "wall"),
        ("2026-03-28T20:00", AMSTERDAM, "starts_too_soon", "wall"),
    ],
)
def test_what_is_no_start(wall: str, zone: str, code: str, field: str) -> None:
    with pytest.raises(BadStart) as bad:
        start_of(wall, zone, utc("2027-03-20"))
    assert (bad.value.code, bad.value.field) == (code, field)


def test_five_minutes_to_ninety_days() -> None:
    at = utc("2027-01-10T12:00")
    second = timedelta(seconds=1)
    for now in (at - SOONEST, at - LATEST):
        assert start_of("2027-01-10T13:00", AMSTERDAM, now).at == at
    for now, code in ((at - SOONEST + second, "starts_too_soon"), (at - LATEST - second, "starts_too_late")):
        with pytest.raises(BadStart) as bad:
            start_of("2027-01-10T13:00", AMSTERDAM, now)
        assert bad.value.code == code
