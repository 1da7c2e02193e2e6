"""Rows that the retention clock needs of moderation: the proxy of a room for its list of clocks, and legal holds."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import TypedColumn
from core.text import REASON, Text
from rooms.models import Room


class RoomClock(Room):
    """Proxy of an ended room, for the admin's list of retention clocks: kept, held and due."""

    class Meta:
        proxy = True
        # `view_roomclock` (made by Django) is for moderators; `view_health` opens the details of /readyz to operators.
        permissions = [("view_health", "Can see how the parts of the site are")]
        verbose_name = _("retention clock")
        verbose_name_plural = _("retention clocks")


class LegalHold(models.Model):
    """Order of an authority by which a room's copy is kept until `expires_at`, or until it is lifted."""

    room = models.ForeignKey(Room, models.PROTECT, related_name="legal_holds", verbose_name=_("room"))
    reference = TypedColumn(_("reference of the order"), text=Text(200))
    reason = TypedColumn(_("reason"), text=REASON)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("set by"))
    set_at = models.DateTimeField(_("set"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires"))
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("lifted by")
    )
    lift_reason = TypedColumn(_("why it was lifted"), text=REASON, blank=True, default="")

    class Meta:
        verbose_name = _("legal hold")
        verbose_name_plural = _("legal holds")
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("set_at")), name="legal_hold_expires"),
            models.CheckConstraint(condition=~Q(reference="") & ~Q(reason=""), name="legal_hold_reason"),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None) | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="legal_hold_lifted",
            ),
        ]
        indexes = [models.Index(fields=["room"], name="legal_hold_of_room")]

    def __str__(self) -> str:
        return f"{self.reference} ({self.room_id})"
