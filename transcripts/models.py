"""Transcripts: one per room, the work items it is made of, and its cues.

An item is claimed by one worker at a time. `token` is a fencing token: every claim increments it, and a result is
written only under the current one, so that a worker whose lease expired writes nothing.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.text import isolated
from rooms.models import RecordingFile, Room, Seat
from transcripts.doubt import doubtful

# PostgreSQL's text search dictionaries; words of other languages are not stemmed.
DICTIONARIES = {"en": "english", "nl": "dutch"}
OTHER_DICTIONARY = "simple"


class Transcript(models.Model):
    """Transcript of a room. `speech_ms`: speech found, `done_ms`: of it processed, `spent_ms`: time spent on that."""

    class State(models.TextChoices):
        OFF = "off", _("off for this room")
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("being written")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    OPEN = (State.WAITING, State.RUNNING)

    room = models.OneToOneField(Room, models.CASCADE, related_name="transcript")
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    language = models.CharField(_("language"), max_length=8)
    model = models.CharField(_("model"), max_length=40, blank=True)
    version = models.CharField(_("version"), max_length=60, blank=True)
    speech_ms = models.BigIntegerField(default=0)
    done_ms = models.BigIntegerField(default=0)
    spent_ms = models.BigIntegerField(default=0)
    # For the operator: why no item can be processed. Missing weights, for example.
    trouble = models.CharField(_("trouble"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("asked for"), default=timezone.now)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    # When the host was mailed that it is finished; null again after a retry.
    told_at = models.DateTimeField(_("host told"), null=True, blank=True)

    class Meta:
        verbose_name = _("transcript")
        verbose_name_plural = _("transcripts")
        permissions = [("retry_transcript", "Can try again what could not be transcribed")]
        constraints = [
            models.CheckConstraint(
                condition=Q(speech_ms__gte=0, done_ms__gte=0, spent_ms__gte=0, done_ms__lte=F("speech_ms")),
                name="transcript_progress",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["ready", "failed"], finished_at__isnull=False)
                | Q(state__in=["off", "waiting", "running"], finished_at=None),
                name="transcript_finished_when",
            ),
            models.CheckConstraint(
                condition=Q(told_at=None) | Q(finished_at__isnull=False), name="transcript_told_when_finished"
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(finished_at__isnull=False, told_at=None), name="transcript_to_tell")
        ]

    def __str__(self) -> str:
        return str(self.room)

    @property
    def is_open(self) -> bool:
        """Whether items are waiting or running."""
        return self.state in self.OPEN


class WorkItem(models.Model):
    """Unit of work under a lease. The lease of a worker that died expires, and another worker claims the item."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    token = models.BigIntegerField(_("claim"), default=0)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    next_at = models.DateTimeField(_("next try"), null=True, blank=True)  # after a failure: not before
    worker = models.CharField(_("worker"), max_length=80, blank=True)
    error = models.CharField(_("error"), max_length=200, blank=True)

    class Meta:
        abstract = True


class TrackPlan(WorkItem):
    """Work item: find the speech in one track. Its windows are the result."""

    transcript = models.ForeignKey(Transcript, models.CASCADE, related_name="plans")
    file = models.ForeignKey(RecordingFile, models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("track")
        verbose_name_plural = _("tracks")
        constraints = [
            models.UniqueConstraint(fields=["transcript", "file"], name="plan_one_a_track"),
            models.CheckConstraint(
                condition=Q(state="running", lease_until__isnull=False) | (~Q(state="running") & Q(lease_until=None)),
                name="plan_lease_when_running",
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(state__in=["waiting", "running"]), name="plan_to_do")]

    def __str__(self) -> str:
        return self.file.path


class TranscriptionWindow(WorkItem):
    """Work item: transcribe up to 30 s of a track's speech. `spans`: `[[start_ms, end_ms], …]` of the track's file."""

    plan = models.ForeignKey(TrackPlan, models.CASCADE, related_name="windows")
    position = models.PositiveIntegerField(_("position"))
    spans = models.JSONField()
    speech_ms = models.PositiveIntegerField()
    spent_ms = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("window")
        verbose_name_plural = _("windows")
        constraints = [
            models.UniqueConstraint(fields=["plan", "position"], name="window_once"),
            models.CheckConstraint(condition=Q(speech_ms__gt=0), name="window_has_speech"),
            models.CheckConstraint(
                condition=Q(state="running", lease_until__isnull=False) | (~Q(state="running") & Q(lease_until=None)),
                name="window_lease_when_running",
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(state__in=["waiting", "running"]), name="window_to_do")]

    def __str__(self) -> str:
        return f"{self.plan_id}/{self.position}"


def _search() -> Any:
    """Build the search vector of the shown text: the correction where there is one."""
    text = Coalesce("corrected_text", "text")
    return Case(
        *[
            When(language=language, then=SearchVector(text, config=dictionary))
            for language, dictionary in DICTIONARIES.items()
        ],
        default=SearchVector(text, config=OTHER_DICTIONARY),
        output_field=SearchVectorField(),
    )


class Cue(models.Model):
    """A line said by the person of `seat`; times are ms of room time.

    `words` is `[{w, s, e, p}, …]`: word, start, end, probability. The machine's `text` is never changed; a correction
    is stored in `corrected_text`. One of kind `off` stands where a person wanted no words written down; it has none.
    """

    class Kind(models.TextChoices):
        SPEECH = "speech", _("speech")
        FAILED = "failed", _("not transcribed")
        UNCLEAR = "unclear", _("unclear")
        OFF = "off", _("captions off")

    transcript = models.ForeignKey(Transcript, models.CASCADE, related_name="cues")
    window = models.ForeignKey(TranscriptionWindow, models.CASCADE, related_name="cues")
    position = models.PositiveIntegerField(_("position"))
    seat = models.ForeignKey(Seat, models.RESTRICT, related_name="cues")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.SPEECH)
    start_ms = models.BigIntegerField(_("from"))
    end_ms = models.BigIntegerField(_("to"))
    language = models.CharField(_("language"), max_length=8)
    text = models.TextField(_("text"), blank=True)
    words = models.JSONField(_("words"), default=list)
    confidence = models.FloatField(_("confidence"), null=True, blank=True)
    model = models.CharField(_("model"), max_length=40)
    version = models.CharField(_("version"), max_length=60)
    corrected_text = models.TextField(_("corrected text"), null=True, blank=True)
    corrected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    corrected_at = models.DateTimeField(_("corrected"), null=True, blank=True)
    search = models.GeneratedField(expression=_search(), output_field=SearchVectorField(), db_persist=True)

    class Meta:
        verbose_name = _("cue")
        verbose_name_plural = _("cues")
        constraints = [
            models.UniqueConstraint(fields=["window", "position"], name="cue_once"),
            models.CheckConstraint(condition=Q(start_ms__gte=0, end_ms__gt=F("start_ms")), name="cue_from_before_to"),
            models.CheckConstraint(
                condition=(Q(kind="speech") & ~Q(text="")) | (~Q(kind="speech") & Q(text="")), name="cue_text_of_kind"
            ),
            models.CheckConstraint(
                condition=Q(corrected_text=None, corrected_at=None)
                | (Q(corrected_text__isnull=False, corrected_at__isnull=False) & ~Q(corrected_text="")),
                name="cue_correction_whole",
            ),
            models.CheckConstraint(condition=~Q(kind="off") | Q(corrected_text=None), name="cue_off_stays_empty"),
            models.CheckConstraint(
                condition=Q(confidence=None) | Q(confidence__range=(0.0, 1.0)), name="cue_confidence_range"
            ),
        ]
        indexes = [
            models.Index(fields=["transcript", "start_ms", "id"], name="cue_in_order"),
            GinIndex(fields=["search"], name="cue_search"),
        ]

    def __str__(self) -> str:
        return isolated(self.shown_text[:60])

    @property
    def is_doubtful(self) -> bool:
        """Whether the model may have invented these words, and nobody has corrected them."""
        return self.kind == self.Kind.SPEECH and self.corrected_text is None and doubtful(self.confidence)

    @property
    def shown_text(self) -> str:
        """The corrected text where there is one, else the machine's."""
        return self.text if self.corrected_text is None else self.corrected_text


class RangeState(models.TextChoices):
    """State of a range that was asked for."""

    WAITING = "waiting", _("waiting")
    RUNNING = "running", _("being written")
    READY = "ready", _("ready")
    FAILED = "failed", _("failed")


class RangeTranscript(WorkItem):
    """Work item: transcribe a range of a room (ms of room time) as case material, whether or not it has a transcript.

    Its lines are for staff who decide a case: never for the host, searches, files or downloads. `error` of a ready one
    names tracks that could not be read.
    """

    LONGEST_MS = 600_000

    room = models.ForeignKey(Room, models.CASCADE, related_name="range_transcripts", verbose_name=_("room"))
    from_ms = models.BigIntegerField(_("from"))
    to_ms = models.BigIntegerField(_("to"))
    state = models.CharField(_("state"), max_length=8, choices=RangeState.choices, default=RangeState.WAITING)
    asked_at = models.DateTimeField(_("asked for"), default=timezone.now)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    ready_at = models.DateTimeField(_("ready"), null=True, blank=True)

    class Meta:
        verbose_name = _("transcribed range")
        verbose_name_plural = _("transcribed ranges")
        constraints = [
            models.UniqueConstraint(fields=["room", "from_ms", "to_ms"], name="range_once"),
            models.CheckConstraint(
                condition=Q(from_ms__gte=0, to_ms__gt=F("from_ms"), to_ms__lte=F("from_ms") + 600_000),
                name="range_from_before_to",
            ),
            models.CheckConstraint(
                condition=Q(state="running", lease_until__isnull=False) | (~Q(state="running") & Q(lease_until=None)),
                name="range_lease_when_running",
            ),
            models.CheckConstraint(
                condition=Q(state="ready", ready_at__isnull=False) | (~Q(state="ready") & Q(ready_at=None)),
                name="range_ready_when",
            ),
            models.CheckConstraint(condition=Q(state__in=RangeState.values), name="range_state"),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(state__in=["waiting", "running"]), name="range_to_do")]

    def __str__(self) -> str:
        return f"{self.room_id}: {self.from_ms}–{self.to_ms}"


class RangeCue(models.Model):
    """A line of a range, said by `speaker`; times are ms of room time."""

    range = models.ForeignKey(RangeTranscript, models.CASCADE, related_name="cues", verbose_name=_("range"))
    speaker = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("speaker"))
    start_ms = models.BigIntegerField(_("from"))
    end_ms = models.BigIntegerField(_("to"))
    text = models.TextField(_("text"))
    confidence = models.FloatField(_("confidence"), null=True, blank=True)

    class Meta:
        verbose_name = _("line of a range")
        verbose_name_plural = _("lines of ranges")
        constraints = [
            models.CheckConstraint(condition=Q(start_ms__gte=0, end_ms__gt=F("start_ms")), name="range_cue_times"),
            models.CheckConstraint(condition=~Q(text=""), name="range_cue_has_text"),
        ]
        indexes = [models.Index(fields=["range", "start_ms", "id"], name="range_cue_in_order")]

    def __str__(self) -> str:
        return isolated(self.text[:60])


class CaptionedRoom(models.Model):
    """Lease on a live room whose captions one process writes. `token` is a fencing token, as of WorkItem.

    `next_line` is the number of the next line. Pages saw lines of which nothing was kept, so kept ones do not tell it.
    """

    room = models.OneToOneField(Room, models.CASCADE, related_name="+", verbose_name=_("room"))
    token = models.BigIntegerField(_("claim"), default=0)
    worker = models.CharField(_("worker"), max_length=80, blank=True)
    lease_until = models.DateTimeField(_("lease until"))
    next_line = models.PositiveIntegerField(_("next line"), default=1)

    class Meta:
        verbose_name = _("captioned room")
        verbose_name_plural = _("captioned rooms")

    def __str__(self) -> str:
        return f"{self.room_id}: {self.worker}"


class LiveLine(models.Model):
    """A line of live captions, as far as its words are confirmed: `[[word, start_ms, end_ms], …]` of room time.

    Rows go when the room's transcript is ready, which says the same better, or with the copy.
    """

    room = models.ForeignKey(Room, models.CASCADE, related_name="live_lines", verbose_name=_("room"))
    speaker = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("speaker"))
    line = models.PositiveIntegerField(_("line"))
    started_ms = models.BigIntegerField(_("from"))
    ended_ms = models.BigIntegerField(_("to"))
    words = models.JSONField(_("words"))
    final = models.BooleanField(_("complete"), default=False)
    created = models.DateTimeField(_("written"), default=timezone.now)

    class Meta:
        verbose_name = _("live line")
        verbose_name_plural = _("live lines")
        constraints = [
            models.UniqueConstraint(fields=["room", "line"], name="live_line_once"),
            models.CheckConstraint(
                condition=Q(started_ms__gte=0, ended_ms__gt=F("started_ms")), name="live_line_times"
            ),
        ]

    def __str__(self) -> str:
        return isolated(" ".join(str(word[0]).strip() for word in self.words)[:60])
