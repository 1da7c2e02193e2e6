"""A mark in a form by which the server knows that the same form was sent twice."""

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
LASTS = 3600  # seconds from the form being shown to its being sent


def new_once() -> str:
    """A mark for a form that is shown now."""
    return signing.TimestampSigner(salt=_SALT).sign(secrets.token_urlsafe(16))


def read_once(mark: str) -> str:
    """The mark that came back if it is ours and not too old, else an empty one, which marks nothing."""
    try:
        return signing.TimestampSigner(salt=_SALT).unsign(mark, max_age=LASTS)
    except signing.BadSignature:
        return ""


def use_once(once: str) -> bool:
    """Whether nothing was made by this mark before. Without Redis nothing is known of it: then it is taken as new."""
    try:
        return bool(connection().set(f"{settings.REDIS_PREFIX}once:{once}", "1", nx=True, ex=LASTS))
    except RedisError as error:
        log.warning("whether a form was sent twice is not known: %s", error)
        return True


def once_secret(user_pk: int, once: str) -> str:
    """The same 256 bits for the same mark, which nobody can find without SECRET_KEY."""
    digest = salted_hmac("core.once.secret", f"{user_pk}:{once}", algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
