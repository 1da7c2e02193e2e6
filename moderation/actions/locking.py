"""Locks of acts on a case, in one order for all: claims (an advisory lock of the person), the case, its room, its
reviews, alarms (an advisory lock of a kind), accounts, threads, the ledger last. Room, account, thread is the order of
the apps below. Case before room, so that a crowd that reports a live room waits for its case and holds up nobody on the
stage. The purge locks rooms only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import transaction

from moderation.models import Case
from moderation.queries.access import facts_of
from moderation.refusals import ModerationRefused
from moderation.rules.access import CaseFacts
from people.models import User
from rooms.models import Room


@contextmanager
def locked_case(pk: int, *, with_room: bool = False) -> Iterator[Case]:
    """Open a transaction and lock a case, with its room where the copy is concerned. Raises unknown_case."""
    with transaction.atomic():
        case = Case.objects.select_for_update(no_key=True).filter(pk=pk).first()
        if case is None:
            raise ModerationRefused("unknown_case")
        if with_room and case.room_id is not None:
            case.room = lock_room(case.room_id)
        yield case


def lock_room(pk: int) -> Room:
    """Lock a room until the transaction ends, as its own actions and the purge do."""
    return Room.objects.select_for_update(no_key=True).get(pk=pk)


def refuse(code: str | None) -> None:
    if code is not None:
        raise ModerationRefused(code)


def checked(case: Case, by: User, rule: Callable[[CaseFacts], str | None]) -> CaseFacts:
    """Ask a rule of `moderation.rules.access` with the facts of a locked case. Raises ModerationRefused."""
    facts = facts_of(case, by)
    refuse(rule(facts))
    return facts
