"""The clock on pages: `{% load retention %}{% retention_state room as kept %}`, then kept.day, kept.at, kept.text."""

from django import template

from moderation import state
from rooms.models import Room

register = template.Library()


@register.simple_tag
def retention_state(room: Room) -> state.RetentionState:
    """How long the copy of this room is kept, and why."""
    return state.retention_state(room)
