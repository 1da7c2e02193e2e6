"""Messages for tests, without a worker: what was sent is delivered when a test says so."""

from __future__ import annotations

from people.models import User
from social.actions.messages import deliver_messages, send_text
from social.models import Message, Thread
from social.threads import messages_of


def deliver() -> int:
    """Deliver everything that waits, as the tasks would; returns how many."""
    waiting = Message.objects.filter(delivered_at=None, withheld=False)
    return deliver_messages(list(waiting.values_list("pk", flat=True)))


def written(sender: User, receiver: User, *bodies: str) -> Thread:
    """Lines from one person to another who may be written to by everybody, delivered unless blocked; their thread."""
    User.objects.filter(pk=receiver.pk).update(messages_from=User.MessagesFrom.EVERYONE)
    receiver.messages_from = User.MessagesFrom.EVERYONE
    for body in bodies or ("Hello",):
        message = send_text(sender, receiver, body)
    deliver()
    return message.thread


def texts(user: User, thread: Thread) -> list[str]:
    """Lines that a person reads in a thread, oldest first."""
    return [line.drawn.text for line in messages_of(user, thread).lines]
