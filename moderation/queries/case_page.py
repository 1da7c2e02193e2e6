"""Everything that the page of a case shows, in a number of statements that does not grow with the case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject

from ledger.models import Entry
from ledger.queries import EntryLine, entry_lines
from moderation.line import entries_of_open_reviews
from moderation.measures import person_of
from moderation.models import (
    ActAtOnce,
    Case,
    CaseNote,
    CategoryVersion,
    Decision,
    EvidenceLine,
    EvidenceRange,
    Look,
    Report,
    ReportedMessage,
    ReportQuestion,
    Review,
    SubjectKind,
)
from moderation.models.cases import WITH_SOUND
from moderation.models.rulebook import worded
from moderation.queries.access import rights_of, took_part, visible_cases
from moderation.queries.among import Among
from moderation.queries.reviews import visible_reviews
from moderation.refusals import ModerationRefused
from moderation.rules.access import CaseFacts, why_not_approve, why_not_claim, why_not_decide, why_not_work
from moderation.rules.priority import Priority, priority
from people.models import Sanction, User
from retention.state import RetentionState, retention_state
from rooms.models import Room, Seat
from transcripts.models import Cue, RangeTranscript, Transcript

MOST_REPORTS, MOST_NOTES, MOST_ENTRIES, MOST_EARLIER = 50, 100, 100, 10


@dataclass(frozen=True)
class CasePage:
    """A case as one member of staff sees it. Lists are cut off; `more_…` says by how many."""

    case: Case
    reader: User
    facts: CaseFacts
    now: datetime
    reports: list[Report]
    decisions: list[Decision]
    acts: list[ActAtOnce]
    earlier: list[Case]
    notes: list[CaseNote]
    entries: list[EntryLine]
    kept: RetentionState | None
    person: User | None
    ranges: list[dict[str, Any]] = field(default_factory=list)
    quoted: list[dict[str, Any]] = field(default_factory=list)
    sanctions: list[Mapping[str, Any]] = field(default_factory=list)
    transcribed: list[dict[str, Any]] = field(default_factory=list)  # ranges on demand
    reviews: list[Review] = field(default_factory=list)  # of its decisions, as far as they are for the reader
    speakers: list[User] = field(default_factory=list)  # for splitting a case about a whole room
    has_transcript: bool = False
    has_off: bool = False  # the transcript leaves out who wanted no captions: it is transcribed for the case alone
    has_earlier_notes: bool = False
    has_earlier_entries: bool = False

    @property
    def has_sound(self) -> bool:
        return self.case.kind in WITH_SOUND

    @property
    def can_play(self) -> bool:
        room = self.case.room
        return self.has_sound and room is not None and room.purged_at is None and room.started_at is not None

    @property
    def length_ms(self) -> int:
        room = self.case.room
        return room.room_time(room.ended_at) if room is not None else 0

    @property
    def parts(self) -> Priority:
        case = self.case
        return priority(severity=case.severity, reporters=case.reporter_count, reach=case.reach, accuracy=case.accuracy)

    @property
    def is_mine(self) -> bool:
        return self.facts.mine and self.case.state == Case.State.OPEN

    @property
    def is_taken(self) -> bool:
        return self.facts.taken and not self.facts.mine

    @property
    def minutes_left(self) -> int:
        until = self.case.claimed_until
        return 0 if until is None else max(0, round((until - self.now).total_seconds() / 60))

    @property
    def may_claim(self) -> bool:
        return why_not_claim(self.facts) is None

    @property
    def may_work(self) -> bool:
        return why_not_work(self.facts) is None

    @property
    def why_not_decide(self) -> str | None:
        return why_not_decide(self.facts)

    @property
    def may_approve(self) -> bool:
        return why_not_approve(self.facts) is None

    @property
    def may_act(self) -> bool:
        return self.facts.rights.decide and self.case.state == Case.State.OPEN

    @property
    def proposal(self) -> Decision | None:
        return next((row for row in self.decisions if row.state == Decision.State.PROPOSED), None)

    @property
    def shows_earlier(self) -> bool:
        """Whether the reader may see the earlier case about the same subject: not if they reported it."""
        return self.case.earlier in self.earlier

    @property
    def more_reports(self) -> int:
        return max(0, int(getattr(self.case, "report_total", 0)) - len(self.reports))

    @cached_property
    def span(self) -> tuple[int, int]:
        """The range to look at first: the first that was marked, else the first that was reported; in ms."""
        marked = [(row["from_ms"], row["to_ms"]) for row in self.ranges]
        reported = [(row.from_ms, row.to_ms) for row in self.reports if row.from_ms is not None]
        first = next(iter(marked or reported), None)
        if first is None or first[1] is None:
            return 0, max(1, min(self.length_ms, 60_000))
        return first[0], first[1]

    @property
    def open_acts(self) -> list[ActAtOnce]:
        return [act for act in self.acts if act.settled_at is None]

    @property
    def closed_copy(self) -> ActAtOnce | None:
        kind = ActAtOnce.Kind.CLOSE_COPY
        return next((act for act in self.open_acts if act.kind == kind), None)

    def has_act(self, kind: str) -> bool:
        return any(act.kind == kind for act in self.open_acts)


def load_case(reader: User, pk: int, now: datetime) -> CasePage:
    """Load a case for a person who may see it. Raises unknown_case."""
    case = _case(visible_cases(reader), reader, pk)
    if case is None:
        raise ModerationRefused("unknown_case")
    rows = Entry.objects.filter(subject=case.ledger_subject)
    if case.state == Case.State.DECIDED and (hidden := entries_of_open_reviews(reader.pk)):
        rows = rows.exclude(hidden)  # whoever had a part in it does not learn of a review from its ledger
    entries = _last(rows, "seq", MOST_ENTRIES)
    notes = _last(CaseNote.objects.filter(case=case).select_related("author"), "pk", MOST_NOTES)
    decisions = list(
        Decision.objects.filter(case=case)
        .select_related("rule", "by", "second_by", "undone_by", "statement")
        .prefetch_related("measures")
        .order_by("at", "pk")
    )
    person = person_of(case)
    facts = _facts(case, reader, decisions, now)
    if facts.took_part:
        decisions = [row for row in decisions if row.state != Decision.State.PROPOSED]
    return CasePage(
        case=case,
        reader=reader,
        facts=facts,
        now=now,
        reports=_reports(case),
        decisions=decisions,
        acts=list(ActAtOnce.objects.filter(case=case).select_related("by")),
        earlier=_earlier(case, reader, person),
        notes=notes[-MOST_NOTES:],
        entries=entry_lines(entries[-MOST_ENTRIES:]),
        kept=_kept(case, reader, now),
        person=person,
        ranges=getattr(case, "ranges_json", []),
        quoted=getattr(case, "lines_json", []),
        sanctions=_sanctions(case),
        transcribed=getattr(case, "transcribed_json", []),
        reviews=list(visible_reviews(reader).filter(decision__case=case).order_by("pk")) if decisions else [],
        speakers=_speakers(case) if why_not_work(facts) is None else [],
        has_transcript=getattr(case, "has_transcript", False),
        has_off=getattr(case, "has_off", False),
        has_earlier_notes=len(notes) > MOST_NOTES,
        has_earlier_entries=len(entries) > MOST_ENTRIES,
    )


def load_evidence(reader: User, pk: int, now: datetime) -> CasePage:
    """Load what was reported in a case and its evidence, without what staff wrote and did: for whoever may see the
    review of its decision, which the caller has asked."""
    case = _case(Case.objects.all(), reader, pk)
    if case is None:
        raise ModerationRefused("unknown_case")
    return CasePage(
        case=case,
        reader=reader,
        facts=_facts(case, reader, [], now),
        now=now,
        reports=_reports(case),
        decisions=[],
        acts=[],
        earlier=[],
        notes=[],
        entries=[],
        kept=_kept(case, reader, now),
        person=person_of(case),
        ranges=getattr(case, "ranges_json", []),
        quoted=getattr(case, "lines_json", []),
        transcribed=getattr(case, "transcribed_json", []),
        has_transcript=getattr(case, "has_transcript", False),
        has_off=getattr(case, "has_off", False),
    )


def _case(cases: QuerySet[Case], reader: User, pk: int) -> Case | None:
    """The case with its short lists in one statement."""
    own = {"case": OuterRef("pk")}
    concerned = Coalesce(OuterRef("subject"), OuterRef("room__host"))  # `measures.person_of`
    sanctions = Sanction.objects.filter(user=concerned).order_by("-begins_at")
    rows = cases.select_related("room__host", "subject", "claimed_by", "opened_by", "earlier")
    return (
        rows.filter(pk=pk)
        .annotate(
            ranges_json=_array(EvidenceRange.objects.filter(**own).order_by("from_ms"), "pk", "from_ms", "to_ms"),
            lines_json=_array(
                EvidenceLine.objects.filter(**own).order_by("start_ms", "pk"),
                *("pk", "cue", "speaker_name", "start_ms", "end_ms", "text"),
            ),
            transcribed_json=_array(
                RangeTranscript.objects.filter(room=OuterRef("room")).order_by("from_ms"),
                *("pk", "from_ms", "to_ms", "state"),
            ),
            sanctions_json=_array(sanctions[:MOST_EARLIER], "kind", "begins_at", "ends_at", "lifted_at", "why"),
            has_transcript=Exists(Transcript.objects.filter(room=OuterRef("room"), state=Transcript.State.READY)),
            has_off=Exists(Cue.objects.filter(transcript__room=OuterRef("room"), kind=Cue.Kind.OFF)),
            looked=Exists(_heard(reader)),
            opened=Exists(Look.objects.filter(**own, user=reader, what=Look.What.SHOWN)),
            report_total=_count(Report.objects.filter(**own)),
        )
        .first()
    )


def _count(rows: QuerySet[Any]) -> Coalesce:
    counted = rows.order_by().values("case").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _heard(reader: User) -> QuerySet[Look]:
    """Looks of a reader at what the case outside is about (`queries.access.has_looked`)."""
    overlaps = {"case": OuterRef("case"), "from_ms__lt": OuterRef("to_ms"), "to_ms__gt": OuterRef("from_ms")}
    looks = Look.objects.filter(case=OuterRef("pk"), user=reader, what__in=[Look.What.PLAYED, Look.What.LINES])
    reported, marked = Report.objects.filter(**overlaps), EvidenceRange.objects.filter(**overlaps)
    any_reported = Report.objects.filter(case=OuterRef("case"), from_ms__isnull=False)
    return looks.filter(Exists(reported) | Exists(marked) & ~Exists(any_reported))


def _array(rows: QuerySet[Any], *columns: str) -> ArraySubquery:
    return ArraySubquery(rows.values(json=JSONObject(**{name: name for name in columns})))


def _facts(case: Case, reader: User, decisions: list[Decision], now: datetime) -> CaseFacts:
    by_sound = case.kind in WITH_SOUND and (case.room is None or case.room.purged_at is None)
    proposal = next((row for row in decisions if row.state == Decision.State.PROPOSED), None)
    own = proposal is not None and proposal.by_id == reader.pk
    replaces = proposal is not None and case.state == Case.State.DECIDED
    return CaseFacts(
        rights_of(reader),
        child_safety=case.child_safety,
        for_seniors=case.for_seniors,
        state=case.state,
        mine=case.holder(now) == reader.pk,
        taken=case.holder(now) is not None,
        looked=bool(getattr(case, "looked" if by_sound else "opened", False)),
        own_proposal=own,
        replaces=replaces,
        took_part=replaces and not own and reader.pk in took_part(case),
    )


def _reports(case: Case) -> list[Report]:
    """The first reports, with the wording of their category and their questions (`lines`)."""
    category = CategoryVersion.objects.filter(category=OuterRef("category")).order_by("-number")
    questions = ReportQuestion.objects.filter(report=OuterRef("pk")).order_by("at", "pk")
    rows = (
        Report.objects.filter(case=case)
        .select_related("reporter")
        .defer("picture")
        .annotate(
            wording=Subquery(category.values("wording")[:1]),
            has_picture=Q(picture__isnull=False),
            asked=_array(questions, "pk", "author", "text", "at"),
        )
        .order_by("at", "pk")[:MOST_REPORTS]
    )
    copies = _copies(case)
    reports: list[Report] = [*rows]
    for row in reports:
        said: Any = row
        said.title = worded(said.wording, "title") if said.wording else row.category_id
        said.lines = [{**line, "at": _moment(line["at"])} for line in said.asked]
        said.copies_seen = copies.get(row.pk, [])
    return reports


def _copies(case: Case) -> dict[int, list[ReportedMessage]]:
    """The reported messages with their neighbours, by report, for a reader who opened them."""
    if case.kind != SubjectKind.MESSAGE or not getattr(case, "opened", False):
        return {}
    rows = ReportedMessage.objects.filter(report__case=case).select_related("sender").order_by("report", "place")
    copies: dict[int, list[ReportedMessage]] = {}
    for row in rows:
        copies.setdefault(row.report_id, []).append(row)
    return copies


def _earlier(case: Case, reader: User, person: User | None) -> list[Case]:
    """Other cases about the same account that this reader may see, the newest first, with what was found."""
    if person is None:
        return []
    standing = Decision.objects.filter(case=OuterRef("pk")).order_by("-at", "-pk")
    hosted = Among("room", Room.objects.filter(host=person.pk).values("pk"))
    rows = visible_cases(reader).filter(Q(subject=person.pk) | Q(hosted, kind=SubjectKind.ROOM))
    outcome, state = standing.values("outcome")[:1], standing.values("state")[:1]
    wording = standing.values("rule__wording")[:1]
    rows = rows.exclude(pk=case.pk).annotate(
        found=Subquery(outcome), found_state=Subquery(state), rule_wording=Subquery(wording)
    )
    cases: list[Case] = list(rows.order_by("-opened_at")[:MOST_EARLIER])
    for row in cases:
        said: Any = row
        said.rule_title = worded(said.rule_wording, "title") if said.rule_wording else ""
        said.found_label = dict(Decision.Outcome.choices).get(said.found, "")
        undone = said.found_state not in (None, Decision.State.STANDING)
        said.state_label = dict(Decision.State.choices).get(said.found_state, "") if undone else ""
    return cases


def _sanctions(case: Case) -> list[Mapping[str, Any]]:
    labels = dict(Sanction.Kind.choices)
    moments = ("begins_at", "ends_at", "lifted_at")
    return [
        {**row, "label": labels.get(row["kind"], row["kind"])} | {name: _moment(row[name]) for name in moments}
        for row in getattr(case, "sanctions_json", [])
    ]


def _speakers(case: Case) -> list[User]:
    """The people who sat on the stage of a room that a case is about as a whole."""
    if case.kind != SubjectKind.ROOM:
        return []
    seats = Seat.objects.filter(room=case.room_id).values("user")
    return list(User.objects.filter(pk__in=seats).order_by("display_name", "pk"))


def _kept(case: Case, reader: User, now: datetime) -> RetentionState | None:
    return retention_state(case.room, now, full=True, reader=reader.pk) if case.room is not None else None


def _last(rows: QuerySet[Any], order: str, most: int) -> list[Any]:
    """The last rows in their order, and one more where there are more."""
    return list(rows.order_by(f"-{order}")[: most + 1])[::-1]


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
