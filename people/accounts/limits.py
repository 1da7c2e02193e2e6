"""Limits of tries at passwords and codes, and of mails that anybody can ask for. Nobody can lock out another.

A try is taken out of three buckets before it is made, and given back when it was right:
- of the pair of account and address: a few, then slowly. This is the one that locks.
- of the address, over all accounts: somebody who goes through handles is slowed.
- of the account, over all addresses: guessing from many places is slowed. A browser that has signed in to the account
  before has a bucket of its own instead (it holds a signed cookie), so its owner never waits for what others do.
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
DEVICE_ACCOUNTS = 8  # that one browser remembers
_SALT = "people.device"


@dataclass(frozen=True)
class Bucket:
    """`burst` at once, `per_minute` after that."""

    key: str
    burst: int
    per_minute: float


class Attempt:
    """One try: `allowed` says whether it may be made; `give_back` when it was right."""

    def __init__(self, buckets: list[Bucket]) -> None:
        self.taken: list[Bucket] = []
        self.allowed = True
        for bucket in buckets:
            if not self._take(bucket):
                self.allowed = False
                self.give_back()  # a try that is refused costs nothing, or refusals would never end
                return

    def _take(self, bucket: Bucket) -> bool:
        """Without Redis everybody may try: the password itself still stands."""
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
    """Count a try at an account by its password; `login` is what was written, also where there is no such account."""
    return Attempt(_buckets(request, "password", user, login))


def try_code(request: HttpRequest, user: User) -> Attempt:
    """Count a try at the second step of an account."""
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
    """Whether one more mail that anybody can ask for may go to this address. Kinds are counted apart: who has many
    sign-up mails sent to somebody must not keep that person from resetting the password."""
    to, by = settings.ACCOUNT_MAILS_TO, settings.ACCOUNT_MAILS_BY
    address = counted_as(address_of_request(request))
    buckets = [
        Bucket(f"mail:to:{kind}:{_short(lookup_address(email))}", to, to / 60),
        Bucket(f"mail:by:{address}", by, by / 60),
    ]
    return Attempt(buckets).allowed


def _short(text: str) -> str:
    """A hash of what people write: as a key it may be too long, and an address does not belong in Redis."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


# --- browsers that have signed in before -----------------------------------------------------------------------------


def _known(request: HttpRequest) -> dict[str, str]:
    """Account → random name of this browser, out of its cookie; none if it is not one of ours."""
    try:
        known = signing.loads(request.COOKIES.get(DEVICE_COOKIE, ""), salt=_SALT, max_age=DEVICE_DAYS * 86400)
    except signing.BadSignature:
        return {}
    return known if isinstance(known, dict) else {}


def device_of(request: HttpRequest, user: User | None) -> str:
    """The random name of a browser that has signed in to this account; empty for any other."""
    return "" if user is None else str(_known(request).get(str(user.pk), ""))


def remember_device(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Note in a cookie that this browser has signed in to this account. It opens nothing."""
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
