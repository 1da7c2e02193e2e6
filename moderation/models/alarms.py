"""Alarms to staff: what each was about, and when it was told."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from moderation.models.cases import Case


class Alarm(models.Model):
    """An alarm about a case. `told_at` is empty while it waits to be told together with others (`alone` False)."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="alarms", verbose_name=_("case"))
    kind = models.CharField(max_length=20, editable=False)  # a key of `moderation.wording.ALARMS`
    at = models.DateTimeField(_("when"), default=timezone.now)
    told_at = models.DateTimeField(null=True, editable=False)
    alone = models.BooleanField(default=False, editable=False)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["kind", "at"], name="alarm_lately"),
            models.Index(fields=["at"], condition=Q(told_at=None), name="alarm_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} in {self.case_id}"
