"""Time zones that people may choose, and that browsers report: the names of the IANA database."""

import functools
import zoneinfo
from itertools import groupby
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
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


class ZoneSelect(forms.Select):
    """A select as Django's, without its two templates for each of six hundred options: most of the work of a page."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """Return the HTML of the select."""
        widget = self.get_context(name, value, attrs)["widget"]
        groups = [_group(label, options) for label, options, _index in widget["optgroups"]]
        return format_html(
            '<select name="{}"{}>{}</select>',
            widget["name"],
            flatatt(widget["attrs"]),
            format_html_join("", "{}", ((group,) for group in groups)),
        )


def _group(label: object, options: list[dict[str, Any]]) -> SafeString:
    rows = ((option["value"], flatatt(option["attrs"]), option["label"]) for option in options)
    inner = format_html_join("", '<option value="{}"{}>{}</option>', rows)
    return format_html('<optgroup label="{}">{}</optgroup>', label, inner) if label else inner
