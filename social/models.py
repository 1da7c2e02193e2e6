"""Relations between people: follows, blocks, and the threads of their messages."""

from __future__ import annotations

from collections.abc import Collection

import pgtrigger
from django.db import models
from django.db.models import F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import TypedColumn
from core.text import Text
from people.models import User

BODY = Text(2000, lines=True)


class Follow(models.Model):
    """`follower` is interested in `followed`, who comes first in the follower's live bar."""

    follower = models.ForeignKey(User, models.CASCADE, related_name="following_rows", verbose_name=_("follower"))
    followed = models.ForeignKey(User, models.CASCADE, related_name="follower_rows", verbose_name=_("followed"))
    since = models.DateTimeField(_("since"), default=timezone.now)

    class Meta:
        verbose_name = _("follow")
        verbose_name_plural = _("follows")
        constraints = [
            models.UniqueConstraint(fields=["follower", "followed"], name="follow_once"),
            models.CheckConstraint(condition=~Q(follower=F("followed")), name="follow_not_oneself"),
        ]

    def __str__(self) -> str:
        return f"{self.follower_id} → {self.followed_id}"


class Block(models.Model):
    """`blocker` and `blocked` neither follow nor write to each other; `blocked` is out of the rooms of `blocker`.

    `undid_follow` is whether `blocked` believes to follow `blocker`: they did until then, or asked to since. They are
    answered as if they did, so that the block does not show. `undid_own_follow` is whether `blocker` followed `blocked`
    until then: `blocked` may write as if that still stood. `settled` is whether the apps above have done what follows
    from it (`social.signals.blocked`); until then it is done again.
    """

    blocker = models.ForeignKey(User, models.CASCADE, related_name="blocking_rows", verbose_name=_("blocker"))
    blocked = models.ForeignKey(User, models.CASCADE, related_name="blocked_rows", verbose_name=_("blocked"))
    undid_follow = models.BooleanField(_("ended a follow"), default=False)
    undid_own_follow = models.BooleanField(_("ended a follow of their own"), default=False)
    since = models.DateTimeField(_("since"), default=timezone.now)
    settled = models.BooleanField(default=False, editable=False)

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("blocks")
        constraints = [
            models.UniqueConstraint(fields=["blocker", "blocked"], name="block_once"),
            models.CheckConstraint(condition=~Q(blocker=F("blocked")), name="block_not_oneself"),
        ]
        indexes = [
            models.Index(fields=["blocked"], name="block_by_blocked"),
            models.Index(fields=["since"], condition=Q(settled=False), name="block_unsettled"),
        ]

    def __str__(self) -> str:
        return f"{self.blocker_id} ⊘ {self.blocked_id}"


class Thread(models.Model):
    """Messages between two accounts, `low` and `high` by primary key; without `high`, official messages to `low`."""

    low = models.ForeignKey(User, models.PROTECT, related_name="+")
    high = models.ForeignKey(User, models.PROTECT, related_name="+", null=True, blank=True)
    begun_at = models.DateTimeField(_("begun"), default=timezone.now)

    class Meta:
        verbose_name = _("thread")
        verbose_name_plural = _("threads")
        constraints = [
            models.UniqueConstraint(fields=["low", "high"], nulls_distinct=False, name="thread_one_a_pair"),
            models.CheckConstraint(condition=Q(high=None) | Q(low__lt=F("high")), name="thread_low_before_high"),
        ]

    def __str__(self) -> str:
        return f"{self.low_id} – {self.high_id or 'official'}"


class ThreadSide(models.Model):
    """A thread as one of its people has it. The inbox is sorted by `last_at`, when something last appeared in it; a
    side without it shows nothing: neither that somebody whom its person blocks wrote, nor what they deleted."""

    thread = models.ForeignKey(Thread, models.CASCADE, related_name="sides", verbose_name=_("thread"))
    user = models.ForeignKey(User, models.PROTECT, related_name="thread_sides", verbose_name=_("person"))
    last_at = models.DateTimeField(_("last message"), null=True, blank=True)

    class Meta:
        verbose_name = _("side of a thread")
        verbose_name_plural = _("sides of threads")
        constraints = [models.UniqueConstraint(fields=["thread", "user"], name="thread_side_once")]
        indexes = [models.Index(fields=["user", "-last_at"], condition=Q(last_at__isnull=False), name="thread_inbox")]

    def __str__(self) -> str:
        return f"thread {self.thread_id} of {self.user_id}"


class MessageQuerySet(models.QuerySet["Message"]):
    """Messages, by how their two people have them."""

    def seen_by(self, user: int | OuterRef) -> MessageQuerySet:
        """Those that a person, by primary key, sees: their own, and what was delivered to them, but for what they
        deleted."""
        delivered = Q(receiver=user, delivered_at__isnull=False, receiver_cleared=False)
        return self.filter(Q(sender=user, sender_cleared=False) | delivered)

    def unread_by(self, users: Collection[int]) -> MessageQuerySet:
        """Those that were delivered to these people and neither read nor deleted by them."""
        return self.filter(receiver__in=users, delivered_at__isnull=False, read=False)

    def seen_by_nobody(self) -> MessageQuerySet:
        """Those that both sides deleted, or the only one that could see them, and that are not on their way."""
        return self.filter(Q(sender=None) | Q(sender_cleared=True), Q(withheld=True) | Q(receiver_cleared=True))


class Message(models.Model):
    """One line or card of a thread; official ones have no sender.

    `kind` is a name in `social.hooks.message_kinds`; `data` is what that kind needs. Until `delivered_at` only the
    sender sees it, and for good where it is `withheld`: the receiver blocks the sender, who must not notice. `once` is
    the sender's own mark, by which a repeated request is the same message. What is read and deleted stands with each
    message, so that numbers of unread ones are counted, never kept, whatever the order of delivery.
    """

    thread = models.ForeignKey(Thread, models.CASCADE, related_name="messages", verbose_name=_("thread"))
    sender = models.ForeignKey(
        User, models.PROTECT, related_name="sent_messages", null=True, blank=True, verbose_name=_("sender")
    )
    receiver = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("receiver"))
    kind = models.CharField(_("kind"), max_length=20, default="text")
    body = TypedColumn(_("text"), text=BODY, blank=True)
    data = models.JSONField(_("data"), default=dict, blank=True)
    once = models.CharField(max_length=64, blank=True, default="", editable=False)
    sent_at = models.DateTimeField(_("sent"), default=timezone.now)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    withheld = models.BooleanField(default=False, editable=False)
    read = models.BooleanField(_("read"), default=False)  # by the receiver; also once they deleted it
    sender_cleared = models.BooleanField(_("deleted by the sender"), default=False)
    receiver_cleared = models.BooleanField(_("deleted by the receiver"), default=False)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(fields=["sender", "once"], condition=~Q(once=""), name="message_once"),
            models.CheckConstraint(condition=~Q(kind="text", body=""), name="message_text_has_words"),
            models.CheckConstraint(condition=Q(sender=None) | ~Q(sender=F("receiver")), name="message_not_oneself"),
            models.CheckConstraint(
                condition=Q(delivered_at=None) | Q(withheld=False), name="message_delivered_or_withheld"
            ),
            models.CheckConstraint(
                condition=Q(delivered_at__isnull=False) | Q(read=False, receiver_cleared=False),
                name="message_read_after_delivery",
            ),
            models.CheckConstraint(condition=Q(receiver_cleared=False) | Q(read=True), name="message_deleted_is_read"),
        ]
        indexes = [
            models.Index(fields=["thread", "id"], name="message_of_thread"),
            models.Index(fields=["sent_at"], name="message_by_age"),
            models.Index(fields=["id"], condition=Q(delivered_at=None, withheld=False), name="message_undelivered"),
            models.Index(
                fields=["receiver", "thread"],
                condition=Q(delivered_at__isnull=False, read=False),
                name="message_unread",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.sender_id or 'Stamtafel'} in {self.thread_id}"


class MessageTakedown(models.Model):
    """Moderators removed a message: both sides read that instead of it. `kind`, `body` and `data` are what it was, and
    is again once the last takedown is lifted; the row goes with the message.

    Several may stand at once, each of another decision. `once` names the decision that imposed it: imposed again under
    the same name, it is the same row.
    """

    # The database deletes it with its message (migration 0006). If Django did, a deletion would take more statements
    # where there are messages to delete: a sender could measure whether theirs are withheld.
    message = models.ForeignKey(
        Message, models.DO_NOTHING, db_constraint=False, related_name="takedowns", verbose_name=_("message")
    )
    kind = models.CharField(_("kind"), max_length=20)
    body = TypedColumn(_("text"), text=BODY, blank=True)
    data = models.JSONField(_("data"), default=dict, blank=True)
    since = models.DateTimeField(_("since"), default=timezone.now)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("imposed by"))
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)
    lifted_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("lifted by")
    )
    once = models.CharField(max_length=64, blank=True, default="", editable=False)

    class Meta:
        verbose_name = _("takedown of a message")
        verbose_name_plural = _("takedowns of messages")
        constraints = [
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None) | Q(lifted_at__gte=F("since")),
                name="message_takedown_lifted_after",
            ),
            models.UniqueConstraint(fields=["message", "once"], condition=~Q(once=""), name="message_takedown_once"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="message_takedown_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__lifted_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.message_id}"
