"""Mails to people who reported without an account: a fixed text, so rarely that nobody can use them against others."""

from __future__ import annotations

import logging

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from core.throttle import take
from moderation.models import Report

log = logging.getLogger(__name__)

# (mails a minute, at once): to one mailbox, by the same client, and by the site.
TO_ONE, BY_ONE, BY_ALL = (1 / 60, 1), (0.2, 5), (10, 60)


def send_receipt(row: Report, address: str) -> bool:
    """Send the receipt of a report to somebody without an account, in the caller's transaction; whether it was sent.

    `address` is that of the client, as it is counted. At most one mail an hour goes to a mailbox, whoever asks for it;
    the receipt's page is there in any case.
    """
    if row.reporter_id is not None or not row.reporter_email or not _may_send(row.reporter_email, address):
        return False
    _send(row, "moderation/email/report_received.txt")
    return True


def send_question(row: Report) -> bool:
    """Send word of a moderator's question to somebody without an account; whether it was sent."""
    if row.reporter_id is not None or not row.reporter_email or not _may_send(row.reporter_email, "staff"):
        return False
    _send(row, "moderation/email/report_question.txt")
    return True


def _send(row: Report, template: str) -> None:
    path = reverse("pages:receipt", args=[row.receipt])
    with translation.override(row.language):
        names = {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL, "path": path}
        source = render_to_string(template, names)
    subject, _newline, text = source.strip().partition("\n")
    EmailMessage(" ".join(subject.split()), text.strip() + "\n", to=[row.reporter_email]).send()


def _may_send(email: str, address: str) -> bool:
    """Whether a mail may go to this mailbox now. Without Redis none may: nothing else counts them."""
    local, _at, domain = email.partition("@")
    mailbox = f"{local.partition('+')[0].replace('.', '')}@{domain}"  # spellings of one mailbox at large providers
    to = salted_hmac("moderation.receipt_mail", mailbox).hexdigest()
    limits = [(f"receipt_mail_by:{address}", BY_ONE), ("receipt_mail_all", BY_ALL), (f"receipt_mail_to:{to}", TO_ONE)]
    try:
        return not any(take(key, per_minute=rate, burst=burst) for key, (rate, burst) in limits)
    except RedisError as error:
        log.warning("no receipt is mailed, Redis is away: %s", error)
        return False
