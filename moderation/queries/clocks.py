"""Rooms by the state of their clocks, for staff, and what they may see of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from moderation.actions.holds import standing_holds
from moderation.models import Case, CaseParty, LegalHold
from moderation.models.cases import OPEN_STATES, WITH_SOUND
from moderation.queries.access import visible_cases
from moderation.queries.rooms import rooms_of_party
from people.models import User
from retention.clocks import candidates, clocks, hidden_from, rules
from retention.purge import overdue
from retention.state import RetentionState, retention_states
from rooms.models import Room, Seat

SHOW = ("kept", "live", "held", "overdue", "soon", "deleted")
SOON = timedelta(days=7)
MOST_SOON = 500


@dataclass(frozen=True)
class ClockRow:
    """A room with its clock, the legal holds that stand, and the open cases that the reader may see. A host or speaker
    (`party`) sees the clock as the host is told it, and neither holds nor cases; any other party of a case sees the
    room as if there were no such case."""

    room: Room
    kept: RetentionState
    party: bool
    holds: list[LegalHold]
    cases: list[Case]

    @property
    def hidden_cases(self) -> bool:
        """Whether an open case keeps the copy that is not for the reader to see."""
        return not self.cases and any(hold.kind == "case" for hold in self.kept.holds)


def rooms_shown(reader: User, show: str, now: datetime, search: str = "") -> QuerySet[Room]:
    """Select the rooms of one of SHOW, those first whose purge is nearest.

    Which rooms are held says more than a host or speaker may know: their own are left out where the choice depends on
    it. A case that the reader is a party of chooses nothing.
    """
    rows = Room.objects.select_related("host").filter(_condition(reader, show, now)).order_by("over_at", "pk")
    if show in ("held", "soon"):
        sat = Seat.objects.filter(room=OuterRef("pk"), user=reader)
        rows = rows.exclude(host=reader).exclude(Exists(sat))
    if show == "live":
        rows = rows.order_by("-started_at", "-pk")
    if show == "deleted":
        rows = rows.order_by("-purged_at", "-pk")
    if search:
        rows = rows.filter(
            Q(slug=search) | Q(title__icontains=search) | Q(host__handle__istartswith=search.removeprefix("@"))
        )
    return rows


def _condition(reader: User, show: str, now: datetime) -> Q:
    kept = Q(purged_at=None, status=Room.Status.ENDED)
    if show == "live":
        return Q(status=Room.Status.LIVE)
    if show == "deleted":
        return Q(purged_at__isnull=False, started_at__isnull=False)
    if show == "overdue":
        return Q(pk__in=[late.room_pk for late in overdue(now)])
    if show == "soon":
        return Q(pk__in=purged_soon(reader, now))
    if show == "held":
        own = CaseParty.objects.filter(case=OuterRef("pk"), user=reader)
        cases = Case.objects.filter(~Exists(own), room=OuterRef("pk"), state__in=OPEN_STATES, kind__in=WITH_SOUND)
        return kept & (Q(Exists(cases)) | Q(Exists(standing_holds(now).filter(room=OuterRef("pk")))))
    return kept


def purged_soon(reader: User, now: datetime) -> list[int]:
    """Return the keys of rooms whose purge is due within SOON as far as a reader may know, at most MOST_SOON."""
    found: list[int] = []
    for ends in candidates(now + SOON - timedelta(days=rules().review_days)):
        real = clocks(ends, now)
        seen = clocks(ends, now, reader.pk) if hidden_from(reader.pk, list(ends)) else real
        # One that is kept on by a case that is hidden is not due, and no day is said.
        found += [pk for pk in ends if seen[pk].purge_at <= now + SOON and seen[pk].due == real[pk].due]
        if len(found) >= MOST_SOON:
            break
    return found[:MOST_SOON]


def clock_rows(reader: User, rooms: Iterable[Room], now: datetime) -> list[ClockRow]:
    """Load what a reader may see of these rooms; the number of queries does not grow with them."""
    rooms = list(rooms)
    keys = [room.pk for room in rooms]
    party = rooms_of_party(reader, keys)
    kept = retention_states([room for room in rooms if room.pk not in party], now, full=True, reader=reader.pk)
    kept |= retention_states([room for room in rooms if room.pk in party], now) if party else {}
    holds: dict[int, list[LegalHold]] = {key: [] for key in keys}
    for hold in standing_holds(now).filter(room__in=keys).select_related("set_by").order_by("set_at"):
        holds[hold.room_id].append(hold)
    cases: dict[int, list[Case]] = {key: [] for key in keys}
    for case in visible_cases(reader).filter(room__in=keys, state__in=OPEN_STATES).select_related("claimed_by"):
        assert case.room_id is not None
        shown: Any = case
        shown.held = case.holder(now) is not None
        cases[case.room_id].append(case)
    return [
        ClockRow(room, kept[room.pk].without_reason(), True, [], [])
        if room.pk in party
        else ClockRow(room, kept[room.pk], False, holds[room.pk], cases[room.pk])
        for room in rooms
    ]
