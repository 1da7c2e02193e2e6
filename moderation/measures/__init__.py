"""Measures: what a decision can impose. One class a file; the order is that of the form."""

from __future__ import annotations

from moderation.measures.base import MeasureKind, person_of
from moderation.measures.end_room import EndRoom
from moderation.measures.message import Message
from moderation.measures.no_hosting import NoHosting
from moderation.measures.no_stage import NoStage
from moderation.measures.picture import Picture
from moderation.measures.profile import Profile
from moderation.measures.restrict import Restrict
from moderation.measures.suspend import Suspend
from moderation.measures.title import Title
from moderation.measures.warning import Warning
from moderation.models import Case

__all__ = ["MEASURES", "MeasureKind", "measures_for", "person_of"]

KINDS: tuple[type[MeasureKind], ...] = (
    *(Warning, NoStage, NoHosting, Suspend),
    *(EndRoom, Restrict, Title, Picture, Profile, Message),
)
MEASURES: dict[str, type[MeasureKind]] = {kind.key: kind for kind in KINDS}


def measures_for(case: Case) -> list[type[MeasureKind]]:
    """List the measures that can be imposed in a case as things are now."""
    return [kind for kind in KINDS if kind.applies_to(case)]
