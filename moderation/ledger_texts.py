"""Ledger entries of legal holds, rules and listed words: as words, and hidden from those who took part in the room."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext, gettext_noop

from ledger.hooks import entry_texts, hidden_entries
from ledger.models import Entry
from moderation.models import Case, WordHit
from moderation.queries.rooms import own_rooms
from retention.purge import PLAIN_RULES

CHANGES = {
    "added": gettext_noop("Added"),
    "version": gettext_noop("New version"),
    "retired": gettext_noop("Retired"),
    "returned": gettext_noop("In use again"),
    "moved": gettext_noop("Moved"),
}
OF_WORDS = {"added": gettext_noop("Word of the list added"), "changed": gettext_noop("Word of the list changed")}


OF_STAFF = (
    *("purged", "staff_listening", "range_transcribed", "room_ended_by_staff"),
    *("recording_restricted", "restriction_lifted", "title_taken_down", "title_put_back", "word_hit_handled"),
    "staff_reading",
)


@hidden_entries.register("moderation.legal_holds")
def holds_of_own_rooms(reader: int) -> Q:
    """The entries of legal holds on rooms in which a reader took part, of their purges, and of acts of staff there: an
    order may be secret, and the rule of a purge names orders and violations."""
    own = (Q(subject__in=_subjects(rooms)) for rooms in own_rooms(reader))
    return (Q(kind__startswith="legal_hold_") | Q(kind__in=OF_STAFF)) & reduce(or_, own)


def acts_of_hidden_cases(reader: int) -> Q:
    """The entries of acts of other staff in a room since a case was opened there that a reader is a party of; those
    before it stay, so that nothing vanishes when somebody is reported. Of the purge, one whose rule tells of a case."""
    own = Case.objects.filter(parties__user=reader, room__isnull=False).order_by()
    about = own.annotate(about=Concat(Value("room:"), Cast("room", CharField())))
    since = Q(Exists(about.filter(about=OuterRef("subject"), opened_at__lte=OuterRef("at"))))
    plain = reduce(or_, (Q(data__rule__startswith=rule) for rule in PLAIN_RULES))
    return since & Q(kind__in=OF_STAFF) & ~Q(actor__isnull=False, actor=reader) & ~(Q(kind="purged") & plain)


def _subjects(rooms: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    """The subjects of entries about these rooms."""
    subjects: QuerySet[Any, Any] = rooms.annotate(about=Concat(Value("room:"), Cast("room_key", CharField())))
    return subjects.values("about")


@entry_texts.register("legal_hold_set")
def legal_hold_set(entry: Entry) -> str:
    return gettext("Held by order of an authority")


@entry_texts.register("legal_hold_lifted")
def legal_hold_lifted(entry: Entry) -> str:
    return gettext("Order of an authority lifted")


@entry_texts.register("live_view_granted")
def live_view_granted(entry: Entry) -> str:
    return gettext("All live rooms opened for an hour")


@entry_texts.register("live_view_ended")
def live_view_ended(entry: Entry) -> str:
    return gettext("All live rooms closed again")


@entry_texts.register("staff_reading")
def staff_reading(entry: Entry) -> str:
    return gettext("Captions of the live room read along")


@entry_texts.register("listed_word_changed")
def listed_word_changed(entry: Entry) -> str | None:
    change = OF_WORDS.get(str(entry.data.get("change")))
    return None if change is None else gettext(change)


@entry_texts.register("word_hit_handled")
def word_hit_handled(entry: Entry) -> str | None:
    label = dict(WordHit.Outcome.choices).get(str(entry.data.get("outcome")))
    return None if label is None else gettext("Word of the list in captions: %(outcome)s") % {"outcome": label}


@entry_texts.register("rule_changed")
def rule_changed(entry: Entry) -> str | None:
    change, number = CHANGES.get(str(entry.data.get("change"))), entry.data.get("number")
    if change is None:
        return None
    text = f"{entry.subject}: {gettext(change)}"
    return f"{text} {number}" if isinstance(number, int) else text
