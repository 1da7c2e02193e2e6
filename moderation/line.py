"""The line from report to measure and the ledger: that every step has its entry, and who must not read which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Concat, NullIf

from ledger.hooks import hidden_entries, line_checks
from ledger.models import Entry
from moderation.ledger_texts import acts_of_hidden_cases
from moderation.models import ActAtOnce, Case, CaseParty, Decision, LegalHold, Measure, Report, Statement, SubjectKind
from rooms.models import Seat

CHUNK = 2_000
BEGUN = ("decided", "decision_proposed")
IMPOSED = (
    *("sanction_imposed", "sanction_lifted", "profile_taken_down", "profile_put_back"),
    *("message_taken_down", "message_put_back"),
)
ENDED = {"turned_down": "decision_turned_down", "lapsed": "decision_lapsed", "undone": "decision_undone"}


@line_checks.register("moderation.line")
def unrecorded_steps() -> Iterator[str]:
    """Yield a sentence for each report, decision, measure, statement, act at once and legal hold without its entry, and
    for each entry of a decision that is gone."""
    reports = Report.objects.annotate(about=_of_report()).filter(~Exists(_entries("report_received")))
    yield from _told(reports, "report")
    yield from _decisions()
    measures = Measure.objects.annotate(about=_subject("case:", "decision__case_id"), key=_text("decision_id"))
    for state, kind in (("applied_at", "measure_applied"), ("undone_at", "measure_undone")):
        entry = _entries(kind).annotate(decision=KT("data__decision"), measure=KT("data__measure"))
        missing = measures.exclude(**{state: None}).filter(
            ~Exists(entry.filter(decision=OuterRef("key"), measure=OuterRef("kind")))
        )
        yield from _told(missing, f"{kind} of measure")
    statements = Statement.objects.annotate(about=_subject("case:", "decision__case_id"))
    yield from _told(statements.filter(~Exists(_naming("statement_made", "statement"))), "statement")
    acts = ActAtOnce.objects.annotate(about=_subject("case:", "case_id"))
    yield from _told(acts.filter(~Exists(_naming(("act_at_once", "copy_closed"), "act"))), "act at once")
    settled = acts.exclude(settled_at=None).filter(~Exists(_naming("act_settled", "act")))
    yield from _told(settled, "settling of act")
    holds = LegalHold.objects.annotate(key=_text("pk"))
    orders = Entry.objects.filter(kind="legal_hold_set").annotate(hold=KT("data__hold"))
    yield from _told(holds.filter(~Exists(orders.filter(hold=OuterRef("key")))), "legal hold")
    known = Decision.objects.annotate(key=_text("pk")).filter(key=OuterRef("decision"))
    begun = Entry.objects.filter(kind__in=BEGUN).annotate(decision=KT("data__decision"))
    for seq in begun.filter(~Exists(known)).order_by("seq").values_list("seq", flat=True).iterator(CHUNK):
        yield f"entry {seq} records a decision that is gone"


def _decisions() -> Iterator[str]:
    rows = Decision.objects.annotate(about=_subject("case:", "case_id"))
    yield from _told(rows.filter(~Exists(_naming(BEGUN, "decision"))), "decision")
    approved = rows.filter(second_by__isnull=False).exclude(state=Decision.State.TURNED_DOWN)
    yield from _told(approved.filter(~Exists(_naming("decision_approved", "decision"))), "approval of decision")
    for state, kind in ENDED.items():
        ended = rows.filter(state=state).filter(~Exists(_naming(kind, "decision")))
        yield from _told(ended, f"{kind} of decision")


def _told(rows: QuerySet[Any], name: str) -> Iterator[str]:
    for pk in rows.order_by("pk").values_list("pk", flat=True).iterator(CHUNK):
        yield f"the {name} {pk} has no entry"


def _entries(kinds: str | Sequence[str]) -> QuerySet[Entry]:
    """Entries of these kinds about the row outside, by its annotation `about`."""
    wanted = [kinds] if isinstance(kinds, str) else list(kinds)
    return Entry.objects.filter(kind__in=wanted, subject=OuterRef("about"))


def _naming(kinds: str | Sequence[str], name: str) -> QuerySet[Entry]:
    """Entries of these kinds that name the row outside by its key."""
    entries = _entries(kinds).annotate(named=KT(f"data__{name}"))
    return entries.filter(named=Cast(OuterRef("pk"), CharField()))


def _subject(prefix: str, column: str) -> Concat:
    return Concat(Value(prefix), _text(column))


def _of_report() -> Coalesce:
    """The subject of a report's entries (`Report.ledger_subject`)."""
    return Coalesce(NullIf(F("old_subject"), Value("")), _subject("report:", "pk"))


def _text(column: str) -> Cast:
    return Cast(column, CharField())


@hidden_entries.register("moderation")
def entries_of_own_cases(reader: int) -> Q:
    """The entries of cases that a reader is a party of, also by a seat of a moment ago, of their reports, of what
    was imposed on the account or message that they are about, and of acts of other staff in their rooms since."""
    parties = CaseParty.objects.filter(case=OuterRef("pk"), user=reader)
    seats = Seat.objects.filter(room=OuterRef("room"), user=reader)
    own = Case.objects.filter(Exists(parties) | Exists(seats)).order_by()
    if not own.exists():
        return Q()
    cases = own.annotate(about=_subject("case:", "pk")).values("about")
    reports = Report.objects.filter(case__in=own.values("pk")).order_by().annotate(about=_of_report()).values("about")
    about = own.filter(subject__isnull=False).annotate(about=_subject("person:", "subject_id")).values("about")
    hosts = own.filter(kind=SubjectKind.ROOM).annotate(about=_subject("person:", "room__host_id")).values("about")
    messages = own.filter(message__isnull=False).annotate(about=_subject("message:", "message")).values("about")
    imposed = Q(kind__in=IMPOSED) & (Q(subject__in=about) | Q(subject__in=hosts) | Q(subject__in=messages))
    return Q(subject__in=cases) | Q(subject__in=reports) | imposed | acts_of_hidden_cases(reader)
