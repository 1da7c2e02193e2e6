"""Base of measures: what a decision can impose, and how exactly that is undone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC
from typing import ClassVar

from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from moderation.models import Case, Measure, SubjectKind
from people.models import ProfileTakedown, Sanction, User
from people.standing import lock_standing


class MeasureKind(ABC):
    """One kind of measure. `apply` imposes it by an action of a lower app and stores in `measure.memory` which row
    states it; `undo` lifts that row and no other. Both run in the transaction of the decision, with everything locked
    that `lock` and `lock_again` name: lower actions write to the ledger, after which nothing else may be waited for.
    """

    key: ClassVar[str]
    title: ClassVar[str | Promise]
    kinds: ClassVar[frozenset[str]]  # kinds of subjects it can be imposed for
    takes_days: ClassVar[bool] = False
    needs_confirming: ClassVar[bool] = False
    # The field of a statement's export, and its value for a measure with and without an end; none for a bare warning.
    exported_as: ClassVar[tuple[str, str, str] | None] = None

    @classmethod
    def applies_to(cls, case: Case) -> bool:
        """Whether it can be imposed in a case as things are now."""
        return case.kind in cls.kinds

    @classmethod  # noqa: B027
    def lock(cls, case: Case) -> None:
        """Lock what `apply` changes, beside room and case."""

    @classmethod
    def lock_again(cls, measure: Measure) -> None:
        """Lock what `undo` changes, beside room and case."""
        cls.lock(measure.decision.case)

    @classmethod
    @abstractmethod
    def apply(cls, measure: Measure) -> None:
        """Impose a measure and fill its `memory`; the caller saves it."""

    @classmethod
    @abstractmethod
    def undo(cls, measure: Measure) -> None:
        """Lift what `apply` imposed, if it still stands."""

    @classmethod
    def words(cls) -> str:
        """The measure as one clause, in the active language."""
        return str(cls.title)

    @classmethod
    def describe(cls, measure: Measure, language: str) -> str:
        """Say what a measure is and until when, in a language."""
        with translation.override(language):
            if not cls.takes_days:
                return cls.words()
            if measure.ends_at is None:
                return _("%(measure)s, for good") % {"measure": cls.words()}
            moment = timezone.localtime(measure.ends_at, UTC)
            day, time = date_format(moment, "j F Y"), date_format(moment, "H:i")
            until = _("%(measure)s, until %(day)s, %(time)s (UTC)")
            return until % {"measure": cls.words(), "day": day, "time": time}


class OnAccount(MeasureKind):
    """Base of measures on an account, each stated by a row of `people`: the account's standing is locked before it."""

    states: ClassVar[type[Sanction] | type[ProfileTakedown]]
    remembers: ClassVar[str]  # under which `measure.memory` names the row

    @classmethod
    def lock(cls, case: Case) -> None:
        person = person_of(case)
        if person is not None:
            lock_standing(person.pk)

    @classmethod
    def lock_again(cls, measure: Measure) -> None:
        lock_standing(person_for(measure).pk)
        key = remembered(measure.memory, cls.remembers)
        list(cls.states._base_manager.select_for_update(of=("self",)).filter(pk=key))


def person_of(case: Case) -> User | None:
    """The account whom measures in a case concern: its subject, or the host where it is about the room as a whole."""
    if case.subject is not None:
        return case.subject
    return case.room.host if case.room is not None else None


def person_for(measure: Measure) -> User:
    """The account whom a measure concerns, as it was when the decision was made: a room may have another host since."""
    return User.objects.get(pk=remembered(measure.memory, PERSON))


def name_of(measure: Measure) -> str:
    """The name under which lower apps store what a measure imposed: imposed again under it, it is the same row."""
    return f"measure:{measure.pk}"


def remembered(memory: Mapping[str, object], name: str) -> int:
    """The key of a row that `apply` stored; 0, which no row has, where it stored none."""
    key = memory.get(name)
    return key if isinstance(key, int) else 0


PERSON = "person"  # in `Measure.memory`
EVERY = frozenset(SubjectKind.values)
IN_ROOMS = frozenset({SubjectKind.ROOM, SubjectKind.PERSON})
