"""Links by which somebody reads and appeals a decision without signing in.

A token has 256 random bits, of which only a hash is kept; it is for one side of one decision. A newer one ends it. It
opens the page for as long as an appeal may be filed and STATE_DAYS longer, in which it shows what became of one.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from core.throttle import take
from moderation.actions.mails import address_of, mail_to
from moderation.models import AppealLink, Statement
from moderation.queries.appeals import AppealRight, concerned_right, reporter_right

STATE_DAYS = 90  # longer than an appeal of the last day takes
CODE_MINUTES, CODE_DIGITS, CODE_TRIES = 15, 8, 5
# (mails a minute, at once): new links and codes to one mailbox, and by one client.
TO_ONE, BY_ONE = (1 / 10, 3), (0.5, 5)


@dataclass(frozen=True)
class OpenedLink:
    """An opened link: what its side may do now. One that is `expired` opens nothing, but may ask for a new one."""

    right: AppealRight
    link: AppealLink
    expired: bool


def make_link(right: AppealRight, until: datetime) -> str:
    """Make a link for one side, which may appeal `until` then, and end the one before; returns its token. Runs in the
    caller's transaction."""
    now = timezone.now()
    of_side = AppealLink.objects.filter(decision=right.decision, side=right.side, report=right.report)
    of_side.select_for_update(no_key=True).order_by("pk").first()  # two that are asked for at once come one by one
    of_side.filter(ended_at=None).update(ended_at=now)
    token = secrets.token_urlsafe(32)
    AppealLink.objects.create(
        decision=right.decision,
        side=right.side,
        report=right.report,
        person=right.person if right.report is None else None,
        token_hash=_hash(token),
        made_at=now,
        expires_at=max(until, now) + timedelta(days=STATE_DAYS),
    )
    return token


def open_link(token: str) -> OpenedLink | None:
    """Return what a token opens; None for one that is unknown, altered, or ended by a newer one. Changes nothing."""
    rows = AppealLink.objects.select_related("report__case__room", "report__reporter")
    link = rows.filter(token_hash=_hash(token), ended_at=None).first()
    if link is None:
        return None
    now = timezone.now()
    right = right_of(link, now)
    return None if right is None else OpenedLink(right, link, expired=link.expires_at <= now)


def right_of(link: AppealLink, now: datetime) -> AppealRight | None:
    """Return what the side of a link may do now."""
    if link.report is not None:
        return reporter_right(link.report, now)
    statements = Statement.objects.select_related("decision__case__room", "decision__rule", "person")
    statement = statements.filter(decision=link.decision_id).first()
    return None if statement is None else concerned_right(statement, now)


@transaction.atomic
def mail_new_link(right: AppealRight, client: str) -> bool:
    """Mail a new link to a side's own address, which ends the one before; whether one was sent. `client` is the address
    of who asks, as it is counted."""
    if right.until is None or not address_of(right.person, right.report) or not _may_mail(right, client):
        return False
    path = f"/appeal/{make_link(right, right.until)}/"
    mail_to(right.person, right.report, "appeal_link", {"path": path})
    return True


@transaction.atomic
def mail_code(opened: OpenedLink, client: str) -> bool:
    """Mail a code by which the sound can be heard again after an appeal was filed; whether one was sent."""
    right = opened.right
    if not address_of(right.person, right.report) or not _may_mail(right, client):
        return False
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    until = timezone.now() + timedelta(minutes=CODE_MINUTES)
    AppealLink.objects.filter(pk=opened.link.pk).update(
        code_hash=_code_hash(opened.link, code), code_until=until, code_tries=0
    )
    mail_to(right.person, right.report, "appeal_code", {"code": code, "minutes": CODE_MINUTES})
    return True


@transaction.atomic
def take_code(opened: OpenedLink, code: str) -> bool:
    """Take a code, once; whether it was right. After CODE_TRIES wrong ones it is void."""
    link = AppealLink.objects.select_for_update(no_key=True, of=("self",)).get(pk=opened.link.pk)
    if not link.code_hash or link.code_until is None or link.code_until <= timezone.now():
        return False
    is_right = hmac.compare_digest(link.code_hash, _code_hash(link, code.strip().replace(" ", "")))
    link.code_tries += 1
    if is_right or link.code_tries >= CODE_TRIES:
        link.code_hash, link.code_until = "", None
    link.save(update_fields=["code_hash", "code_until", "code_tries"])
    return is_right


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _code_hash(link: AppealLink, code: str) -> str:
    """A hash that cannot be tried out without SECRET_KEY: a code has few digits."""
    return salted_hmac("moderation.appeal_code", f"{link.pk}:{code}", algorithm="sha256").hexdigest()


def _may_mail(right: AppealRight, client: str) -> bool:
    """Whether a mail that somebody asked for may go now. Without Redis none may: nothing else counts them."""
    address = address_of(right.person, right.report)
    to = salted_hmac("moderation.appeal_mail", address.lower()).hexdigest()
    limits = [(f"appeal_mail_by:{client}", BY_ONE), (f"appeal_mail_to:{to}", TO_ONE)]
    try:
        return not any(take(key, per_minute=rate, burst=burst) for key, (rate, burst) in limits)
    except RedisError:
        return False
