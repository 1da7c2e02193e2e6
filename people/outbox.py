"""Mails in production: kept in the database until the mail server has taken them, with retries; staff see which wait.

A mail is written in the transaction that caused it, so neither exists without the other. It is claimed with a lease: a
worker that dies while sending leaves it to the next one, and then a mail may arrive twice rather than not at all.
"""

import email
import email.policy
import logging
from collections.abc import Sequence
from datetime import timedelta
from email.utils import getaddresses

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as Smtp
from django.core.mail.message import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from people.models import Mail

log = logging.getLogger(__name__)
# Before attempt n + 1, in seconds: at once, a minute … then hourly; about a day in all.
DELAYS = (60, 300, 900, 3600) + (3600,) * 20
LEASE = 300  # seconds a worker has for one mail before another may take it


class Backend(BaseEmailBackend):
    """Django's EMAIL_BACKEND: writes mails down. `people.tasks.send_mails` sends them."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        rows = [
            Mail(
                to=", ".join(message.recipients())[:320],
                subject=message.subject[:200],
                source=message.message().as_bytes(linesep="\r\n"),  # type: ignore[call-arg]  # Django's own
            )
            for message in email_messages
            if message.recipients()
        ]
        Mail.objects.bulk_create(rows)
        transaction.on_commit(wake, robust=True)
        return len(rows)


def wake() -> None:
    """Send soon. Without a broker the beat finds the mails within a minute."""
    from people.tasks import send_mails  # the task imports this module

    send_mails.apply_async(ignore_result=True, retry=False)


def claim() -> Mail | None:
    """The next mail that is due, ours for LEASE seconds; its number of attempts already counts this one."""
    with transaction.atomic():
        due = Mail.objects.filter(state=Mail.State.WAITING, next_at__lte=timezone.now()).order_by("next_at", "pk")
        row = due.select_for_update(skip_locked=True).first()
        if row is not None:
            row.attempts += 1
            row.next_at = timezone.now() + timedelta(seconds=LEASE)
            row.save(update_fields=["attempts", "next_at"])
        return row


def send_due(most: int = 200) -> int:
    """Send what is due, at most so many, over one connection. Returns how many the mail server took."""
    sent = 0
    connection = get_connection(settings.OUTBOX_BACKEND, fail_silently=False)
    assert isinstance(connection, Smtp)
    try:
        for _number in range(most):
            row = claim()
            if row is None:
                break
            sent += deliver(row, connection)
    finally:
        connection.close()
    return sent


def deliver(row: Mail, connection: Smtp) -> bool:
    """Hand one mail over and write down what became of it."""
    try:
        connection.open()
        assert connection.connection is not None
        message = email.message_from_bytes(bytes(row.source), policy=email.policy.SMTP)
        sender = getaddresses([str(message["From"])])[0][1]
        connection.connection.sendmail(sender, row.to.split(", "), bytes(row.source))
    except OSError as error:  # every error of smtplib is one
        connection.close()
        failed(row, error)
        return False
    row.state, row.sent_at, row.source, row.error = Mail.State.SENT, timezone.now(), b"", ""
    row.save(update_fields=["state", "sent_at", "source", "error"])
    return True


def failed(row: Mail, error: Exception) -> None:
    """Later again, or given up after the last attempt: then it stands as such in the admin."""
    row.error = f"{type(error).__name__}: {error}"[:300]
    if row.attempts > len(DELAYS):
        row.state = Mail.State.FAILED
        log.error("Mail %s was given up after %d attempts: %s", row.pk, row.attempts, row.error)
    else:
        row.next_at = timezone.now() + timedelta(seconds=DELAYS[row.attempts - 1])
        log.warning("Mail %s could not be sent, attempt %d: %s", row.pk, row.attempts, row.error)
    row.save(update_fields=["state", "error", "next_at"])


def try_again(mails: QuerySet[Mail]) -> int:
    """Give up mails another round. Returns how many."""
    number = mails.filter(state=Mail.State.FAILED).update(state=Mail.State.WAITING, attempts=0, next_at=timezone.now())
    transaction.on_commit(wake, robust=True)
    return number
