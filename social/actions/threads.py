"""Read threads, and delete them for oneself. Doing either twice is the same as doing it once.

Whatever changes messages of a thread locks the thread's row first (`lock_threads`), many in the order of their keys.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from core.after_commit import after_commit
from people.models import User
from social.models import Message, Thread, ThreadSide
from social.wire import tell_unread


def lock_threads(pks: Collection[int]) -> None:
    """Lock threads until this transaction ends: their messages and sides change one after the other. Accounts are
    locked before threads, never after."""
    rows = Thread.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=pks)
    list(rows.order_by("pk").values_list("pk"))


def mark_read(user: User, thread: Thread, upto: int | None = None) -> int:
    """Mark what a person sees of a thread as read, up to the message with the key `upto` (None: all), and tell their
    pages. Returns how many messages were unread."""
    with transaction.atomic():
        lock_threads([thread.pk])
        messages = Message.objects.filter(thread=thread).unread_by([user.pk])
        changed = messages.filter(**_until(upto)).update(read=True)
        if changed:
            after_commit(tell_unread, [user.pk])
    return changed


def clear_thread(user: User, thread: Thread, upto: int | None = None) -> int:
    """Delete a thread for one of its people, up to the message with the key `upto` (None: all that they see), and tell
    their pages. What both sides deleted is gone at once. Returns how many messages this person sees no more."""
    with transaction.atomic():
        lock_threads([thread.pk])
        messages = Message.objects.filter(thread=thread).seen_by(user.pk).filter(**_until(upto))
        own = messages.filter(sender=user).update(sender_cleared=True)
        received = messages.filter(receiver=user).update(receiver_cleared=True, read=True)
        Message.objects.filter(thread=thread).seen_by_nobody().delete()
        if not Message.objects.filter(thread=thread).seen_by(user.pk).exists():
            ThreadSide.objects.filter(thread=thread, user=user).update(last_at=None)
        if received:
            after_commit(tell_unread, [user.pk])
    return own + received


def _until(upto: int | None) -> dict[str, int]:
    return {} if upto is None else {"pk__lte": upto}
