"""Take down a message, and put it back. `moderation` calls these; it checks who may.

Everything that shows a message draws it by its kind, which a takedown changes: no page and no API has to ask. What is
read, deleted or on its way stays as it is.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from core.after_commit import after_commit
from ledger.actions import record
from people.models import User
from social.actions.threads import lock_threads
from social.kinds import REMOVED
from social.models import Message, MessageTakedown
from social.wire import tell_unread


def take_down_message(message_pk: int, by: User | None, once: str = "") -> MessageTakedown | None:
    """Remove a message for both sides. Returns None for an official one, and for one that is gone.

    With `once`, the name of a decision, the takedown that was imposed under it is returned instead, also one that was
    lifted since.
    """
    with transaction.atomic():
        message = _locked(message_pk)
        if message is None or message.sender_id is None:
            return None
        if once and (before := MessageTakedown.objects.filter(message=message, once=once).first()):
            return before
        standing = MessageTakedown.objects.filter(message=message, lifted_at=None).order_by("pk").first()
        was = message if standing is None else standing
        values = {"kind": was.kind, "body": was.body, "data": was.data}
        if standing is None:
            _redraw(message, REMOVED, "", {})
        made = MessageTakedown.objects.create(message=message, by=by, once=once, **values)
        record("message_taken_down", f"message:{message.pk}", None if by is None else by.pk, {"takedown": made.pk})
    return made


def put_back_message(takedown: MessageTakedown, by: User | None) -> bool:
    """Lift a takedown; the message is as before once none stands. Returns whether it stood, and the message is still
    there."""
    with transaction.atomic():
        message = _locked(takedown.message_id)
        row = MessageTakedown.objects.select_for_update(of=("self",)).filter(pk=takedown.pk, lifted_at=None).first()
        if message is None or row is None:
            return False
        row.lifted_at, row.lifted_by = timezone.now(), by
        row.save(update_fields=["lifted_at", "lifted_by"])
        if not MessageTakedown.objects.filter(message=message, lifted_at=None).exists():
            _redraw(message, row.kind, row.body, row.data)
        record("message_put_back", f"message:{message.pk}", None if by is None else by.pk, {"takedown": row.pk})
    return True


def _locked(message_pk: int) -> Message | None:
    """Lock the thread of a message, and load the message; None where it is gone."""
    threads = set(Message.objects.filter(pk=message_pk).values_list("thread_id", flat=True))
    lock_threads(threads)
    return Message.objects.filter(pk=message_pk).first()


def _redraw(message: Message, kind: str, body: str, data: dict[str, object]) -> None:
    """Give a message another content, and have the pages of both sides look again."""
    message.kind, message.body, message.data = kind, body, data
    message.save(update_fields=["kind", "body", "data"])
    people = [pk for pk in (message.sender_id, message.receiver_id) if pk is not None]
    after_commit(tell_unread, people)
