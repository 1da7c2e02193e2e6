"""Time zones that people may choose, and that browsers report: the names of the IANA database."""

import functools
import zoneinfo
from itertools import groupby

from django.utils.translation import gettext_lazy as _

# Entries that are no zones: the machine's own zone, and the placeholder of a machine without one.
NO_ZONES = frozenset({"localtime", "Factory"})
# Zones named after places. Browsers also send others: "Etc/GMT-3", "US/Pacific", "CET".
CONTINENTS = (
    *("Africa", "America", "Antarctica", "Arctic", "Asia"),
    *("Atlantic", "Australia", "Europe", "Indian", "Pacific"),
)


@functools.cache
def zone_names() -> frozenset[str]:
    """Return every name that a person may have."""
    return frozenset(zoneinfo.available_timezones() - NO_ZONES)


def is_zone(name: str) -> bool:
    """Whether a name is a known time zone: a cookie or an old row may hold anything."""
    return name in zone_names()


@functools.cache
def zone_choices() -> list[tuple[object, object]]:
    """Return choices for a select: UTC first, then one group a continent, then names without a place."""
    places = sorted(name for name in zone_names() if name.partition("/")[0] in CONTINENTS)
    groups: list[tuple[object, object]] = [("UTC", "UTC")]
    for continent, names in groupby(places, lambda name: name.partition("/")[0]):
        groups.append((continent, [(name, name.partition("/")[2].replace("_", " ")) for name in names]))
    others = sorted(zone_names() - {"UTC", *places})
    return [*groups, (_("Other names"), [(name, name.replace("_", " ")) for name in others])]
