"""The table of artefacts in words, by clock, as the page about privacy says what is kept and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from retention.artefacts import NOTHING, TABLE, Artefact, Expiry


@dataclass(frozen=True)
class Kept:
    """One kind of data in words: its name, and what of it stays ("" for nothing)."""

    label: str
    stays: str


@dataclass(frozen=True)
class Clock:
    """Everything that goes by one clock: its name, what the clock does in sentences, and all it holds for."""

    key: str
    title: str
    sentences: Sequence[str]
    kept: Sequence[Kept]


def clocks() -> list[Clock]:
    """Return all clocks with what goes by each, in the active language."""
    return [Clock(str(expiry), title, sentences, kept_by(expiry)) for expiry, title, sentences in words()]


def kept_by(expiry: Expiry) -> list[Kept]:
    return [Kept(each.label, stays(each)) for each in TABLE if each.expires_with is expiry]


def stays(artefact: Artefact) -> str:
    return "" if artefact.kept_after_purge is NOTHING else str(artefact.kept_after_purge)


def words() -> list[tuple[Expiry, str, list[str]]]:
    """Return each clock with its name and sentences, in the active language."""
    return [
        (Expiry.COPY, _("The copy of a room"), copy_sentences()),
        (Expiry.CASE, _("Reports and decisions"), case_sentences()),
        (Expiry.THREAD, _("Messages that you write"), [message_sentence()]),
        (Expiry.ACCOUNT, _("Your account"), [_("As long as you have an account.")]),
        (Expiry.TTL, _("For moments"), [_("While a room is live, and for moments after it.")]),
        (Expiry.NEVER, _("What stays"), [_("That there was something, and what became of it; not what anybody said.")]),
    ]


def copy_sentences() -> list[str]:
    days, long = settings.RECORDING_DAYS, settings.RECORDING_DAYS_VIOLATION
    kept = ngettext(
        "A room is recorded, and its copy is kept for %(days)s day after its end, so that reports can be looked into.",
        "A room is recorded, and its copy is kept for %(days)s days after its end, so that reports can be looked into.",
        days,
    )
    return [
        kept % {"days": days},
        _("Where a rule was found broken it is kept for %(days)s days, so that there is time to appeal.")
        % {"days": long},
        _("An open case keeps it to that day at most, and an open appeal to day %(appeal)s.")
        % {"appeal": settings.APPEAL_HOLD_DAYS},
        _("The order of an authority keeps it as long as the order says."),
        _("Then all of it is deleted. A receipt stays: room, files with checksums, when, and by which rule."),
    ]


def case_sentences() -> list[str]:
    days = settings.REPORT_WORDS_DAYS
    kept = ngettext(
        "The words in them are kept for %(days)s day after a decision was told, or a case was closed without one.",
        "The words in them are kept for %(days)s days after a decision was told, or a case was closed without one.",
        days,
    )
    return [
        kept % {"days": days},
        _("That is how long one can appeal."),
        _("That there was a case, who took part and what was decided stays."),
    ]


def message_sentence() -> str:
    days = settings.MESSAGES_DAYS
    return ngettext(
        "Until both of you have deleted the conversation, at most %(days)s day after a message was sent.",
        "Until both of you have deleted the conversation, at most %(days)s days after a message was sent.",
        days,
    ) % {"days": days}
