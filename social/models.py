"""Relations between people: follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.models import User

if TYPE_CHECKING:
    pass


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
