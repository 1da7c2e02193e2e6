"""Ledger entries of cases and reports as words."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ledger.hooks import entry_texts
from ledger.models import Entry
from moderation.measures import MEASURES
from moderation.models import ActAtOnce, Decision, Notification, Review
from rooms.rules.room_time import clock_time

PLAIN: dict[str, str | Promise] = {
    "report_received": _("Report received"),
    "case_opened": _("Case opened"),
    "case_joined": _("Another report joined"),
    "case_claimed": _("Claimed"),
    "case_split": _("Split by person"),
    "note_added": _("Note added"),
    "decision_approved": _("Approved by a second moderator"),
    "decision_turned_down": _("Turned down by a second moderator"),
    "decision_lapsed": _("Proposal lapsed: nobody approved it in time"),
    "decision_undone": _("Decision undone"),
    "statement_made": _("Statement of reasons made"),
    "copy_closed": _("Copy closed by a report of child abuse"),
    "copy_reopened": _("Copy opened again"),
    "question_asked": _("Reporter asked"),
    "question_answered": _("Reporter answered"),
    "line_unquoted": _("Quote taken back"),
    "clip_heard": _("Clip heard by somebody concerned"),
    "review_claimed": _("Review claimed"),
    "review_reopened": _("Review open again: its new decision was not approved"),
    "outside_reviewer_given": _("Review given to an outside reviewer"),
    "outside_reviewer_ended": _("Review taken back from the outside reviewer"),
}
SIDES: dict[str, str | Promise] = {
    "concerned": _("Appeal by the person concerned"),
    "reporter": _("Appeal by a reporter"),
}
RANGES: dict[str, str | Promise] = {
    "range_marked": _("Marked as evidence: %(range)s"),
    "range_unmarked": _("Taken out of the evidence: %(range)s"),
    "line_quoted": _("Line quoted: %(range)s"),
    "evidence_played": _("Played: %(range)s"),
    "evidence_read": _("Lines opened: %(range)s"),
}


def _plain(kind: str) -> Callable[[Entry], str]:
    return lambda entry: str(PLAIN[kind])


def _ranged(kind: str) -> Callable[[Entry], str | None]:
    def write(entry: Entry) -> str | None:
        start, end = entry.data.get("from"), entry.data.get("to")
        if not isinstance(start, int) or not isinstance(end, int):
            return gettext("What was reported opened") if kind == "evidence_read" else None
        return str(RANGES[kind]) % {"range": f"{clock_time(start)}–{clock_time(end)}"}

    return write


for name in PLAIN:
    entry_texts.register(name)(_plain(name))
for name in RANGES:
    entry_texts.register(name)(_ranged(name))


@entry_texts.register("case_released")
def case_released(entry: Entry) -> str:
    return gettext("Claim over") if entry.data.get("why") == "expired" else gettext("Released")


@entry_texts.register("appeal_filed")
def appeal_filed(entry: Entry) -> str | None:
    side = SIDES.get(str(entry.data.get("side")))
    return None if side is None else str(side)


@entry_texts.register("review_released")
def review_released(entry: Entry) -> str:
    return gettext("Claim of the review over") if entry.data.get("why") else gettext("Review released")


@entry_texts.register("review_proposed")
def review_proposed(entry: Entry) -> str:
    return gettext("Review: a new decision was proposed")


@entry_texts.register("review_decided")
def review_decided(entry: Entry) -> str | None:
    label = dict(Review.Outcome.choices).get(str(entry.data.get("outcome")))
    return None if label is None else gettext("Review: %(outcome)s") % {"outcome": label}


@entry_texts.register("notified")
def notified(entry: Entry) -> str | None:
    label = dict(Notification.Kind.choices).get(str(entry.data.get("kind")))
    return None if label is None else gettext("Told: %(what)s") % {"what": label}


@entry_texts.register("decided")
def decided(entry: Entry) -> str | None:
    return _found(entry, gettext("Decided: %(outcome)s"))


@entry_texts.register("decision_proposed")
def decision_proposed(entry: Entry) -> str | None:
    return _found(entry, gettext("Proposed: %(outcome)s"))


@entry_texts.register("measure_applied")
def measure_applied(entry: Entry) -> str | None:
    return _measure(entry, gettext("In force: %(measure)s"))


@entry_texts.register("measure_undone")
def measure_undone(entry: Entry) -> str | None:
    return _measure(entry, gettext("Undone: %(measure)s"))


@entry_texts.register("act_at_once")
def act_at_once(entry: Entry) -> str | None:
    return _act(entry, gettext("At once: %(act)s"))


@entry_texts.register("act_settled")
def act_settled(entry: Entry) -> str | None:
    return _act(entry, gettext("Act at once settled: %(act)s"))


def _found(entry: Entry, text: str) -> str | None:
    label = dict(Decision.Outcome.choices).get(str(entry.data.get("outcome")))
    return None if label is None else text % {"outcome": label}


def _measure(entry: Entry, text: str) -> str | None:
    kind = MEASURES.get(str(entry.data.get("measure")))
    return None if kind is None else text % {"measure": kind.title}


def _act(entry: Entry, text: str) -> str | None:
    label = dict(ActAtOnce.Kind.choices).get(str(entry.data.get("kind")))
    return None if label is None else text % {"act": label}
