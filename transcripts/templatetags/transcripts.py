"""Transcripts on lists of rooms: `{% load transcripts %}{% transcript_states past as all %}`, then `all|of:room`."""

from collections.abc import Iterable

from django import template

from rooms.queries.hosted import HostedRoom
from transcripts.queries import HowFar, how_far

register = template.Library()


@register.simple_tag
def transcript_states(hosted: Iterable[HostedRoom]) -> dict[int, HowFar]:
    """How far their transcripts are, without a query for each."""
    return how_far(one.room for one in hosted)
