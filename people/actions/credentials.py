"""Ending an account's credentials: sessions, API tokens, second steps, unfinished sign-ins, links."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.once import once_secret, use_once
from core.text import LABEL
from people.actions.standing_change import standing_changed
from people.actions.typed import clean_text
from people.models import ApiToken, Session, User
from people.notify import notify_new_token
from people.refusals import PeopleRefused

TOKEN_START = "stf_"
SHOWN = 8  # first characters of a token, shown in lists
SHOWN_AGAIN = timedelta(minutes=1)  # for so long a form sent twice shows its token again
MOST_TOKENS = 20  # of one person


@dataclass(frozen=True)
class EndedCredentials:
    """Numbers of ended credentials, by kind."""

    sessions: int
    tokens: int
    factors: int


@transaction.atomic
def end_credentials(
    user: User, why: str, *, keep_session: str = "", tokens: bool = True, factors: bool = False
) -> EndedCredentials:
    """End every credential of an account, except the session with the stored key `keep_session`.

    Sessions are deleted, never only marked. Sign-ins that wait for their second step and links that reset the password
    are void from now on. Second steps end only with `factors`: they still protect an account whose password or mailbox
    somebody else has.
    """
    row = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    row.credentials_at = user.credentials_at = timezone.now()
    row.save(update_fields=["credentials_at"])
    sessions = list(
        Session.objects.select_for_update().filter(user=row).exclude(session_key=keep_session).order_by("pk")
    )
    Session.objects.filter(pk__in=[session.pk for session in sessions]).delete()
    ended_tokens = ApiToken.objects.filter(user=row).delete()[0] if tokens else 0
    ended_factors = Authenticator.objects.filter(user=row).delete()[0] if factors else 0
    if not keep_session:
        standing_changed(row, why)
    for session in sessions if keep_session else ():
        standing_changed(row, why, session=session.ident)
    return EndedCredentials(len(sessions), ended_tokens, ended_factors)


def password_changed(user: User, keep_session: str = "") -> EndedCredentials:
    """End what a new password ends, whoever set it.

    An account whose address was never confirmed loses its second steps too: they may belong to somebody who signed up
    with another person's address.
    """
    return end_credentials(user, "password_changed", keep_session=keep_session, factors=user.proved_at is None)


@transaction.atomic
def end_session(user: User, stored_key: str, why: str) -> bool:
    """End one session. Returns whether it existed."""
    session = Session.objects.select_for_update().filter(user=user, session_key=stored_key).first()
    if session is None:
        return False
    session.delete()
    standing_changed(user, why, session=session.ident)
    return True


def token_hash(token: str) -> str:
    """Return the hash under which a token is stored. The token has 256 random bits, so no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@transaction.atomic
def make_token(user: User, name: str, session: str = "", once: str = "") -> tuple[ApiToken, str]:
    """Make an API token; returns its row and its text, which is not stored. Its owner gets a mail.

    The same form sent twice (`once`, its mark; see core/once.py) makes one token, and both answers show it. `session`
    is the stored key of the session that asks: no token is made if it ended meanwhile. Raises PeopleRefused.
    """
    name = clean_text("name", LABEL, name)
    row = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if session and not Session.objects.filter(user=row, session_key=session).exists():
        raise PeopleRefused("not_signed_in")
    text = TOKEN_START + (once_secret(row.pk, once) if once else secrets.token_urlsafe(32))
    before = ApiToken.objects.filter(user=row, hash=token_hash(text)).first()
    if before is not None and timezone.now() - before.created_at < SHOWN_AGAIN:
        return before, text
    if once and not use_once(once):
        raise PeopleRefused("token_made")
    if ApiToken.objects.filter(user=row, expires_at__gt=timezone.now()).count() >= MOST_TOKENS:
        raise PeopleRefused("too_many_tokens")
    token = ApiToken.objects.create(
        user=row,
        name=name,
        hash=token_hash(text),
        prefix=text[:SHOWN],
        expires_at=timezone.now() + timedelta(days=settings.API_TOKEN_DAYS),
    )
    notify_new_token(row, token)
    return token, text


def end_token(user: User, pk: int) -> bool:
    """Delete a token. Returns whether it existed. Nothing needs closing: each request looks its token up."""
    deleted, _by_model = ApiToken.objects.filter(user=user, pk=pk).delete()
    return deleted > 0


@transaction.atomic
def prove_address(user: User, *, keep_session: str = "", same_person: bool) -> None:
    """Record that an address was confirmed by its owner for the first time, and end credentials made before.

    `same_person`: the browser that confirms is the one that signed up or in, so the password is the owner's too.
    Otherwise it may be of somebody who signed up with another person's address: then it becomes unusable, and the owner
    chooses a new one.
    """
    user.proved_at, user.signing_up = timezone.now(), False
    user.save(update_fields=["proved_at", "signing_up"])
    if not same_person:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    end_credentials(user, "address_confirmed", keep_session=keep_session, factors=not same_person)
