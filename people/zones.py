"""Time zones as people choose them: names out of the IANA database, grouped by continent."""

import functools
import zoneinfo
from itertools import groupby

# What people know by name; the database has more: "CET", "GMT+3", "US/Pacific".
CONTINENTS = (
    *("Africa", "America", "Antarctica", "Arctic", "Asia"),
    *("Atlantic", "Australia", "Europe", "Indian", "Pacific"),
)


@functools.cache
def zone_names() -> frozenset[str]:
    """Every name that a person may have: UTC and places, no legacy abbreviations."""
    names = zoneinfo.available_timezones()
    return frozenset(name for name in names if name == "UTC" or name.partition("/")[0] in CONTINENTS)


def is_zone(name: str) -> bool:
    """Whether this is a time zone of ours: a cookie or an old row may hold anything."""
    return name in zone_names()


@functools.cache
def zone_choices() -> list[tuple[str, object]]:
    """For a select: UTC first, then one group a continent."""
    places = sorted(name for name in zone_names() if name != "UTC")
    groups: list[tuple[str, object]] = [("UTC", "UTC")]
    for continent, names in groupby(places, lambda name: name.partition("/")[0]):
        groups.append((continent, [(name, name.partition("/")[2].replace("_", " ")) for name in names]))
    return groups
