"""The clock on pages: `{% load retention %}{% retention_state room as kept %}{% include "retention/clock.html" %}`."""

from collections.abc import Iterable

from django import template

from retention import state
from rooms.models import Room
from rooms.queries.hosted import HostedRoom

register = template.Library()


@register.simple_tag
def retention_state(room: Room) -> state.RetentionState:
    """How long the copy of this room is kept, and why."""
    return state.retention_state(room)


@register.simple_tag
def retention_states(hosted: Iterable[HostedRoom]) -> dict[int, state.RetentionState]:
    """The same for a list, without a query for each: `{% with kept=states|of:room %}`."""
    return state.retention_states(one.room for one in hosted)
