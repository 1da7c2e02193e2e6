"""Load the facts that decide who may write to whom (`social.rules.Reach`), for one sender and many receivers."""

from __future__ import annotations

from collections.abc import Collection

from people.models import User
from social.hooks import acquaintances
from social.models import Block, Message
from social.queries import seeming_followers
from social.rules import Reach, may_write


def why_not_write(sender: User, receivers: Collection[User]) -> dict[int, str | None]:
    """Return the refusal code for each receiver, None where the sender may write: a constant number of queries, the
    same ones whether or not somebody blocks."""
    pks = [receiver.pk for receiver in receivers]
    blocked = set(Block.objects.filter(blocker=sender, blocked__in=pks).values_list("blocked_id", flat=True))
    follows = set(seeming_followers(sender.pk, pks))
    known = _wrote_before(sender.pk, pks).union(*(known_to(sender.pk, pks) for known_to in acquaintances.values()))
    return {
        receiver.pk: may_write(
            Reach(
                oneself=receiver.pk == sender.pk,
                receiver_open=receiver.is_active and not receiver.signing_up,
                messages_from=receiver.messages_from,
                sender_blocks=receiver.pk in blocked,
                follows_sender=receiver.pk in follows,
                known=receiver.pk in known,
            )
        )
        for receiver in receivers
    }


def _wrote_before(sender_pk: int, receivers: Collection[int]) -> set[int]:
    """Those of the receivers from whom something was delivered to the sender."""
    written = Message.objects.filter(receiver=sender_pk, sender__in=receivers, delivered_at__isnull=False)
    return set(written.order_by().values_list("sender_id", flat=True).distinct())
