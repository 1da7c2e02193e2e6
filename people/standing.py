"""Whether an account may come in, speak, or open rooms. Only facts of the account; a room's policies are in rooms.

The answers are codes of refusals, or None. Except for the loaders, everything here is pure.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from core.written import Written
from people.models import Creator, Sanction, User


@dataclass(frozen=True, slots=True)
class Standing:
    """Facts of an account on which its rights depend. `sanctions` are the kinds in force now."""

    signed_in: bool = False
    active: bool = False
    creator: bool = False
    sanctions: frozenset[str] = frozenset()


NOBODY = Standing()
ACCOUNT, ACCOUNTS, NOW = -1, (-1,), datetime(1900, 1, 1, tzinfo=UTC)  # placeholders
MOST_STANDINGS = 100  # kept as one object each


def standing_of(user: User | AnonymousUser | None) -> Standing:
    """Load the standing of a user, in one query; none for somebody who is not signed in."""
    if user is None or not user.is_authenticated:
        return NOBODY
    return standings([user.pk]).get(user.pk, Standing(signed_in=True))


def standings(user_pks: Iterable[int]) -> dict[int, Standing]:
    """Load the standing of many accounts in one query; accounts that no longer exist are missing."""
    pks, now = list(user_pks), timezone.now()
    if not pks:
        return {}
    written = _written(one=len(pks) == 1)
    rows = written.rows({ACCOUNT: pks[0], NOW: now} if len(pks) == 1 else {ACCOUNTS: pks, NOW: now})
    return {pk: _standing(active, creator, tuple(kinds or ())) for pk, active, creator, kinds in rows}


@functools.lru_cache(MOST_STANDINGS)
def _standing(active: bool, creator: bool, kinds: tuple[str, ...]) -> Standing:
    """Most accounts have the same."""
    return Standing(True, active, creator, frozenset(kinds))


@functools.cache
def _written(*, one: bool) -> Written:
    """The query for one account, which comes with every act and page, or for many."""
    wanted, placeholder = (Q(pk=ACCOUNT), ACCOUNT) if one else (Q(pk__one_of=ACCOUNTS), ACCOUNTS)
    member = Creator.objects.filter(user=OuterRef("pk"), added_at__isnull=False)
    kinds = ArrayAgg("sanctions__kind", filter=Sanction.holds(NOW, "sanctions__"), distinct=True)
    rows = User.objects.filter(wanted).annotate(creator_now=Exists(member), kinds=kinds)
    return Written(rows.values_list("pk", "is_active", "creator_now", "kinds"), (placeholder, NOW))


def lock_standing(user_pk: int) -> None:
    """Lock an account until this transaction ends, so that its standing cannot change meanwhile.

    Closing and sanctions take the same lock. So a right that is used in this transaction is either refused, or given
    before the change, which then takes it back.
    """
    list(User.objects.select_for_update(no_key=True).filter(pk=user_pk).values_list("pk"))


def why_not_enter(standing: Standing) -> str | None:
    """Return why an account may not come in. Signed-out people may; closed and suspended accounts may not."""
    if not standing.signed_in:
        return None
    if not standing.active:
        return "account_closed"
    return "account_suspended" if Sanction.Kind.SUSPENDED in standing.sanctions else None


def why_not_speak(standing: Standing) -> str | None:
    """Return why an account may not be on a stage."""
    if not standing.signed_in:
        return "not_signed_in"
    if code := why_not_enter(standing):
        return code
    return "no_stage" if Sanction.Kind.NO_STAGE in standing.sanctions else None


def kept_from_hosting(standing: Standing) -> bool:
    """Whether a closed account or a sanction keeps an account from hosting any room, also one that it would be given.
    Membership of the creator group does not matter here."""
    return why_not_speak(standing) is not None or Sanction.Kind.NO_HOSTING in standing.sanctions


def why_not_host(standing: Standing) -> str | None:
    """Return why an account may not open rooms: only members of the creator group who may speak."""
    if code := why_not_speak(standing):
        return code
    if Sanction.Kind.NO_HOSTING in standing.sanctions:
        return "no_hosting"
    return None if standing.creator else "not_a_creator"
