"""Models of recordings: the retained copy of a room, its files, and the folder of all recordings."""

from __future__ import annotations

from datetime import datetime, timedelta

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rooms.models.room import Room
from rooms.models.stage import Seat

TOLD_GAP_MS = 10_000  # missing sound from which a recording is shown as having a gap
NOTICE = timedelta(hours=24)  # between the announcement of a publication and the publication


class Recording(models.Model):
    """The retained copy of a room: one row from the first second on; it outlives the purge of the sound."""

    class State(models.TextChoices):
        RUNNING = "running", _("recording")
        FINISHING = "finishing", _("being finished")
        READY = "ready", _("ready")
        FAILED = "failed", _("could not be finished")
        PURGED = "purged", _("purged")

    OPEN = (State.RUNNING, State.FINISHING, State.FAILED)  # states that may still become READY

    room = models.OneToOneField(Room, models.PROTECT, related_name="recording", verbose_name=_("room"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.RUNNING)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    duration_ms = models.BigIntegerField(_("length (ms)"), null=True, blank=True)
    missing_ms = models.BigIntegerField(_("silence where sound is missing (ms)"), default=0, editable=False)
    error = models.CharField(_("error"), max_length=200, blank=True)
    # Both are written when an attempt begins, so that one that kills its worker waits longer each time too.
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, editable=False)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True, editable=False)
    # The three are set together when the host announces the publication: the replay is public from `published_at` on,
    # NOTICE later, unless somebody whose voice is in it objects. For whom it is public says the room's entry policy.
    announced_at = models.DateTimeField(_("publication announced"), null=True, blank=True)
    published_at = models.DateTimeField(_("public from"), null=True, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("published by"),
    )
    # The entry policy when the room opened; later changes are in the room's log. Rows of before there was this column
    # have the narrowest one wherever the policy was changed while the room was live.
    opened_policy = models.CharField(
        max_length=10, choices=Room.EntryPolicy.choices, default=Room.EntryPolicy.INVITED, editable=False
    )
    # Set once the waveform is drawn and the checksums that a download needs are known.
    prepared_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("recording")
        verbose_name_plural = _("recordings")
        permissions = [("retry_recording", "Can try again to finish a recording")]
        constraints = [
            models.CheckConstraint(
                condition=Q(announced_at=None, published_at=None, published_by=None)
                | Q(
                    announced_at__isnull=False,
                    published_by__isnull=False,
                    published_at__gte=F("announced_at") + NOTICE,
                ),
                name="recording_public_after_notice",
            )
        ]
        triggers = [
            pgtrigger.Protect(
                name="recording_purged_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state="purged") & ~pgtrigger.Q(new__state="purged"),
            )
        ]

    def __str__(self) -> str:
        return str(self.room)

    def is_due_public(self, now: datetime | None = None) -> bool:
        """Whether the day of its publication has come; an objection may still keep it closed."""
        return self.published_at is not None and self.published_at <= (now or timezone.now())

    @property
    def has_gap(self) -> bool:
        """Whether so much sound is missing that listeners should know; the restart of a process costs less."""
        return self.missing_ms >= TOLD_GAP_MS


class ReplayObjection(models.Model):
    """Objection of a person whose voice is in a recording to its publication. The replay is not public while one
    stands; its author alone takes it back, which deletes the row."""

    recording = models.ForeignKey(Recording, models.CASCADE, related_name="objections", verbose_name=_("recording"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("objection")
        verbose_name_plural = _("objections")
        constraints = [models.UniqueConstraint(fields=["recording", "user"], name="objection_once")]

    def __str__(self) -> str:
        return f"{self.recording_id}: {self.user_id}"


class RecordingFile(models.Model):
    """One file of a recording. `start_ms` and `duration_ms` are room time; missing sound is replaced by silence."""

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
    crc32 = models.BigIntegerField(null=True, blank=True, editable=False)  # for the zip of everything
    # Whether a track has audible sound, measured from its samples. None: not measured yet, or a mix.
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
    """Id of the folder of all recordings of this installation: one row. A marker file in the folder has the same id
    (`rooms.recording.marker`)."""

    folder = models.UUIDField()
    marked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="recordings_one_folder")]

    def __str__(self) -> str:
        return str(self.folder)
