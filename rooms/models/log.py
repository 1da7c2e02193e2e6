"""The log of a room."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rooms.models.room import Room


class RoomEvent(models.Model):
    """The room's log: what everybody in it may know, numbered without gaps. Written by actions, edited by nobody."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="events", verbose_name=_("room"))
    seq = models.BigIntegerField(_("number"))
    type = models.CharField(_("kind"), max_length=20)
    at_ms = models.BigIntegerField(_("room time (ms)"))
    data = models.JSONField(_("content"), default=dict)
    created_at = models.DateTimeField(_("written"), default=timezone.now)

    class Meta:
        verbose_name = _("room event")
        verbose_name_plural = _("room events")
        constraints = [models.UniqueConstraint(fields=["room", "seq"], name="event_seq_once")]
        triggers = [pgtrigger.Protect(name="event_append_only", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.room_id}/{self.seq} {self.type}"
