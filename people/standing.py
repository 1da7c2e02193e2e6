"""May this person come in, speak, open rooms? Facts of the account alone; a room's own policies are asked elsewhere.

The answers are codes or None; texts stand where the codes are shown. But for `standing_of`, all of it is pure.
"""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser

from people.models import Creator, User


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of an account that bears on what it may do."""

    signed_in: bool = False
    active: bool = False
    creator: bool = False


NOBODY = Standing()


def standing_of(user: User | AnonymousUser | None) -> Standing:
    """The facts, in one query; none for who is not signed in."""
    if user is None or not user.is_authenticated:
        return NOBODY
    creator = Creator.objects.filter(user=user, added_at__isnull=False).exists()
    return Standing(signed_in=True, active=user.is_active, creator=creator)


def why_not_enter(standing: Standing) -> str | None:
    """Everyone may come in without an account; a closed account may not."""
    return "account_closed" if standing.signed_in and not standing.active else None


def why_not_speak(standing: Standing) -> str | None:
    """A voice belongs to an account."""
    if not standing.signed_in:
        return "not_signed_in"
    return why_not_enter(standing)


def why_not_host(standing: Standing) -> str | None:
    """Only members of the creator group open rooms."""
    return why_not_speak(standing) or (None if standing.creator else "not_a_creator")
