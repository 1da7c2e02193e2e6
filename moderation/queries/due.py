"""Due dates in cases: rule and facts of acts at once, looks of child safety, second moderators, copies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from moderation.measures.suspend import PROVISIONAL
from moderation.models import ActAtOnce, Case, Decision, Look
from moderation.models.cases import OPEN_STATES, WITH_SOUND
from moderation.queries.access import of_visible_cases, visible_cases, waiting_proposals
from people.models import User
from retention.clocks import clocks, rules
from rooms.models import Room

SOON = timedelta(days=7)  # before a copy goes
MOST = 200  # of each kind, the earliest
TEXTS: dict[str, str | Promise] = {
    "end_room": _("Room ended: rule and facts"),
    "restrict": _("Recording closed: rule and facts"),
    "close_copy": _("Copy closed: look at it"),
    "second": _("Second moderator"),
    "copy": _("The recording goes"),
}


@dataclass(frozen=True)
class Due:
    """Something in an open case, by its key, that is to be done by a moment; `what` is a key of TEXTS. `by` is who
    proposed a decision."""

    what: str
    case: int
    at: datetime
    late: bool
    by: int | None = None
    by_name: str = ""

    @property
    def text(self) -> str:
        return str(TEXTS[self.what])


def dues(user: User, now: datetime) -> list[Due]:
    """Return what falls due in the cases that a person may see, the earliest first; at most four statements."""
    found = [*_acts(user, now), *_proposals(user, now), *_copies(user, now)]
    return sorted(found, key=lambda due: (due.at, due.case))


def late_looks(user: User, now: datetime) -> int:
    """Count the closed copies at which nobody of child safety looked in time, of the cases that a person may see."""
    return _waiting_acts(user).filter(kind=ActAtOnce.Kind.CLOSE_COPY, due_at__lte=now).count()


def late_proposals(user: User, now: datetime) -> int:
    """Count the proposals that wait for longer than the suspension ran, of the cases that a person may see."""
    return _waiting_proposals(user).filter(at__lte=now - PROVISIONAL).count()


def _waiting_acts(user: User) -> QuerySet[ActAtOnce]:
    """Acts at once that wait for a decision. The closing of a copy waits for a look."""
    looked = Look.objects.filter(case=OuterRef("case"), at__gte=OuterRef("at"))
    acts = of_visible_cases(ActAtOnce.objects.filter(settled_at=None), user, state=Case.State.OPEN)
    return acts.exclude(Exists(looked), kind=ActAtOnce.Kind.CLOSE_COPY)


def _waiting_proposals(user: User) -> QuerySet[Decision]:
    return of_visible_cases(waiting_proposals(user), user)


def _acts(user: User, now: datetime) -> list[Due]:
    rows = _waiting_acts(user).order_by("due_at", "pk").values_list("kind", "case", "due_at")[:MOST]
    return [Due(kind, case, at, at <= now) for kind, case, at in rows]


def _proposals(user: User, now: datetime) -> list[Due]:
    rows = _waiting_proposals(user).order_by("at", "pk").values_list("case", "at", "by", "by__display_name")[:MOST]
    ends = [(case, at + PROVISIONAL, by, name) for case, at, by, name in rows]
    return [Due("second", case, at, at <= now, by, name) for case, at, by, name in ends]


def _copies(user: User, now: datetime) -> list[Due]:
    """Copies that go within a week although a case is open: it holds them until day 90 at the latest."""
    limit = now + SOON - timedelta(days=rules().violation_days)
    cases = visible_cases(user).filter(
        state__in=OPEN_STATES,
        kind__in=WITH_SOUND,
        room__status=Room.Status.ENDED,
        room__purged_at=None,
        room__over_at__lte=limit,
    )
    rows = list(cases.order_by("room__over_at", "pk").values_list("pk", "room", "room__over_at")[:MOST])
    by_room = clocks({room: over_at for _case, room, over_at in rows if room is not None}, now)
    goes = [(case, by_room[room].purge_at) for case, room, _over_at in rows if room is not None]
    return [Due("copy", case, at, at <= now) for case, at in goes if at <= now + SOON]
