"""A signed random mark in a form, by which the server recognises the same form sent twice."""

from __future__ import annotations

import base64
import logging
import secrets

from django.conf import settings
from django.core import signing
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from core.throttle import connection

log = logging.getLogger(__name__)

_SALT = "core.once"
LASTS = 3600  # seconds that a mark is valid after the form was shown


def new_once() -> str:
    """Make a mark for a form that is shown now."""
    return signing.TimestampSigner(salt=_SALT).sign(secrets.token_urlsafe(16))


def read_once(mark: str) -> str:
    """Return the mark that was sent back if it is ours and not too old, else ""."""
    try:
        return signing.TimestampSigner(salt=_SALT).unsign(mark, max_age=LASTS)
    except signing.BadSignature:
        return ""


def use_once(once: str) -> bool:
    """Use a mark up; whether it was unused before. Without Redis this is unknown, and True."""
    try:
        return bool(connection().set(f"{settings.REDIS_PREFIX}once:{once}", "1", nx=True, ex=LASTS))
    except RedisError as error:
        log.warning("whether a form was sent twice is not known: %s", error)
        return True


def once_secret(user_pk: int, once: str) -> str:
    """Return 256 bits that are the same for the same mark, and cannot be computed without SECRET_KEY."""
    digest = salted_hmac("core.once.secret", f"{user_pk}:{once}", algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
