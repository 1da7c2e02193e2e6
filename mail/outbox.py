"""Mails in production: kept in the database until the mail server has taken them, with retries; staff see which wait.

A mail is written in the transaction that caused it, so neither exists without the other; one row for each person it
goes to. It is claimed with a lease: a worker that dies while sending leaves it to the next one, and then a mail may
arrive twice rather than not at all. Whatever goes wrong counts as a failed attempt of that mail alone; when the server
itself is at fault the batch ends, because every other mail would wait just as long for it.
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
from mail.addresses import envelope
from mail.models import Mail

log = logging.getLogger(__name__)
# Before attempt n + 1, in seconds: at once, a minute … then hourly; about a day in all.
DELAYS = (60, 300, 900, 3600) + (3600,) * 20
LEASE = 300  # seconds a worker has for one mail before another may take it, at the first attempt
BATCH_SECONDS = 120.0  # of a task; then the next one goes on, a minute later at most
LOCKED = 300  # seconds after which a batch that was killed holds up no other; longer than its task may take
STRANDED = "The worker ended while it was sending this mail."


class ServerAway(Exception):
    """The mail server does not do its work now: the fault of no mail."""


class Backend(BaseEmailBackend):
    """Django's EMAIL_BACKEND: writes mails down. `mail.tasks.send_mails` sends them."""

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
    """Send soon. Without a broker the beat finds the mails within a minute."""
    from mail.tasks import send_mails  # the task imports this module

    # Beat asks every minute: what waits longer behind a server that is away is not needed any more.
    send_mails.apply_async(ignore_result=True, retry=False, expires=60)


def due() -> QuerySet[Mail]:
    """Mails whose turn it is."""
    return Mail.objects.filter(state=Mail.State.WAITING, next_at__lte=timezone.now())


def claim() -> Mail | None:
    """The next mail that is due, ours for its lease; its number of attempts already counts this one.

    The lease grows as the waits do: also a mail that ends its worker each time is tried less and less often.
    """
    with transaction.atomic():
        row = due().order_by("next_at", "pk").select_for_update(skip_locked=True).first()
        if row is not None:
            row.attempts += 1
            row.next_at = timezone.now() + timedelta(seconds=max(LEASE, delay(row)))
            row.save(update_fields=["attempts", "next_at"])
        return row


def delay(row: Mail) -> int:
    """Seconds from this attempt to the next."""
    return DELAYS[min(row.attempts, len(DELAYS)) - 1]


def give_up_stranded() -> int:
    """Give up mails whose worker died in the last attempt too. Returns how many."""
    return due().filter(attempts__gt=len(DELAYS)).update(state=Mail.State.FAILED, error=STRANDED)


def send_all_due() -> int:
    """Send until nothing is due or BATCH_SECONDS are over, unless another batch does. How many the server took.

    One batch at a time: it shares its worker with the clock of the rooms (deploy/local/programs.py), and a second one
    that waits for the server too would take the clock's place.
    """
    sent, ends = 0, time.monotonic() + BATCH_SECONDS
    while time.monotonic() < ends and due().exists():
        with the_only_batch() as mine:
            number = send_due(ends - time.monotonic()) if mine else 0
        sent += number
        if not number:  # the server is away, or the other batch looks again once it has ended
            break
    return sent


@contextmanager
def the_only_batch() -> Iterator[bool]:
    """Hold the lock of the outbox, where nobody else does. Without Redis it is held by whoever asks."""
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
    """Send what is due over one connection, for at most so long. Returns how many the mail server took.

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
    """Hand one mail over and write down what became of it. Raises ServerAway, which counts as an attempt too."""
    try:
        hand_over(row, connection)
    except Exception as error:
        drop(connection)
        failed(row, error)
        if isinstance(error, ServerAway | SoftTimeLimitExceeded):
            raise
        return False
    row.state, row.sent_at, row.source, row.error = Mail.State.SENT, timezone.now(), b"", ""
    row.save(update_fields=["state", "sent_at", "source", "error"])
    return True


def hand_over(row: Mail, connection: Smtp) -> None:
    """Give one mail to the server. Raises ServerAway where it is not there, and anything where the mail is at fault."""
    source = bytes(row.source)
    message = email.message_from_bytes(source, policy=email.policy.SMTP)
    sender, recipient = envelope(str(message["From"])), envelope(row.to)
    try:
        connection.open()
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:  # also a host's name that cannot be one
        raise ServerAway(described(error)) from error
    assert connection.connection is not None
    try:
        connection.connection.sendmail(sender, [recipient], source)
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError):
        raise  # the server is there, and does not take this mail
    except OSError as error:  # it is silent, or has hung up
        raise ServerAway(described(error)) from error


def drop(connection: Smtp) -> None:
    """Close a connection whose state is not known, without a word to the server."""
    if connection.connection is not None:
        connection.connection.close()
        connection.connection = None


def hang_up(connection: Smtp) -> None:
    """Close a connection as one should; what the server says to that is of no account."""
    try:
        connection.close()
    except OSError as error:
        log.info("The mail server did not say goodbye: %s", described(error))
        drop(connection)


def described(error: Exception) -> str:
    """An error in one line that the database takes."""
    text = str(error) if isinstance(error, ServerAway) else f"{type(error).__name__}: {error}"
    return " ".join(text.encode(errors="replace").decode().replace("\0", " ").split())[:300]


def failed(row: Mail, error: Exception) -> None:
    """Later again, or given up after the last attempt: then it stands as such in the admin."""
    row.error = described(error)
    if row.attempts > len(DELAYS):
        row.state = Mail.State.FAILED
        log.error("Mail %s was given up after %d attempts: %s", row.pk, row.attempts, row.error)
    else:
        row.next_at = timezone.now() + timedelta(seconds=delay(row))
        log.warning("Mail %s could not be sent, attempt %d: %s", row.pk, row.attempts, row.error)
    row.save(update_fields=["state", "error", "next_at"])


def try_again(mails: QuerySet[Mail]) -> int:
    """Give up mails another round. Returns how many."""
    number = mails.filter(state=Mail.State.FAILED).update(state=Mail.State.WAITING, attempts=0, next_at=timezone.now())
    transaction.on_commit(wake, robust=True)
    return number
