"""The outbox of production: mails stay in the database until the mail server took them, with retries.

A mail is written in the transaction that caused it, so neither exists without the other; one row for each recipient.
It is claimed with a lease: when a worker dies while sending, the next one sends the mail, which may then arrive twice
rather than not at all. Any error counts as a failed attempt of that mail alone; when the server itself is at fault the
batch ends, because every other mail would wait just as long for it.
"""

import email
import email.policy
import logging
import smtplib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as Smtp
from django.core.mail.message import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from redis.exceptions import RedisError
from redis.lock import Lock

from core.throttle import connection as redis_connection
from mail.addresses import envelope_address
from mail.models import Mail
from mail.sent_log import note_sent

log = logging.getLogger(__name__)
# Seconds between attempt n and n + 1: a minute, five … then hourly; about a day in all.
DELAYS = (60, 300, 900, 3600) + (3600,) * 20
LEASE = 300  # seconds after which another worker may claim a mail, at the first attempt
BATCH_SECONDS = 120.0  # that one task sends; the next one continues within a minute
LOCKED = 300  # seconds until the lock of a killed batch expires; longer than its task may take
STRANDED = "The worker ended while it was sending this mail."


class ServerAway(Exception):
    """The mail server does not work now, which is no mail's fault."""


class Backend(BaseEmailBackend):
    """Django's EMAIL_BACKEND that stores mails for `mail.tasks.send_mails`."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        messages = [message for message in email_messages if message.recipients()]
        for message in messages:
            source = message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # Django's own
            Mail.objects.bulk_create(
                Mail(to=recipient, subject=message.subject[:200], source=source) for recipient in message.recipients()
            )
        transaction.on_commit(wake, robust=True)
        return len(messages)


def wake() -> None:
    """Queue the task that sends mails. Without a broker, beat queues it within a minute."""
    from mail.tasks import send_mails  # the task imports this module

    # Beat queues it every minute: an older message that waits behind a server that is away is superfluous.
    send_mails.apply_async(ignore_result=True, retry=False, expires=60)


def due() -> QuerySet[Mail]:
    """Select mails that are to be sent now."""
    return Mail.objects.filter(state=Mail.State.WAITING, next_at__lte=timezone.now())


def claim() -> Mail | None:
    """Claim the next mail that is due, for LEASE seconds or more; its `attempts` already counts this attempt.

    The lease grows as the delays do, so that a mail that kills its worker each time is tried less and less often.
    """
    with transaction.atomic():
        row = due().order_by("next_at", "pk").select_for_update(skip_locked=True).first()
        if row is not None:
            row.attempts += 1
            row.next_at = timezone.now() + timedelta(seconds=max(LEASE, delay(row)))
            row.save(update_fields=["attempts", "next_at"])
        return row


def delay(row: Mail) -> int:
    """Return the seconds from this attempt to the next."""
    return DELAYS[min(row.attempts, len(DELAYS)) - 1]


def give_up_stranded() -> int:
    """Give up mails whose worker died in the last attempt too. Returns how many."""
    return due().filter(attempts__gt=len(DELAYS)).update(state=Mail.State.FAILED, error=STRANDED)


def send_all_due() -> int:
    """Send until nothing is due or BATCH_SECONDS are over, unless another batch runs. Returns how many the server took.

    Only one batch at a time: it shares its worker with the clock of the rooms (deploy/local/programs.py), and a second
    one that waits for the server would take the clock's place.
    """
    sent, ends = 0, time.monotonic() + BATCH_SECONDS
    while time.monotonic() < ends and due().exists():
        with batch_lock() as mine:
            number = send_due(ends - time.monotonic()) if mine else 0
        sent += number
        if not number:  # the server is away, or another batch runs
            break
    return sent


@contextmanager
def batch_lock() -> Iterator[bool]:
    """Yield whether this batch got the outbox's lock. Without Redis every batch gets it."""
    lock = redis_connection().lock(f"{settings.REDIS_PREFIX}mail-batch", timeout=LOCKED, blocking=False)
    try:
        mine = lock.acquire()
    except RedisError as error:
        log.warning("Mails are sent without a lock, Redis is away: %s", error)
        yield True
        return
    try:
        yield mine
    finally:
        if mine:
            _unlock(lock)


def _unlock(lock: Lock) -> None:
    try:
        lock.release()
    except RedisError as error:  # Redis is away, or was emptied; then there is nothing to give back
        log.warning("The lock of the mails was gone: %s", error)


def send_due(seconds: float = BATCH_SECONDS) -> int:
    """Send what is due over one connection, for at most `seconds`. Returns how many the mail server took.

    Ends early when the server is away.
    """
    give_up_stranded()
    sent, ends = 0, time.monotonic() + seconds
    connection = get_connection(settings.OUTBOX_BACKEND, fail_silently=False)
    assert isinstance(connection, Smtp)
    try:
        while time.monotonic() < ends and (row := claim()) is not None:
            sent += deliver(row, connection)
    except ServerAway as away:
        log.warning("The mail server is away, mails wait: %s", away)
    finally:
        hang_up(connection)
    return sent


def deliver(row: Mail, connection: Smtp) -> bool:
    """Send one mail and store the result; whether the server took it. Raises ServerAway, which counts as an attempt
    too."""
    try:
        submit(row, connection)
    except Exception as error:
        drop(connection)
        record_failure(row, error)
        if isinstance(error, ServerAway | SoftTimeLimitExceeded):
            raise
        return False
    note_sent(row, timezone.now())
    row.state, row.sent_at, row.source, row.error = Mail.State.SENT, timezone.now(), b"", ""
    row.save(update_fields=["state", "sent_at", "source", "error"])
    return True


def submit(row: Mail, connection: Smtp) -> None:
    """Pass one mail to the server. Raises ServerAway where the server is at fault, any other error where the mail
    is."""
    source = bytes(row.source)
    message = email.message_from_bytes(source, policy=email.policy.SMTP)
    sender, recipient = envelope_address(str(message["From"])), envelope_address(row.to)
    try:
        connection.open()
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:  # also an invalid host name
        raise ServerAway(error_line(error)) from error
    assert connection.connection is not None
    try:
        connection.connection.sendmail(sender, [recipient], source)
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError):
        raise  # the server works, and does not accept this mail
    except OSError as error:  # a time-out, or the connection was closed
        raise ServerAway(error_line(error)) from error


def drop(connection: Smtp) -> None:
    """Close a connection in an unknown state, without QUIT."""
    if connection.connection is not None:
        connection.connection.close()
        connection.connection = None


def hang_up(connection: Smtp) -> None:
    """Close a connection with QUIT; an error in reply is only logged."""
    try:
        connection.close()
    except OSError as error:
        log.info("The mail server did not say goodbye: %s", error_line(error))
        drop(connection)


def error_line(error: Exception) -> str:
    """Return an error as one line of at most 300 characters that PostgreSQL can store."""
    text = str(error) if isinstance(error, ServerAway) else f"{type(error).__name__}: {error}"
    return " ".join(text.encode(errors="replace").decode().replace("\0", " ").split())[:300]


def record_failure(row: Mail, error: Exception) -> None:
    """Store a failed attempt: schedule the next one, or give up after the last."""
    row.error = error_line(error)
    if row.attempts > len(DELAYS):
        row.state = Mail.State.FAILED
        log.error("Mail %s was given up after %d attempts: %s", row.pk, row.attempts, row.error)
    else:
        row.next_at = timezone.now() + timedelta(seconds=delay(row))
        log.warning("Mail %s could not be sent, attempt %d: %s", row.pk, row.attempts, row.error)
    row.save(update_fields=["state", "error", "next_at"])


def retry_failed(mails: QuerySet[Mail]) -> int:
    """Queue mails that were given up for another round of attempts. Returns how many."""
    number = mails.filter(state=Mail.State.FAILED).update(state=Mail.State.WAITING, attempts=0, next_at=timezone.now())
    transaction.on_commit(wake, robust=True)
    return number
