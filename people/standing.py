"""May this person come in, speak, open rooms? Facts of the account alone; a room's own policies are asked elsewhere.

The answers are codes or None; texts stand where the codes are shown. But for the loaders, all of it is pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Exists, OuterRef
from django.utils import timezone

from people.models import Creator, Sanction, User


@dataclass(frozen=True, slots=True)
class Standing:
    """Facts of an account that bear on what it may do. `sanctions` are the kinds in force now."""

    signed_in: bool = False
    active: bool = False
    creator: bool = False
    sanctions: frozenset[str] = frozenset()


NOBODY = Standing()


def standing_of(user: User | AnonymousUser | None) -> Standing:
    """The facts as the database has them now, in one query; none for who is not signed in."""
    if user is None or not user.is_authenticated:
        return NOBODY
    return standings([user.pk]).get(user.pk, Standing(signed_in=True))


def standings(user_pks: Iterable[int]) -> dict[int, Standing]:
    """The facts of many accounts in one query; an account that is not there any more is missing."""
    member = Creator.objects.filter(user=OuterRef("pk"), added_at__isnull=False)
    kinds = ArrayAgg("sanctions__kind", filter=Sanction.holds(timezone.now(), "sanctions__"), distinct=True)
    rows = User.objects.filter(pk__in=list(user_pks)).annotate(creator_now=Exists(member), kinds=kinds)
    return {
        pk: Standing(True, active, creator, frozenset(found or ()))
        for pk, active, creator, found in rows.values_list("pk", "is_active", "creator_now", "kinds")
    }


def hold(user_pk: int) -> None:
    """Keep an account's standing as it is until this transaction ends: whoever changes it (closing, sanctions) holds
    it too. So what is given by it is refused, or there to be taken back; never given a moment too late."""
    list(User.objects.select_for_update(no_key=True).filter(pk=user_pk).values_list("pk"))


def why_not_enter(standing: Standing) -> str | None:
    """Everyone may come in without an account; with a closed or suspended one nobody may."""
    if not standing.signed_in:
        return None
    if not standing.active:
        return "account_closed"
    return "account_suspended" if Sanction.Kind.SUSPENDED in standing.sanctions else None


def why_not_speak(standing: Standing) -> str | None:
    """A voice belongs to an account that may be on a stage."""
    if not standing.signed_in:
        return "not_signed_in"
    if code := why_not_enter(standing):
        return code
    return "no_stage" if Sanction.Kind.NO_STAGE in standing.sanctions else None


def why_not_host(standing: Standing) -> str | None:
    """Only members of the creator group open rooms, and nobody whose hosting was taken away; a host speaks."""
    if code := why_not_speak(standing):
        return code
    if Sanction.Kind.NO_HOSTING in standing.sanctions:
        return "no_hosting"
    return None if standing.creator else "not_a_creator"
