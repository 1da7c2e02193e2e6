"""Receipts of purges, and how far those outside were applied to this database. They name the room by plain values, not
by foreign key, so that no cascade can delete them."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _


class PurgeReceipt(models.Model):
    """Receipt of the purge of one room's copy, or of the rows of a room that never ran. Triggers forbid deleting it,
    and changing it once it is finished.

    `begun_at` is the point of no return, `kept_at` when the receipt was also written outside of the database (None: not
    yet), `finished_at` when the last row and file were deleted. `files` lists path, kind, size in bytes and SHA-256 of
    each file, `rows` the number of deleted rows by artefact. `ended_at` is `Room.over_at`: the end, the
    cancellation, or when the room should have begun.
    """

    room = models.BigIntegerField(_("room"), unique=True)
    slug = models.CharField(_("address"), max_length=16, db_index=True)
    rule = models.CharField(_("rule"), max_length=40)
    ended_at = models.DateTimeField(_("room ended"))
    due_at = models.DateTimeField(_("due"))
    begun_at = models.DateTimeField(_("begun"))
    kept_at = models.DateTimeField(_("kept outside"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    files = models.JSONField(_("files"), default=list)
    file_count = models.PositiveIntegerField(_("number of files"))
    total_bytes = models.BigIntegerField(_("bytes"))
    rows = models.JSONField(_("rows"), default=dict)
    digest = models.CharField(_("SHA-256 of this receipt"), max_length=64)

    class Meta:
        verbose_name = _("purge receipt")
        verbose_name_plural = _("purge receipts")
        indexes = [models.Index(fields=["id"], condition=models.Q(finished_at=None), name="receipt_unfinished")]
        constraints = [
            # Never early, and nothing is deleted before the receipt is written outside of the database.
            models.CheckConstraint(
                condition=models.Q(begun_at__gte=models.F("due_at"), due_at__gte=models.F("ended_at")),
                name="receipt_never_early",
            ),
            models.CheckConstraint(
                condition=models.Q(finished_at=None) | models.Q(kept_at__isnull=False), name="receipt_kept_first"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="receipt_stays", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="receipt_done_is_done",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__finished_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slug} · {self.rule}"


class AppliedReceipts(models.Model):
    """How far one file of receipts outside (`month`: its name) was applied to this database, in bytes. A backup that is
    put back brings the position of its own time: what was written since then is applied."""

    month = models.CharField(max_length=40, unique=True)
    size = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.month}: {self.size}"
