"""The queue of cases as one member of staff sees it: which cases in what order, their number, and what falls due.

The number of statements does not grow with the queue. Live rooms come first without sorting all cases: their cases are
few and found by their rooms, and those behind them come in the order of an index.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.utils.timesince import timesince
from django.utils.translation import gettext

from moderation.models import ActAtOnce, Case, Decision, Report
from moderation.models.cases import OPEN_STATES
from moderation.queries.access import rights_of, visible_cases
from moderation.queries.among import Among
from moderation.queries.due import Due
from moderation.rulebook import current_categories
from moderation.rules.access import Rights, sees_ordinary
from moderation.rules.priority import Priority, priority
from people.handles import read_handle
from people.models import User
from rooms.models import Room

A_PAGE = 50
MOST = 1_000  # cases that are counted, and cases of live rooms that are put first
MOST_DUE = 8  # in the list beside the queue
MOST_ROOMS = 200  # of one host that are searched
ORDER = ("-priority", "opened_at", "pk")
SHOW = ("open", "mine", "live", "child_safety", "second", "decided")
COUNTED = SHOW[:-1]


@dataclass(frozen=True)
class Choice:
    """Which cases a person wants to see. A search looks through all that they may see."""

    show: str = "open"
    kind: str = ""
    category: str = ""
    search: str = ""

    def query(self, **more: Any) -> str:
        """Return the query of its address; what is left out has its usual value."""
        values = {"show": self.show, "kind": self.kind, "category": self.category, "q": self.search, **more}
        return urlencode({name: value for name, value in values.items() if value})


@dataclass(frozen=True)
class QueueRow:
    """A case in the queue. `categories` are titles, the one with the most reports first."""

    case: Case
    reader: User
    now: datetime
    categories: list[str]
    report_count: int
    due: list[Due]

    @cached_property
    def parts(self) -> Priority:
        case = self.case
        return priority(severity=case.severity, reporters=case.reporter_count, reach=case.reach, accuracy=case.accuracy)

    @property
    def is_live(self) -> bool:
        return self.case.room is not None and self.case.room.is_live

    @property
    def is_taken(self) -> bool:
        until = self.case.claimed_until
        return self.case.state == Case.State.OPEN and until is not None and until > self.now

    @property
    def is_mine(self) -> bool:
        return self.is_taken and self.case.claimed_by_id == self.reader.pk

    @property
    def minutes_left(self) -> int:
        """Minutes of the claim, a begun one counted whole."""
        until = self.case.claimed_until
        return 0 if until is None else max(0, -int((self.now - until).total_seconds() // 60))

    @property
    def more_categories(self) -> int:
        """Categories beside the two that are named."""
        return max(0, len(self.categories) - 2)

    @property
    def age(self) -> str:
        """How long ago the case was opened, in words of one unit."""
        if self.now - self.case.opened_at < timedelta(minutes=1):
            return gettext("less than a minute")
        return timesince(self.case.opened_at, self.now, depth=1)


class CountOf(Subquery):
    """Number of rows of a query, which may be cut off."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field: ClassVar[Any] = IntegerField()


def shown_to(rights: Rights) -> list[str]:
    """Return those of SHOW that have something for these rights."""
    hidden = {
        "mine": not rights.claim,
        "child_safety": not rights.child_safety or not sees_ordinary(rights),  # else all of the queue is
        "second": not rights.approve,
    }
    return [show for show in SHOW if not hidden.get(show)]


def chosen_cases(user: User, choice: Choice) -> QuerySet[Case]:
    """Select the cases of a choice that a person may see, in no order."""
    rows = visible_cases(user)
    rows = rows.filter(_found(choice.search)) if choice.search else rows.filter(_shown(user, choice.show))
    if choice.kind:
        rows = rows.filter(kind=choice.kind)
    if choice.category:
        rows = rows.filter(Exists(Report.objects.filter(case=OuterRef("pk"), category=choice.category)))
    return rows


def _shown(user: User, show: str) -> Q:
    if show == "mine":
        acted = ActAtOnce.objects.filter(by=user, settled_at=None).values("case")
        proposed = Decision.objects.filter(by=user, state=Decision.State.PROPOSED).values("case")
        claimed = Case.objects.filter(claimed_by=user, state=Case.State.OPEN).values("pk")
        return Q(Among("pk", acted.order_by().union(proposed.order_by(), claimed)))
    conditions = {
        "live": Q(_in_live_room(), state__in=OPEN_STATES),
        "child_safety": Q(state__in=OPEN_STATES, child_safety=True),
        "second": Q(state=Case.State.PROPOSED),
        "decided": Q(state=Case.State.DECIDED),
    }
    return conditions.get(show, Q(state__in=OPEN_STATES))


def _in_live_room() -> Among:
    return Among("room", Room.objects.filter(status=Room.Status.LIVE).values("pk"))


def _found(search: str) -> Q:
    """The condition of a search: number of a case, handle of whom it is about or of a host, address of a room."""
    number = search.removeprefix("#")
    found = Q(pk=int(number)) if number.isascii() and number.isdigit() and len(number) < 19 else Q(pk__in=[])
    address = Q(slug=search.rstrip("/").rpartition("/")[2])
    if handle := read_handle(search):
        person = User.objects.filter(handle__iexact=handle).values("pk")
        found, address = found | Q(Among("subject", person)), address | Q(Among("host", person))
    return found | Q(Among("room", Room.objects.filter(address).order_by("-pk").values("pk")[:MOST_ROOMS]))


def keys_of(user: User, choice: Choice, page: int) -> tuple[list[int], bool]:
    """Return the keys of one page of a choice, in order, and whether there are more."""
    first, last = (page - 1) * A_PAGE, page * A_PAGE + 1
    rows = chosen_cases(user, choice)
    orders = {"second": ("opened_at", "pk"), "decided": ("-decided_at", "-pk")}
    if choice.search:
        keys = list(rows.order_by("-opened_at", "-pk").values_list("pk", flat=True)[first:last])
    elif choice.show in orders:
        keys = list(rows.order_by(*orders[choice.show]).values_list("pk", flat=True)[first:last])
    else:
        live = list(rows.filter(_in_live_room()).order_by(*ORDER).values_list("pk", flat=True)[:MOST])
        keys = live[first:last]
        wanted = last - first - len(keys)
        if wanted and choice.show != "live":
            start = max(0, first - len(live))
            rest = rows.exclude(pk__in=live).order_by(*ORDER)
            keys += rest.values_list("pk", flat=True)[start : start + wanted]
    return keys[:A_PAGE], len(keys) > A_PAGE


@dataclass(frozen=True)
class Page:
    """A page of the queue, and the first of what falls due in all of it, each with its case."""

    rows: list[QueueRow]
    due: list[tuple[Due, Case]]


def load_page(user: User, keys: list[int], dues: list[Due], now: datetime, titles: Mapping[str, str]) -> Page:
    """Load the cases of a page by their keys, in this order, with what falls due first; two statements. `titles` are
    those of categories."""
    first = dues[:MOST_DUE]
    cases = _cases().in_bulk([*keys, *(due.case for due in first)])
    reports: dict[int, list[tuple[int, str]]] = {key: [] for key in keys}
    counted = Report.objects.filter(case__in=keys).order_by().values_list("case", "category").annotate(Count("pk"))
    for case, category, number in counted:
        reports[case].append((number, titles.get(category, category)))
    rows = [
        QueueRow(
            cases[key],
            user,
            now,
            [title for _number, title in sorted(reports[key], key=lambda pair: (-pair[0], pair[1]))],
            sum(number for number, _title in reports[key]),
            [due for due in dues if due.case == key],
        )
        for key in keys
        if key in cases
    ]
    return Page(rows, [(due, cases[due.case]) for due in first if due.case in cases])


def _cases() -> QuerySet[Case]:
    """Cases with as much of their rooms and people as a line in the queue names."""
    named = ("room__title", "room__status", "subject__display_name", "claimed_by__display_name")
    own = [field.attname for field in Case._meta.concrete_fields]
    return Case.objects.select_related("room", "subject", "claimed_by").only(*own, *named)


def category_titles() -> list[tuple[str, str]]:
    """Return (key, title) of the categories in force, in order."""
    return [(version.category_id, version.title()) for version in current_categories()]


def counts(user: User, wanted: Collection[str] = COUNTED) -> dict[str, int]:
    """Count what a person may see of each of these choices that are shown to them, up to MOST; one statement."""
    shown = [show for show in shown_to(rights_of(user)) if show in wanted]
    parts = {f"n_{show}": CountOf(_some(user, show)) for show in shown}
    row: dict[str, Any] = {**User.objects.filter(pk=user.pk).values(**parts).get()}
    return {show: row[f"n_{show}"] for show in shown}


def _some(user: User, show: str) -> QuerySet[Case, Any]:
    return chosen_cases(user, Choice(show)).order_by().values("pk")[:MOST]
