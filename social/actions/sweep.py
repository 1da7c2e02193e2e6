"""Deletion of messages when their time has come, and of threads in which nothing is left."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from core.after_commit import after_commit
from core.batches import run_each
from social.actions.threads import lock_threads
from social.models import Message, Thread, ThreadSide
from social.wire import tell_unread

BATCH = 500  # messages deleted in one transaction
MOST_BATCHES = 200  # in one sweep; the next goes on


def sweep_messages(now: datetime) -> tuple[int, int]:
    """Delete messages that were sent more than MESSAGES_DAYS ago, and threads without any. Returns numbers of both."""
    due = Message.objects.filter(sent_at__lt=now - timedelta(days=settings.MESSAGES_DAYS)).order_by("sent_at", "pk")
    pks = list(due.values_list("pk", flat=True)[: BATCH * MOST_BATCHES])
    batches = [pks[start : start + BATCH] for start in range(0, len(pks), BATCH)]
    run_each(batches, _delete, "the deletion of old messages")
    return len(pks) - Message.objects.filter(pk__in=pks).count(), _delete_empty_threads()


def _delete(pks: list[int]) -> None:
    """Delete messages, whatever their people did with them, and tell those who had not read them."""
    with transaction.atomic():
        messages = Message.objects.filter(pk__in=pks)
        threads = set(messages.values_list("thread_id", flat=True))
        lock_threads(threads)
        told = set(messages.filter(delivered_at__isnull=False, read=False).values_list("receiver_id", flat=True))
        messages.delete()
        _hide_empty_sides(threads)
        after_commit(tell_unread, told)


def _hide_empty_sides(threads: set[int]) -> None:
    """Take threads out of the inboxes of people who see nothing of them any more."""
    seen = Message.objects.filter(thread=OuterRef("thread")).seen_by(OuterRef("user"))
    sides = ThreadSide.objects.filter(thread__in=threads, last_at__isnull=False)
    sides.filter(~Exists(seen)).update(last_at=None)


def _delete_empty_threads() -> int:
    """Delete threads without messages. One that is in use is left to the next sweep; a sender who finds that theirs is
    gone makes it again (`social.actions.messages`)."""
    own = Message.objects.filter(thread=OuterRef("pk"))
    with transaction.atomic():
        empty = Thread.objects.select_for_update(skip_locked=True, of=("self",)).filter(~Exists(own)).order_by("pk")
        locked = list(empty.values_list("pk", flat=True)[: BATCH * MOST_BATCHES])
        used = set(Message.objects.filter(thread__in=locked).values_list("thread_id", flat=True))
        gone = set(locked) - used  # a message may have come between the search and the lock
        Thread.objects.filter(pk__in=gone).delete()
    return len(gone)
