"""Send messages, and deliver them.

Sending writes the message and nothing else, the same statements for everybody. Delivery is a task of its own, which
asks about blocks: a sender whom the receiver blocks is answered as everybody else, and keeps the line in their thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from core.after_commit import after_commit
from core.batches import run_each
from core.once import once_secret
from core.throttle import Limit
from people.models import User
from people.refusals import PeopleRefused
from people.standing import lock_standing, standing_of, why_not_enter
from social.actions.threads import lock_threads
from social.hooks import MessageKind, message_kinds, official_texts
from social.models import BODY, Block, Message, MessageQuerySet, Thread, ThreadSide
from social.reach import why_not_write
from social.wire import tell_unread

log = logging.getLogger(__name__)

Pair = tuple[int, int | None]  # Thread.low and Thread.high
LATE = timedelta(seconds=10)  # then the task of a delivery is taken for lost
BATCH = 200  # messages delivered in one transaction
MESSAGES = Limit("message", per_minute=20, burst=30, refused=PeopleRefused)
# To people who never wrote back, an hour: nobody writes to a whole site. Cards of invitations have limits of their own.
FIRST_MESSAGES = Limit("first-message", per_minute=20 / 60, burst=20, refused=PeopleRefused)


@dataclass(frozen=True)
class Outgoing:
    """A card to send: its receiver, and what its kind needs. One that is `withheld` only its sender ever sees."""

    receiver: User
    data: Mapping[str, Any] = field(default_factory=dict)
    withheld: bool = False


def send_text(sender: User, receiver: User, body: str, *, once: str = "") -> Message:
    """Send a line of text. The same `once` from one person to another is one message: the first is returned.

    Raises PeopleRefused: bad_value, the codes of `social.rules.may_write` and of a closed or suspended account,
    too_fast (also for too many people who never wrote themselves).
    """
    key = once_secret(sender.pk, f"{receiver.pk}:{once}") if once else ""
    if known := _sent_before(sender, key):
        return known
    MESSAGES.check(str(sender.pk))
    try:
        text = BODY.clean(body, required=True)
    except ValidationError as error:
        raise PeopleRefused("bad_value", {"body": " ".join(error.messages)}) from error
    if _is_first(sender, receiver):
        FIRST_MESSAGES.check(str(sender.pk))
    with transaction.atomic():
        lock_standing(sender.pk)  # two of the same form at once: the second finds the first
        if known := _sent_before(sender, key):
            return known
        _refuse(why_not_enter(standing_of(sender)) or why_not_write(sender, [receiver])[receiver.pk])
        (message,) = _write(sender, [Outgoing(receiver)], "text", text, key)
    return message


def send_cards(sender: User, kind: str, cards: Sequence[Outgoing]) -> list[Message]:
    """Send cards of one kind, without asking who may write: that is the caller's, who has refused some already
    (`social.reach.why_not_write`). A constant number of statements. Runs in the caller's transaction, which has locked
    the sender (`people.standing.lock_standing`)."""
    return _write(sender, cards, kind, "", "")


def send_official(receivers: Sequence[User], text: str, data: Mapping[str, Any]) -> list[Message]:
    """Send a text of `social.hooks.official_texts` by its name, with its values: it has no sender and no reply, and
    passes every block and setting. As `send_cards`."""
    if official_texts.get(text) is None:
        raise LookupError(f"{text} is no official text")
    values = {"text": text, "values": dict(data)}
    return _write(None, [Outgoing(receiver, values) for receiver in receivers], "official", "", "")


def _sent_before(sender: User, key: str) -> Message | None:
    return Message.objects.filter(sender=sender, once=key).first() if key else None


def _is_first(sender: User, receiver: User) -> bool:
    """Whether these two have no conversation: the sender sees nothing of one, and the receiver never wrote. Deleting it
    does not make room for more, and a message that was withheld counts as any other."""
    own = Message.objects.filter(sender=sender, receiver=receiver, sender_cleared=False)
    answers = Message.objects.filter(sender=receiver, receiver=sender, delivered_at__isnull=False)
    return not (own | answers).exists()


def _write(sender: User | None, cards: Sequence[Outgoing], kind: str, body: str, once: str) -> list[Message]:
    """Write one message for each card, and queue their delivery."""
    if not cards:
        return []
    now = timezone.now()
    threads = _threads(sender, [card.receiver for card in cards])
    messages = Message.objects.bulk_create(
        Message(
            thread=threads[card.receiver.pk],
            sender=sender,
            receiver=card.receiver,
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
        ThreadSide.objects.filter(thread__in=threads.values(), user=sender).update(last_at=now)
    pks = [message.pk for message in messages]
    after_commit(_queue, pks)
    return messages


def _queue(pks: Sequence[int]) -> None:
    from social.tasks import deliver

    for start in range(0, len(pks), BATCH):
        deliver.delay(list(pks[start : start + BATCH]))


def _threads(sender: User | None, receivers: Sequence[User]) -> dict[int, Thread]:
    """The thread with each receiver, by the receiver's key, locked, and made with its sides where it is missing."""
    pairs = {receiver.pk: _pair(sender, receiver) for receiver in receivers}
    by_pair = _locked_threads(sender, pairs)
    if len(by_pair) < len(pairs):  # a sweep deleted one that was empty meanwhile
        by_pair = _locked_threads(sender, pairs)
    threads = {pk: by_pair[pair] for pk, pair in pairs.items()}
    people = [(threads[pk], pk) for pk in pairs]
    if sender is not None:
        people += [(thread, sender.pk) for thread in threads.values()]
    people.sort(key=lambda side: (side[0].pk, side[1]))
    ThreadSide.objects.bulk_create(
        [ThreadSide(thread=thread, user_id=pk) for thread, pk in people], ignore_conflicts=True
    )
    return threads


def _locked_threads(sender: User | None, pairs: Mapping[int, Pair]) -> dict[Pair, Thread]:
    """Make the threads of these pairs where they are missing, and lock them in the order of their keys.

    Rows are inserted in the order of their people: two transactions that make the same threads do not wait for each
    other.
    """
    wanted = sorted(pairs.values(), key=lambda pair: (pair[0], pair[1] or 0))
    Thread.objects.bulk_create([Thread(low_id=low, high_id=high) for low, high in wanted], ignore_conflicts=True)
    rows = Thread.objects.select_for_update(no_key=True, of=("self",)).order_by("pk")
    if sender is None:
        rows = rows.filter(low__in=pairs, high=None)
    else:
        rows = rows.filter(Q(low=sender, high__in=pairs) | Q(high=sender, low__in=pairs))
    return {(thread.low_id, thread.high_id): thread for thread in rows}


def _pair(sender: User | None, receiver: User) -> Pair:
    if sender is None:
        return receiver.pk, None
    return min(sender.pk, receiver.pk), max(sender.pk, receiver.pk)


def deliver_messages(pks: Sequence[int]) -> int:
    """Deliver these messages, or withhold them where their receiver blocks the sender; returns how many. Each once,
    however often this runs."""
    with transaction.atomic():
        waiting = Message.objects.filter(pk__in=pks, delivered_at=None, withheld=False)
        lock_threads(set(waiting.values_list("thread_id", flat=True)))
        messages = list(waiting.order_by("pk"))  # read again: another delivery may have come first
        blocks = _blocks(messages)
        now = timezone.now()
        withheld = [message for message in messages if (message.receiver_id, message.sender_id) in blocks]
        delivered = [message for message in messages if (message.receiver_id, message.sender_id) not in blocks]
        _rows(withheld).update(withheld=True)
        _rows(delivered).update(delivered_at=now)
        _show(delivered, now)
        _follow_up(delivered)
        told = {message.receiver_id for message in delivered}
        _rows(withheld).seen_by_nobody().delete()  # its sender deleted it on its way
        after_commit(tell_unread, told)
    return len(messages)


def _follow_up(messages: Sequence[Message]) -> None:
    """Have each kind do what follows from the delivery of its messages. One that fails delays no message."""
    by_kind: dict[str, list[Message]] = {}
    for message in messages:
        by_kind.setdefault(message.kind, []).append(message)

    def follow_up(kind: str) -> None:
        with transaction.atomic():
            kinds[kind].delivered(by_kind[kind])

    kinds: dict[str, MessageKind] = dict(message_kinds.items())
    run_each([kind for kind in by_kind if kind in kinds], follow_up, "what follows from a delivery")


def _rows(messages: Sequence[Message]) -> MessageQuerySet:
    return Message.objects.filter(pk__in=[message.pk for message in messages])


def _show(delivered: Sequence[Message], now: datetime) -> None:
    """Put the threads of messages that were just delivered on top of their receivers' inboxes; one statement."""
    received = _rows(delivered).filter(receiver=OuterRef("user"))
    threads = {message.thread_id for message in delivered}
    sides = ThreadSide.objects.filter(Exists(received.filter(thread=OuterRef("thread"))), thread__in=threads)
    sides.update(last_at=now)


def _blocks(messages: Sequence[Message]) -> set[tuple[int, int | None]]:
    """(blocker, blocked) for the people of these messages."""
    senders = {message.sender_id for message in messages if message.sender_id is not None}
    rows = Block.objects.filter(blocker__in={message.receiver_id for message in messages}, blocked__in=senders)
    return set(rows.values_list("blocker_id", "blocked_id"))


def deliver_left(now: datetime) -> int:
    """Deliver messages whose own task was lost with its queue or worker. Returns the number of batches."""
    left = Message.objects.filter(delivered_at=None, withheld=False, sent_at__lt=now - LATE).order_by("pk")
    pks = list(left.values_list("pk", flat=True)[: 50 * BATCH])
    batches = [pks[start : start + BATCH] for start in range(0, len(pks), BATCH)]
    work: Callable[[list[int]], object] = deliver_messages
    return run_each(batches, work, "the delivery of messages")


def _refuse(code: str | None) -> None:
    if code is not None:
        raise PeopleRefused(code)
