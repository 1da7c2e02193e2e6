"""Model of the reactions in a room, which are counted and never kept by person."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rooms.models.room import Room


class ReactionCount(models.Model):
    """How often people reacted with one kind of emoji in one second of room time; neither whose nor in which skin tone.

    `batch` names the counts that were added last, so that none is added twice (`rooms.actions.reactions`).
    """

    room = models.ForeignKey(Room, models.CASCADE, related_name="reaction_counts", verbose_name=_("room"))
    second = models.PositiveIntegerField(_("second of the room"))
    kind = models.CharField(_("kind"), max_length=20)
    count = models.PositiveIntegerField(_("number"))
    batch = models.UUIDField(editable=False)

    class Meta:
        verbose_name = _("count of reactions")
        verbose_name_plural = _("counts of reactions")
        constraints = [
            models.UniqueConstraint(fields=["room", "second", "kind"], name="reaction_second_once"),
            models.CheckConstraint(condition=Q(count__gt=0), name="reaction_counted"),
        ]

    def __str__(self) -> str:
        return f"{self.room_id}/{self.second} {self.kind}: {self.count}"
