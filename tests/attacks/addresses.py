"""Every address of the site, read from the URL configuration, so that a new one is attacked the day it is added."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern
from django.utils.regex_helper import normalize

_PARAMETER = re.compile(r"<(?:[^:>]+:)?([^>]+)>")


def addresses(values: Mapping[str, str]) -> list[str]:
    """A path for each pattern; parameters by name out of `values`, "1" where there is none."""
    return sorted({f"/{path}" for path in _walk(get_resolver().url_patterns, values)})


def _walk(patterns: list[URLPattern | URLResolver], values: Mapping[str, str]) -> Iterator[str]:
    for entry in patterns:
        own = _filled(entry, values)
        if isinstance(entry, URLResolver):
            yield from (own + below for below in _walk(entry.url_patterns, values))
        else:
            yield own


def _filled(entry: URLPattern | URLResolver, values: Mapping[str, str]) -> str:
    pattern = entry.pattern
    if isinstance(pattern, RoutePattern):
        return _PARAMETER.sub(lambda found: values.get(found[1], "1"), str(pattern))
    form, names = normalize(str(pattern))[0]
    return form % {name: values.get(name, "1") for name in names}
