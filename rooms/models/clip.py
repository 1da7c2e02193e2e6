"""Models of clips: short parts of a room, as a video or as sound, that people take along."""

from __future__ import annotations

import secrets

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rooms.models.room import Room

LONGEST_CLIP_MS = 90_000


def new_key() -> str:
    """Make the key of a clip's address, which nobody finds by counting."""
    return secrets.token_urlsafe(16)


class Clip(models.Model):
    """A range of a room's sound as a file of its own, cut by a worker. It goes with the room's copy.

    `from_ms` and `to_ms` are room time. `file` is its name in the room's folder of clips: that of the attempt while one
    is made, and of the file once it is ready. A worker that was killed leaves a lease that ends.
    """

    class Kind(models.TextChoices):
        VIDEO = "video", _("video with captions")
        SOUND = "sound", _("sound, captions apart")

    class State(models.TextChoices):
        WAITING = "waiting", _("waits")
        MAKING = "making", _("is being made")
        READY = "ready", _("ready")
        REFUSED = "refused", _("cannot be made")
        TAKEN_BACK = "taken_back", _("taken back")

    UNDER_WAY = (State.WAITING, State.MAKING)

    class TakenBackAs(models.TextChoices):
        MAKER = "maker", _("by whoever made it")
        HOST = "host", _("by host or co-host")
        VOICE = "voice", _("by somebody whose voice is in it")

    room = models.ForeignKey(Room, models.PROTECT, related_name="clips", verbose_name=_("room"))
    key = models.CharField(max_length=22, unique=True, default=new_key, editable=False)
    kind = models.CharField(_("kind"), max_length=5, choices=Kind.choices)
    from_ms = models.PositiveIntegerField(_("from (ms)"))
    to_ms = models.PositiveIntegerField(_("to (ms)"))
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("made by"))
    asked_at = models.DateTimeField(_("asked for"), default=timezone.now)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    why = models.CharField(max_length=24, blank=True, default="", editable=False)  # code of a refusal
    file = models.CharField(max_length=40, blank=True, default="", editable=False)
    size = models.BigIntegerField(_("size (bytes)"), null=True, blank=True)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True, default="")
    # The first time that it was ready: then its voices were told, and never again where it is made anew.
    ready_at = models.DateTimeField(_("ready since"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    next_at = models.DateTimeField(default=timezone.now, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    taken_back_at = models.DateTimeField(_("taken back"), null=True, blank=True)
    taken_back_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("taken back by"),
    )
    taken_back_as = models.CharField(max_length=5, choices=TakenBackAs.choices, blank=True, default="")

    class Meta:
        verbose_name = _("clip")
        verbose_name_plural = _("clips")
        constraints = [
            models.CheckConstraint(
                condition=Q(to_ms__gt=F("from_ms"), to_ms__lte=F("from_ms") + LONGEST_CLIP_MS), name="clip_range"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["making", "ready"]) ^ Q(file=""), name="clip_file_while_there_is_one"
            ),
            models.CheckConstraint(
                condition=~Q(state="ready") | Q(ready_at__isnull=False, size__gt=0) & ~Q(sha256=""),
                name="clip_ready_with_its_sum",
            ),
            models.CheckConstraint(
                condition=Q(taken_back_at=None, taken_back_by=None, taken_back_as="") & ~Q(state="taken_back")
                | Q(state="taken_back", taken_back_at__isnull=False, taken_back_by__isnull=False)
                & ~Q(taken_back_as=""),
                name="clip_taken_back_by_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["room", "-asked_at"], name="clip_of_room"),
            models.Index(fields=["next_at"], condition=Q(state__in=["waiting", "making"]), name="clip_to_make"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="clip_taken_back_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state="taken_back"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.room_id}: {self.from_ms}–{self.to_ms}"


class ClipVoice(models.Model):
    """That a person is heard in a clip, measured by the worker that cut it. They were told, and may take it back."""

    clip = models.ForeignKey(Clip, models.CASCADE, related_name="voices", verbose_name=_("clip"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("person"))

    class Meta:
        verbose_name = _("voice in a clip")
        verbose_name_plural = _("voices in clips")
        constraints = [models.UniqueConstraint(fields=["clip", "user"], name="clip_voice_once")]

    def __str__(self) -> str:
        return f"{self.clip_id}: {self.user_id}"
