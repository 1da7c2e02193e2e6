"""Time zones as people choose them and as browsers name them: what the IANA database has."""

import functools
import zoneinfo
from itertools import groupby

from django.utils.translation import gettext_lazy as _

# Files of the database that are no place: the machine's own zone, and the mark of a machine without one.
NO_ZONES = frozenset({"localtime", "Factory"})
# What people know by name. Browsers also send others: "Etc/GMT-3", "US/Pacific", "CET".
CONTINENTS = (
    *("Africa", "America", "Antarctica", "Arctic", "Asia"),
    *("Atlantic", "Australia", "Europe", "Indian", "Pacific"),
)


@functools.cache
def zone_names() -> frozenset[str]:
    """Every name that a person may have."""
    return frozenset(zoneinfo.available_timezones() - NO_ZONES)


def is_zone(name: str) -> bool:
    """Whether this is a time zone of ours: a cookie or an old row may hold anything."""
    return name in zone_names()


@functools.cache
def zone_choices() -> list[tuple[object, object]]:
    """For a select: UTC first, then one group a continent, then the names that no place has."""
    places = sorted(name for name in zone_names() if name.partition("/")[0] in CONTINENTS)
    groups: list[tuple[object, object]] = [("UTC", "UTC")]
    for continent, names in groupby(places, lambda name: name.partition("/")[0]):
        groups.append((continent, [(name, name.partition("/")[2].replace("_", " ")) for name in names]))
    others = sorted(zone_names() - {"UTC", *places})
    return [*groups, (_("Other names"), [(name, name.replace("_", " ")) for name in others])]
