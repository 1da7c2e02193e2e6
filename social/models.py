"""Relations between people: follows and blocks."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.models import User


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
    answered as if they did, so that the block does not show. `settled` is whether the apps above have done what follows
    from it (`social.signals.blocked`); until then it is done again.
    """

    blocker = models.ForeignKey(User, models.CASCADE, related_name="blocking_rows", verbose_name=_("blocker"))
    blocked = models.ForeignKey(User, models.CASCADE, related_name="blocked_rows", verbose_name=_("blocked"))
    undid_follow = models.BooleanField(_("ended a follow"), default=False)
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
