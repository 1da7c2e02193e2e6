"""Addresses of a recording's files: signed, for one person, for some hours. Whoever has one needs nothing else, so a
download goes on where it stopped and programs need no cookies; what it opens is asked again every time it is used.

An address ends with the credentials of its person (`end_credentials`): whoever got one out of a session that was not
theirs loses it with that session's password.
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
_WHAT = r"mix|peaks|file-\d{1,18}|all-[0-9a-f]{32}"
_CLAIM = re.compile(rf"(\d{{1,18}})\.({_WHAT})\.(\d{{1,18}}|everybody)\.(\d{{1,18}})\.(\d{{1,12}})")


@dataclass(frozen=True)
class Link:
    """`what`: mix, peaks, file-<pk>, or all-<digest of an export>. `user` is None where the replay was published.

    `since` says when credentials of that person had last ended, as the link was made (`stamp`).
    """

    room: int
    what: str
    user: int | None
    since: int
    until: int  # seconds since 1970


def stamp(user: User | None) -> int:
    """The moment at which credentials of an account last ended, in microseconds since 1970; 0 where none ever did."""
    if user is None or user.credentials_at is None:
        return 0
    return round(user.credentials_at.timestamp() * 1_000_000)


def address(room_pk: int, what: str, user: User | None, name: str, seconds: int = LISTEN_FOR) -> str:
    """An address that works for `seconds` and up to an hour more: within an hour it is the same one, so caches help."""
    until = (int(time.time()) // HOUR + 1) * HOUR + seconds
    claim = f"{room_pk}.{what}.{'everybody' if user is None else user.pk}.{stamp(user)}.{until}"
    return reverse("recording:file", args=[signing.Signer(salt=_SIGNER).sign(claim), name])


def read(token: str, now: float | None = None) -> Link | None:
    """What a token opens; None for one that is not ours, or over."""
    try:
        claim = _CLAIM.fullmatch(signing.Signer(salt=_SIGNER).unsign(token))
    except signing.BadSignature:
        return None
    if claim is None or int(claim[5]) <= (time.time() if now is None else now):
        return None
    user = None if claim[3] == "everybody" else int(claim[3])
    return Link(int(claim[1]), claim[2], user, int(claim[4]), int(claim[5]))
