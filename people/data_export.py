"""The model of own-data downloads. `people.models` has it among its models."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

UNDER_WAY = ["waiting", "making"]
WITH_FILE = ["making", "ready"]


class DataExport(models.Model):
    """A ZIP of everything that the site keeps of an account: asked for by its owner, made by a worker, deleted in time.

    `file` is its random name below OWN_DATA_DIR. Each attempt has another one, by which a worker knows whether the
    attempt is still its own. `rooms` are keys of rooms of which something is in it: where one of them is purged, it is
    made again without. Size, checksum and times of the last ZIP stay after it is gone.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        MAKING = "making", _("being made")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")
        EXPIRED = "expired", _("deleted")

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="data_exports", verbose_name=_("person")
    )
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    asked_at = models.DateTimeField(_("asked for"), default=timezone.now)
    next_at = models.DateTimeField(_("not before"), default=timezone.now)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    file = models.CharField(_("file"), max_length=40, blank=True, default="")
    rooms = ArrayField(models.BigIntegerField(), default=list, blank=True, verbose_name=_("rooms"))
    size = models.BigIntegerField(_("size (bytes)"), null=True, blank=True)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True, default="")
    ready_at = models.DateTimeField(_("ready"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    told_at = models.DateTimeField(_("person told"), null=True, blank=True)
    downloaded_at = models.DateTimeField(_("last downloaded"), null=True, blank=True)
    ended_at = models.DateTimeField(_("deleted or given up"), null=True, blank=True)

    class Meta:
        verbose_name = _("own-data download")
        verbose_name_plural = _("own-data downloads")
        constraints = [
            models.UniqueConstraint(
                fields=["person"], condition=Q(state__in=UNDER_WAY), name="data_export_one_under_way"
            ),
            models.UniqueConstraint(fields=["person"], condition=Q(state="ready"), name="data_export_one_ready"),
            models.CheckConstraint(
                condition=Q(state__in=WITH_FILE) & ~Q(file="") | ~Q(state__in=WITH_FILE) & Q(file=""),
                name="data_export_has_a_file",
            ),
            models.CheckConstraint(
                condition=Q(state="making", lease_until__isnull=False) | ~Q(state="making") & Q(lease_until=None),
                name="data_export_lease",
            ),
            models.CheckConstraint(
                condition=~Q(state="ready")
                | Q(ready_at__isnull=False, expires_at__isnull=False, size__isnull=False) & ~Q(sha256=""),
                name="data_export_ready",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["failed", "expired"], ended_at__isnull=False)
                | ~Q(state__in=["failed", "expired"]) & Q(ended_at=None),
                name="data_export_ended",
            ),
        ]
        indexes = [models.Index(fields=["state", "next_at"], name="data_export_queue")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.state}"
