"""The retained copy of a room, its files, and the folder they are kept in."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rooms.models.room import Room
from rooms.models.stage import Seat

TOLD_GAP_MS = 10_000


class Recording(models.Model):
    """The retained copy of a room: one row from the first second until long after the sound is gone."""

    class State(models.TextChoices):
        RUNNING = "running", _("recording")
        FINISHING = "finishing", _("being finished")
        READY = "ready", _("ready")
        FAILED = "failed", _("could not be finished")
        PURGED = "purged", _("purged")

    room = models.OneToOneField(Room, models.PROTECT, related_name="recording", verbose_name=_("room"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.RUNNING)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    duration_ms = models.BigIntegerField(_("length (ms)"), null=True, blank=True)
    missing_ms = models.BigIntegerField(_("silence where sound is missing (ms)"), default=0, editable=False)
    error = models.CharField(_("error"), max_length=200, blank=True)
    # Counted when a worker begins, with the next time at once: one that kills its worker waits longer each time too.
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, editable=False)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True, editable=False)
    # The host lets everybody hear it, while it is there; off at first.
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    # Its waveform has been drawn, and what a download needs to know of its files has been read.
    prepared_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("recording")
        verbose_name_plural = _("recordings")
        permissions = [("retry_recording", "Can try again to finish a recording")]
        triggers = [
            pgtrigger.Protect(
                name="recording_purged_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state="purged") & ~pgtrigger.Q(new__state="purged"),
            )
        ]

    def __str__(self) -> str:
        return str(self.room)

    @property
    def has_gap(self) -> bool:
        """More is missing than the few seconds that a part costs when it is started again: people should know."""
        return self.missing_ms >= TOLD_GAP_MS


class RecordingFile(models.Model):
    """One file of a recording. `start_ms` and `duration_ms` are room time; silence stands where sound is missing."""

    class Kind(models.TextChoices):
        MIX = "mix", _("mix")
        TRACK = "track", _("track")

    recording = models.ForeignKey(Recording, models.CASCADE, related_name="files", verbose_name=_("recording"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    seat = models.ForeignKey(Seat, models.PROTECT, null=True, blank=True, related_name="files", verbose_name=_("seat"))
    path = models.CharField(_("file"), max_length=200)
    start_ms = models.BigIntegerField(_("begins at (ms)"))
    duration_ms = models.BigIntegerField(_("length (ms)"))
    size = models.BigIntegerField(_("size (bytes)"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    crc32 = models.BigIntegerField(null=True, blank=True, editable=False)  # what a zip says of it
    # Of a track: whether anything is heard in it, measured from its samples. None: not measured yet; None of a mix.
    has_sound = models.BooleanField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("recording file")
        verbose_name_plural = _("recording files")
        constraints = [
            models.UniqueConstraint(fields=["recording", "path"], name="file_once"),
            models.CheckConstraint(
                condition=Q(kind="mix", seat=None) | Q(kind="track", seat__isnull=False), name="file_track_has_seat"
            ),
        ]

    def __str__(self) -> str:
        return self.path


class RecordingsFolder(models.Model):
    """The folder of all recordings of this installation: one row. The folder has the same number in a file of its own
    (`rooms.recording.marker`)."""

    folder = models.UUIDField()
    marked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="recordings_one_folder")]

    def __str__(self) -> str:
        return str(self.folder)
