"""Template tags of the retention clock.

`{% load retention %}{% retention_state room as kept %}{% retention_clock kept why=True %}`; for staff
`{% full_retention_state room as kept %}{% retention_clock kept %}`. The page links `css/components/clock.css`.
"""

from collections.abc import Iterable
from typing import Any

from django import template

from retention import state
from retention.clocks import rules
from retention.timeline import timeline
from rooms.models import Room
from rooms.queries.hosted import HostedRoom

register = template.Library()


@register.simple_tag
def retention_state(room: Room) -> state.RetentionState:
    """Return how long the copy of this room is kept, and why, as its host is told."""
    return state.retention_state(room)


@register.simple_tag
def full_retention_state(room: Room) -> state.RetentionState:
    """Return how long the copy of this room is kept, with all reasons and holds: for staff who may see clocks."""
    return state.retention_state(room, full=True)


@register.simple_tag
def retention_states(hosted: Iterable[HostedRoom]) -> dict[int, state.RetentionState]:
    """Return the states of a list of rooms, by key, without a query for each: `{% with kept=states|of:room %}`."""
    return state.retention_states(one.room for one in hosted)


@register.inclusion_tag("retention/clock.html")
def retention_clock(kept: state.RetentionState, why: bool = False) -> dict[str, Any]:
    """Render a clock: the bar, and beside it what it says. `why` adds the reason, for the host; staff always see it."""
    bar = None
    if kept.ended_at is not None and not kept.purged:
        # Without a reason the bar of a copy that is kept on would say it too: it stays with the words.
        shown = why or kept.full or kept.at is not None
        bar = timeline(kept.ended_at, kept.now, kept.at, rules()) if shown else None
    elif kept.ended_at is not None and kept.full:
        bar = timeline(kept.ended_at, kept.now, kept.at, rules(), purged=True)
    holds = [(state.HOLD_TEXTS[hold.kind], hold) for hold in kept.holds]
    return {"kept": kept, "why": why or kept.full, "bar": bar, "holds": holds}
