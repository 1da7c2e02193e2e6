"""Template tag for lists of rooms: `{% load transcripts %}{% transcript_states past as all %}`, then `all|of:room`."""

from collections.abc import Iterable

from django import template

from rooms.queries.hosted import HostedRoom
from transcripts import queries

register = template.Library()


@register.simple_tag
def transcript_states(hosted: Iterable[HostedRoom]) -> dict[int, queries.TranscriptState]:
    """Return the states of the rooms' transcripts, by the room's key, without a query for each."""
    return queries.transcript_states(one.room for one in hosted)
