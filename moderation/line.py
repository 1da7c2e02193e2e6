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
from moderation.models import (
    ActAtOnce,
    Appeal,
    Case,
    CaseParty,
    Decision,
    LegalHold,
    Measure,
    Notification,
    OutsideReviewer,
    Report,
    Review,
    SafetyGrant,
    Statement,
    SubjectKind,
    WordHit,
)
from moderation.models.appeals import UNDECIDED
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
    """Yield a sentence for each report, decision, measure, statement, act at once, appeal, outcome of a review, outside
    reviewer, notification that was sent and legal hold without its entry, and for each entry of a decision, an appeal,
    an outcome, an outside reviewer or a notification that is gone."""
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
    yield from _reviews()
    yield from _read_along()
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


def _reviews() -> Iterator[str]:
    """Appeals, outcomes of reviews, outside reviewers and what people were told: each with its entry, and no entry
    without its row."""
    appeals = Appeal.objects.annotate(about=_subject("case:", "decision__case_id"))
    yield from _told(appeals.filter(~Exists(_naming("appeal_filed", "appeal"))), "appeal")
    reviews = Review.objects.annotate(about=_subject("case:", "decision__case_id"))
    decided = reviews.filter(state=Review.State.DECIDED).filter(~Exists(_naming("review_decided", "review")))
    yield from _told(decided, "outcome of review")
    proposed = reviews.filter(state=Review.State.PROPOSED).filter(~Exists(_naming("review_proposed", "review")))
    yield from _told(proposed, "proposal of review")
    grants = OutsideReviewer.objects.annotate(about=_subject("case:", "review__decision__case_id"))
    yield from _told(grants.filter(~Exists(_naming("outside_reviewer_given", "grant"))), "outside reviewer")
    ended = grants.exclude(ended_at=None).filter(~Exists(_naming("outside_reviewer_ended", "grant")))
    yield from _told(ended, "end of outside reviewer")
    told = Notification.objects.exclude(told_at=None).annotate(about=_subject("case:", "decision__case_id"))
    yield from _told(told.filter(~Exists(_naming("notified", "notification"))), "notification")
    yield from _without_row("appeal_filed", "appeal", Appeal.objects.all(), "an appeal")
    outcomes = Review.objects.filter(state=Review.State.DECIDED)
    yield from _without_row("review_decided", "review", outcomes, "the outcome of a review")
    yield from _without_row("outside_reviewer_given", "grant", OutsideReviewer.objects.all(), "an outside reviewer")
    sent = Notification.objects.exclude(told_at=None)
    yield from _without_row("notified", "notification", sent, "a notification")


def _read_along() -> Iterator[str]:
    """Leave to read along, with and without its entries, and presses on words that were found."""
    grants = SafetyGrant.objects.annotate(about=_subject("person:", "user_id"))
    yield from _told(grants.filter(~Exists(_naming("live_view_granted", "grant"))), "leave to read along")
    ended = grants.exclude(ended_at=None).filter(~Exists(_naming("live_view_ended", "grant")))
    yield from _told(ended, "end of leave to read along")
    yield from _without_row("live_view_granted", "grant", SafetyGrant.objects.all(), "a leave to read along")
    handled = WordHit.objects.exclude(outcome="").annotate(about=_subject("room:", "room_id"))
    yield from _told(handled.filter(~Exists(_naming("word_hit_handled", "hit"))), "press on a word that was found")


def _without_row(kind: str, name: str, rows: QuerySet[Any], what: str) -> Iterator[str]:
    entries = Entry.objects.filter(kind=kind).annotate(named=KT(f"data__{name}"))
    known = rows.annotate(key=_text("pk")).filter(key=OuterRef("named"))
    for seq in entries.filter(~Exists(known)).order_by("seq").values_list("seq", flat=True).iterator(CHUNK):
        yield f"entry {seq} records {what} that is gone"


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


OF_REVIEWS = (
    *("appeal_filed", "review_claimed", "review_released", "review_proposed", "review_reopened"),
    *("outside_reviewer_given", "outside_reviewer_ended", "notified"),
)


@hidden_entries.register("moderation.reviews")
def entries_of_open_reviews(reader: int) -> Q:
    """The entries of open reviews of cases in which a reader had a part, of the new decision that waits, and of who
    looks at the evidence meanwhile: they learn of a review once it is decided."""
    had = Decision.objects.filter(Q(by=reader) | Q(second_by=reader) | Q(reviews__reviewer=reader))
    part = had.filter(case=OuterRef("decision__case")).exclude(made_by=OuterRef("pk"))
    rows = Review.objects.filter(Exists(part), state__in=UNDECIDED).exclude(reviewer=reader)
    hidden = Q()
    for pk, new, case, since in rows.values_list("pk", "replacement", "decision__case", "opened_at"):
        hidden |= Q(kind__in=OF_REVIEWS, data__has_key="review", data__review=pk) | Q(
            kind="decision_proposed", data__decision=new
        )
        looks = Q(kind__in=("evidence_played", "evidence_read"), subject=f"case:{case}", at__gte=since)
        hidden |= looks & ~Q(actor__isnull=False, actor=reader)
    return hidden


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
