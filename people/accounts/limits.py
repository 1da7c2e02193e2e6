"""Limits on tries of passwords and codes, and on mails that anybody can ask for. Nobody can lock out somebody else.

A try takes a token out of three buckets, and gives them back when it was right:
- of the pair of account and address: a few tries, then slowly. This is the one that blocks a guesser.
- of the address, over all accounts: slows somebody who goes through many handles.
- of the account, over all addresses: slows guessing from many places. A browser that signed in to the account before
  (it has a signed cookie) has a bucket of its own instead, so that its owner never waits because of others.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from redis.exceptions import RedisError

from core.client_address import address_of_request, counted_as
from core.throttle import give_back, take
from mail.addresses import lookup_address
from people.models import User
from people.spelling import plain_login

log = logging.getLogger(__name__)

DEVICE_COOKIE = "stamtafel_device"
DEVICE_DAYS = 365
DEVICE_ACCOUNTS = 8  # accounts in one browser's cookie
_SALT = "people.device"


@dataclass(frozen=True)
class Bucket:
    """A token bucket: `burst` at once, then `per_minute`."""

    key: str
    burst: int
    per_minute: float


class Attempt:
    """One try: `allowed` is whether it may be made. Call `give_back` when it was right."""

    def __init__(self, buckets: list[Bucket]) -> None:
        self.taken: list[Bucket] = []
        self.allowed = True
        for bucket in buckets:
            if not self._take(bucket):
                self.allowed = False
                self.give_back()  # a try that is refused costs nothing, or refusals would never end
                return

    def _take(self, bucket: Bucket) -> bool:
        """Take a token. Without Redis every try is allowed: the password itself is still checked."""
        try:
            if take(bucket.key, per_minute=bucket.per_minute, burst=bucket.burst):
                return False
        except RedisError as error:
            log.warning("Not counted, Redis is away: %s", error)
            return True
        self.taken.append(bucket)
        return True

    def give_back(self) -> None:
        for bucket in self.taken:
            try:
                give_back(bucket.key, burst=bucket.burst)
            except RedisError as error:
                log.warning("Not given back, Redis is away: %s", error)
        self.taken = []


def try_password(request: HttpRequest, user: User | None, login: str) -> Attempt:
    """Count a try of an account's password; `login` is what was typed, also where no such account exists."""
    return Attempt(_buckets(request, "password", user, login))


def try_code(request: HttpRequest, user: User) -> Attempt:
    """Count a try of an account's second step."""
    return Attempt(_buckets(request, "code", user, ""))


def _buckets(request: HttpRequest, kind: str, user: User | None, login: str) -> list[Bucket]:
    account = f"u{user.pk}" if user is not None else _short(plain_login(login))
    address = counted_as(address_of_request(request))
    device = device_of(request, user)
    tries = settings.SIGN_IN_TRIES
    if device:
        return [Bucket(f"{kind}:device:{account}:{device}", tries, tries / 5)]
    return [
        Bucket(f"{kind}:pair:{account}:{address}", tries, tries / 5),
        Bucket(f"{kind}:address:{address}", settings.SIGN_IN_TRIES_ADDRESS, settings.SIGN_IN_TRIES_ADDRESS / 10),
        Bucket(f"{kind}:account:{account}", settings.SIGN_IN_TRIES_ACCOUNT, settings.SIGN_IN_TRIES_ACCOUNT / 60),
    ]


def may_mail(request: HttpRequest, kind: str, email: str) -> bool:
    """Count a mail that anybody can ask for; whether it may be sent to this address.

    Kinds have separate buckets: many sign-up mails to somebody must not keep that person from resetting the password.
    """
    to, by = settings.ACCOUNT_MAILS_TO, settings.ACCOUNT_MAILS_BY
    address = counted_as(address_of_request(request))
    buckets = [
        Bucket(f"mail:to:{kind}:{_short(lookup_address(email))}", to, to / 60),
        Bucket(f"mail:by:{address}", by, by / 60),
    ]
    return Attempt(buckets).allowed


def _short(text: str) -> str:
    """Hash what was typed: it may be too long for a key, and addresses must not be readable in Redis."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


# --- browsers that have signed in before -----------------------------------------------------------------------------


def _known(request: HttpRequest) -> dict[str, str]:
    """Read this browser's cookie: account → random name of the browser. Empty where the signature is not ours."""
    try:
        known = signing.loads(request.COOKIES.get(DEVICE_COOKIE, ""), salt=_SALT, max_age=DEVICE_DAYS * 86400)
    except signing.BadSignature:
        return {}
    return known if isinstance(known, dict) else {}


def device_of(request: HttpRequest, user: User | None) -> str:
    """Return the random name of a browser that signed in to this account before; "" for any other."""
    return "" if user is None else str(_known(request).get(str(user.pk), ""))


def remember_device(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Store in a cookie that this browser has signed in to this account. The cookie grants no access."""
    known = _known(request)
    name = known.pop(str(user.pk), None) or secrets.token_urlsafe(9)
    kept = dict([(str(user.pk), name), *known.items()][:DEVICE_ACCOUNTS])
    response.set_cookie(
        DEVICE_COOKIE,
        signing.dumps(kept, salt=_SALT),
        max_age=DEVICE_DAYS * 86400,
        path="/accounts/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
