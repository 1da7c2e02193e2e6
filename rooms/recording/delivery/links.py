"""Signed addresses of a recording's files, for one person and some hours. An address works without cookies, so that
downloads can be resumed and programs can fetch files; the person's right is checked at every use.

An address expires with the credentials of its person (`end_credentials`): a stolen one stops working when the password
is changed.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from django.core import signing
from django.urls import reverse

from people.models import User

HOUR = 3600
LISTEN_FOR = 6 * HOUR  # a long room at three quarters of its speed
DOWNLOAD_FOR = 24 * HOUR
_SIGNER = "rooms.recording.delivery.links"
_WHAT = r"mix|peaks|file-\d{1,18}|clip-\d{1,18}|captions-\d{1,18}|all-[0-9a-f]{32}"
_CLAIM = re.compile(rf"(\d{{1,18}})\.({_WHAT})\.(\d{{1,18}}|everybody)\.(\d{{1,18}})\.(\d{{1,12}})")


@dataclass(frozen=True)
class Link:
    """Content of a link. `what` is mix, peaks, file-<pk>, clip-<pk>, captions-<pk> (of a clip), or all-<digest of an
    export>; `user` is None where the replay was published.

    `since` is the `credentials_stamp` of that person when the link was made.
    """

    room: int
    what: str
    user: int | None
    since: int
    until: int  # seconds since 1970


def credentials_stamp(user: User | None) -> int:
    """Time at which the credentials of an account last ended, in microseconds since 1970; 0 where they never did."""
    if user is None or user.credentials_at is None:
        return 0
    return round(user.credentials_at.timestamp() * 1_000_000)


def address(room_pk: int, what: str, user: User | None, name: str, seconds: int = LISTEN_FOR) -> str:
    """Make an address that works for `seconds` and up to an hour more; within an hour it is the same, for caches."""
    until = until_of(seconds)
    claim = f"{room_pk}.{what}.{'everybody' if user is None else user.pk}.{credentials_stamp(user)}.{until}"
    return reverse("recording:file", args=[signing.Signer(salt=_SIGNER).sign(claim), name])


def until_of(seconds: int) -> int:
    """Moment (seconds since 1970) until which an address works that is made now for `seconds`."""
    return (int(time.time()) // HOUR + 1) * HOUR + seconds


def parse_token(token: str, now: float | None = None) -> Link | None:
    """Verify a token and return its content; None for an invalid or expired one."""
    try:
        claim = _CLAIM.fullmatch(signing.Signer(salt=_SIGNER).unsign(token))
    except signing.BadSignature:
        return None
    if claim is None or int(claim[5]) <= (time.time() if now is None else now):
        return None
    user = None if claim[3] == "everybody" else int(claim[3])
    return Link(int(claim[1]), claim[2], user, int(claim[4]), int(claim[5]))
