"""What happens: rooms, who sat where, what everybody saw, and the copy that is kept.

Rules that matter also stand in the database: one live room a host, one open seat a person, ten places on stage,
a log that nobody edits.
"""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime

import pgtrigger
from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import TypedColumn
from core.text import Text, isolated

# No 0/O, 1/l/I: people read room addresses aloud.
_SLUG_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


TOLD_GAP_MS = 10_000
TITLE = Text(120)
TOPIC = Text(280, lines=True)


def new_slug() -> str:
    """10 letters, about 49 bits: a room's address cannot be guessed."""
    return "".join(secrets.choice(_SLUG_LETTERS) for _ in range(10))


class Room(models.Model):
    """One live audio conversation. Room time is milliseconds since `started_at`."""

    class Status(models.TextChoices):
        SCHEDULED = "scheduled", _("Scheduled")
        LIVE = "live", _("Live")
        ENDED = "ended", _("Ended")
        CANCELLED = "cancelled", _("Cancelled")

    class SpeakPolicy(models.TextChoices):
        EVERYONE = "everyone", _("Everyone")
        FOLLOWED = "followed", _("People the host follows")
        INVITED = "invited", _("Only people the host invites")

    class EntryPolicy(models.TextChoices):
        ANYONE = "anyone", _("Anyone with the link")
        SIGNED_IN = "signed_in", _("Signed-in people")
        FOLLOWERS = "followers", _("The host’s followers")
        INVITED = "invited", _("Only people the host invites")

    class EndReason(models.TextChoices):
        HOST = "host", _("The host ended it")
        HOST_GONE = "host_gone", _("The host lost the connection")
        STAGE_EMPTY = "stage_empty", _("Nobody was on stage any more")
        TIME_UP = "time_up", _("Its time was up")
        STAFF = "staff", _("Staff ended it")

    slug = models.CharField(_("address"), max_length=16, unique=True, default=new_slug, editable=False)
    host = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="hosted_rooms", verbose_name=_("host")
    )
    title = TypedColumn(_("title"), text=TITLE)
    topic = TypedColumn(_("topic"), text=TOPIC, blank=True)
    language = models.CharField(_("language"), max_length=8, default="en", choices=settings.LANGUAGES)
    speak_policy = models.CharField(
        _("who may speak"), max_length=10, choices=SpeakPolicy.choices, default=SpeakPolicy.EVERYONE
    )
    entry_policy = models.CharField(
        _("who may come in"), max_length=10, choices=EntryPolicy.choices, default=EntryPolicy.ANYONE
    )
    transcription = models.BooleanField(_("transcription"), default=True)
    max_speakers = models.PositiveSmallIntegerField(_("places on stage"), default=10)
    is_demo = models.BooleanField(_("demo"), default=False, editable=False)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.LIVE)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    end_reason = models.CharField(_("why it ended"), max_length=12, choices=EndReason.choices, blank=True)
    ends_by = models.DateTimeField(_("ends at the latest"), null=True, blank=True)
    seq = models.BigIntegerField(_("last event"), default=0, editable=False)
    # Part of every address of live sound: a new one (`actions.new_epoch`) ends all that were given out.
    epoch = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    host_lost_at = models.DateTimeField(_("host lost"), null=True, blank=True, editable=False)
    stage_empty_at = models.DateTimeField(_("stage empty since"), null=True, blank=True, editable=False)
    # Nothing is kept of what is said from then on: there is no room on the disk. Everybody in the room is told.
    recording_paused_at = models.DateTimeField(_("recording paused"), null=True, blank=True, editable=False)
    # Set by the purge alone, before the first file goes: from then on nobody may read the copy or add to it.
    purged_at = models.DateTimeField(_("copy purged"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        constraints = [
            models.UniqueConstraint(fields=["host"], condition=Q(status="live"), name="room_one_live_a_host"),
            models.CheckConstraint(
                condition=Q(status="live", started_at__isnull=False, ended_at=None)
                | Q(status="ended", started_at__isnull=False, ended_at__isnull=False, ended_at__gte=F("started_at"))
                | Q(status__in=["scheduled", "cancelled"]),
                name="room_status_and_times",
            ),
            models.CheckConstraint(condition=Q(max_speakers__range=(1, 10)), name="room_max_speakers"),
            models.CheckConstraint(condition=~Q(title=""), name="room_has_title"),
            models.CheckConstraint(condition=Q(purged_at=None) | Q(status="ended"), name="room_purged_after_end"),
        ]
        indexes = [
            models.Index(fields=["status", "-started_at"], name="room_live_now"),
            # What the purge looks for: a few hundred rooms, however many there have ever been.
            models.Index(fields=["ended_at"], condition=Q(status="ended", purged_at=None), name="room_to_purge"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="room_over_is_over",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__status__in=["ended", "cancelled"])
                & pgtrigger.Q(old__status__df=pgtrigger.F("new__status")),
            ),
            pgtrigger.Protect(
                name="room_purged_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__purged_at__isnull=False, new__purged_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return isolated(self.title)

    def get_absolute_url(self) -> str:
        return f"/r/{self.slug}/"

    @property
    def is_live(self) -> bool:
        return self.status == self.Status.LIVE

    def room_time(self, at: datetime | None = None) -> int:
        """Milliseconds since the room started; 0 before that."""
        if self.started_at is None:
            return 0
        return max(0, round(((at or timezone.now()) - self.started_at).total_seconds() * 1000))


class Consent(models.Model):
    """A person agreed to being recorded in a room, before the microphone opened."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="consents", verbose_name=_("room"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))
    text_version = models.CharField(_("text agreed to"), max_length=20)
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [models.UniqueConstraint(fields=["room", "user", "text_version"], name="consent_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.room_id}: {self.text_version}"


class Seat(models.Model):
    """One stint on stage: from sitting down to standing up. The host sits at place 0, speakers at 1 to ten."""

    class Role(models.TextChoices):
        HOST = "host", _("host")
        COHOST = "cohost", _("co-host")
        SPEAKER = "speaker", _("speaker")

    class LeftReason(models.TextChoices):
        LEFT = "left", _("stood up")
        UNSEATED = "unseated", _("taken off the stage")
        LOST = "lost", _("lost the connection")
        ROOM_ENDED = "room_ended", _("the room ended")

    room = models.ForeignKey(Room, models.CASCADE, related_name="seats", verbose_name=_("room"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="seats", verbose_name=_("person"))
    role = models.CharField(_("role"), max_length=8, choices=Role.choices, default=Role.SPEAKER)
    place = models.PositiveSmallIntegerField(_("place"))
    muted = models.BooleanField(_("microphone off"), default=True)
    mic_page = models.CharField(_("page with the microphone"), max_length=36, blank=True, default="", editable=False)
    taken_at = models.DateTimeField(_("sat down"), default=timezone.now)
    left_at = models.DateTimeField(_("stood up"), null=True, blank=True)
    left_reason = models.CharField(_("why they left"), max_length=10, choices=LeftReason.choices, blank=True)

    class Meta:
        verbose_name = _("seat")
        verbose_name_plural = _("seats")
        constraints = [
            models.UniqueConstraint(fields=["room", "user"], condition=Q(left_at=None), name="seat_one_a_person"),
            models.UniqueConstraint(fields=["room", "place"], condition=Q(left_at=None), name="seat_one_a_place"),
            # Place 0 is the host's, 1–10 speakers', 11 and 12 the co-hosts': with the two above, the stage's size.
            models.CheckConstraint(
                condition=Q(role="host", place=0)
                | Q(role="speaker", place__range=(1, 10))
                | Q(role="cohost", place__range=(11, 12)),
                name="seat_place_of_role",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="seat_within_stage",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                func=pgtrigger.Func(  # type: ignore[no-untyped-call]
                    """
                    IF NEW.left_at IS NULL AND NEW.role = 'speaker'
                       AND NEW.place > (SELECT max_speakers FROM rooms_room WHERE id = NEW.room_id) THEN
                        RAISE EXCEPTION 'stage_full' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                    """
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.place} in {self.room_id}"


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
