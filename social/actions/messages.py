"""Send messages, and deliver them.

Sending writes the message and nothing else, the same statements for everybody. Delivery is a task of its own, which
asks about blocks: a sender whom the receiver blocks is answered as everybody else, and keeps the line in their thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from core.batches import run_each
from core.once import once_secret
from core.throttle import Limit
from people.models import User
from people.refusals import PeopleRefused
from people.standing import lock_standing, standing_of, why_not_enter
from social.hooks import MessageKind, message_kinds
from social.models import BODY, Block, Message, Thread, ThreadSide
from social.reach import why_not_write
from social.wire import tell_unread

log = logging.getLogger(__name__)

LATE = timedelta(seconds=10)  # then the task of a delivery is taken for lost
BATCH = 200  # messages delivered in one transaction
MESSAGES = Limit("message", per_minute=20, burst=30, refused=PeopleRefused)


@dataclass(frozen=True)
class Outgoing:
    """A card to send: its receiver, and what its kind needs. One that is `withheld` only its sender ever sees."""

    receiver: User
    data: Mapping[str, Any] = field(default_factory=dict)
    withheld: bool = False


def send_text(sender: User, receiver: User, body: str, *, once: str = "") -> Message:
    """Send a line of text. The same `once` by the same sender is one message: the first is returned.

    Raises PeopleRefused: bad_value, the codes of `social.rules.may_write` and of a closed or suspended account,
    too_fast.
    """
    key = once_secret(sender.pk, once) if once else ""
    if known := _sent_before(sender, key):
        return known
    MESSAGES.check(str(sender.pk))
    try:
        text = BODY.clean(body, required=True)
    except ValidationError as error:
        raise PeopleRefused("bad_value", {"body": " ".join(error.messages)}) from error
    with transaction.atomic():
        lock_standing(sender.pk)  # two of the same form at once: the second finds the first
        if known := _sent_before(sender, key):
            return known
        _refuse(why_not_enter(standing_of(sender)) or why_not_write(sender, [receiver])[receiver.pk])
        (message,) = _write(sender, [Outgoing(receiver)], "text", text, key)
    return message


def send_cards(sender: User, kind: str, cards: Sequence[Outgoing]) -> list[Message]:
    """Send cards of one kind, without asking who may write: that is the caller's, who has refused some already
    (`social.reach.why_not_write`). A constant number of statements. Runs in the caller's transaction."""
    return _write(sender, cards, kind, "", "")


def send_official(receivers: Sequence[User], kind: str, data: Mapping[str, Any]) -> list[Message]:
    """Send a card that has no sender and no reply, and passes every block and setting. As `send_cards`."""
    return _write(None, [Outgoing(receiver, data) for receiver in receivers], kind, "", "")


def _sent_before(sender: User, key: str) -> Message | None:
    return Message.objects.filter(sender=sender, once=key).first() if key else None


def _write(sender: User | None, cards: Sequence[Outgoing], kind: str, body: str, once: str) -> list[Message]:
    """Write one message for each card, and queue their delivery."""
    now = timezone.now()
    threads = _threads(sender, [card.receiver for card in cards])
    messages = Message.objects.bulk_create(
        Message(
            thread=threads[card.receiver.pk],
            sender=sender,
            kind=kind,
            body=body,
            data=dict(card.data),
            once=once,
            sent_at=now,
            withheld=card.withheld,
        )
        for card in cards
    )
    if sender is not None:
        own = ThreadSide.objects.filter(thread__in=threads.values(), user=sender)
        own.update(last_at=now)
    pks = [message.pk for message in messages]
    transaction.on_commit(partial(_queue, pks), robust=True)
    return messages


def _queue(pks: Sequence[int]) -> None:
    from social.tasks import deliver

    for start in range(0, len(pks), BATCH):
        deliver.delay(list(pks[start : start + BATCH]))


def _threads(sender: User | None, receivers: Sequence[User]) -> dict[int, Thread]:
    """The thread with each receiver, by the receiver's key, made with its sides where it is missing."""
    pairs = {receiver.pk: _pair(sender, receiver) for receiver in receivers}
    wanted = [Thread(low_id=low, high_id=high) for low, high in pairs.values()]
    Thread.objects.bulk_create(wanted, ignore_conflicts=True)
    by_pair = {(thread.low_id, thread.high_id): thread for thread in _between(sender, list(pairs))}
    threads = {pk: by_pair[pair] for pk, pair in pairs.items()}
    people = [(threads[pk], pk) for pk in pairs]
    if sender is not None:
        people += [(thread, sender.pk) for thread in threads.values()]
    ThreadSide.objects.bulk_create(
        [ThreadSide(thread=thread, user_id=pk) for thread, pk in people], ignore_conflicts=True
    )
    return threads


def _pair(sender: User | None, receiver: User) -> tuple[int, int | None]:
    if sender is None:
        return receiver.pk, None
    return min(sender.pk, receiver.pk), max(sender.pk, receiver.pk)


def _between(sender: User | None, receivers: Sequence[int]) -> list[Thread]:
    if sender is None:
        return list(Thread.objects.filter(low__in=receivers, high=None))
    either = Q(low=sender, high__in=receivers) | Q(high=sender, low__in=receivers)
    return list(Thread.objects.filter(either))


def deliver_messages(pks: Sequence[int]) -> int:
    """Deliver these messages, or withhold them where their receiver blocks the sender; returns how many. Each once,
    however often this runs."""
    with transaction.atomic():
        waiting = Message.objects.select_for_update(skip_locked=True, of=("self",)).select_related("thread")
        messages = list(waiting.filter(pk__in=pks, delivered_at=None, withheld=False).order_by("pk"))
        receivers = {message.pk: _receiver(message) for message in messages}
        blocks = _blocks(messages, receivers)
        now = timezone.now()
        for message in messages:
            message.withheld = (receivers[message.pk], message.sender_id) in blocks
            message.delivered_at = None if message.withheld else now
        Message.objects.bulk_update(messages, ["withheld", "delivered_at"])
        for message in messages:
            if not message.withheld:
                side = ThreadSide.objects.filter(thread=message.thread, user=receivers[message.pk])
                side.update(unread=F("unread") + 1, last_at=now)
        _follow_up([message for message in messages if not message.withheld], receivers)
        told = {receivers[message.pk] for message in messages if not message.withheld}
        transaction.on_commit(partial(tell_unread, told), robust=True)
    return len(messages)


def _follow_up(messages: Sequence[Message], receivers: Mapping[int, int]) -> None:
    """Have each kind do what follows from the delivery of its messages. One that fails delays no message."""
    by_kind: dict[str, list[Message]] = {}
    for message in messages:
        by_kind.setdefault(message.kind, []).append(message)

    def follow_up(kind: str) -> None:
        with transaction.atomic():
            kinds[kind].delivered(by_kind[kind], receivers)

    kinds: dict[str, MessageKind] = dict(message_kinds.items())
    run_each([kind for kind in by_kind if kind in kinds], follow_up, "what follows from a delivery")


def _receiver(message: Message) -> int:
    low, high = message.thread.low_id, message.thread.high_id
    return low if high is None or message.sender_id == high else high


def _blocks(messages: Sequence[Message], receivers: Mapping[int, int]) -> set[tuple[int, int | None]]:
    """(blocker, blocked) for the people of these messages."""
    senders = {message.sender_id for message in messages if message.sender_id is not None}
    rows = Block.objects.filter(blocker__in=set(receivers.values()), blocked__in=senders)
    return set(rows.values_list("blocker_id", "blocked_id"))


def deliver_left(now: datetime) -> int:
    """Deliver messages whose own task was lost with its queue or worker. Returns the number of batches."""
    left = Message.objects.filter(delivered_at=None, withheld=False, sent_at__lt=now - LATE).order_by("pk")
    pks = list(left.values_list("pk", flat=True)[: 50 * BATCH])
    batches = [pks[start : start + BATCH] for start in range(0, len(pks), BATCH)]
    work: Callable[[list[int]], object] = deliver_messages
    run_each(batches, work, "the delivery of messages")
    return len(batches)


def _refuse(code: str | None) -> None:
    if code is not None:
        raise PeopleRefused(code)
