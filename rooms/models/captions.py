"""Model of the times in which words are not written down."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rooms.models.room import Room


class CaptionsOff(models.Model):
    """A time in which words in a room are not written down, neither as live captions nor in the kept transcript: those
    of one person who does not want it, or everybody's (`user` is null). It goes on while `until` is null.

    While the captions of the whole room are off, `Room.transcription` says so; rows for all have only times that are
    over. A person alone begins and ends theirs; but captions that are switched on begin one for those on stage or
    waiting who agreed to a recording without captions, until they say otherwise.
    """

    room = models.ForeignKey(Room, models.CASCADE, related_name="captions_off", verbose_name=_("room"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    since = models.DateTimeField(_("since"), default=timezone.now)
    until = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("time without captions")
        verbose_name_plural = _("times without captions")
        constraints = [
            models.UniqueConstraint(fields=["room", "user"], condition=Q(until=None), name="captions_off_once"),
            models.CheckConstraint(condition=Q(until=None) | Q(until__gte=F("since")), name="captions_off_times"),
            models.CheckConstraint(
                condition=Q(user__isnull=False) | Q(until__isnull=False), name="captions_off_of_all_over"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id or 'everybody'} in {self.room_id}, {'until later' if self.until else 'now'}"
