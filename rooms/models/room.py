"""The model of a room."""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime
from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, DateTimeRangeField, RangeOperators
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Case, F, Func, Q, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from core.fields import TypedColumn
from core.text import Text, isolated

# No 0/O, 1/l/I: people read room addresses aloud.
_SLUG_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


OVER = ["ended", "cancelled"]  # neither live nor to come; a cancelled room never ran, but has rows, such as invitations
TITLE = Text(120)


TOPIC = Text(280, lines=True)


def new_slug() -> str:
    """Make a random address of 10 letters, about 49 bits: it cannot be guessed."""
    return "".join(secrets.choice(_SLUG_LETTERS) for _ in range(10))


# Ranges have a GiST operator class of their own, so the database needs no extension to compare a number with them. The
# zone is named because adding to a `timestamptz` depends on the session's, and an index must not.
_SAME_HOST = Func(
    F("host"), template="int8range(%(expressions)s, %(expressions)s, '[]')", output_field=BigIntegerRangeField()
)
_FIRST_HOUR = Func(
    F("starts_at"),
    template="tsrange(timezone('UTC', %(expressions)s), timezone('UTC', %(expressions)s) + interval '60 minutes')",
    output_field=DateTimeRangeField(),
)
_NEVER_BEGAN = Q(started_at=None, ended_at=None, starts_at__isnull=False) & ~Q(starts_zone="") & ~Q(starts_wall="")
_NOT_CANCELLED = Q(cancelled_at=None, cancel_reason="")


class RoomManager(models.Manager["Room"]):
    def by_slug(self, slug: str) -> Room | None:
        """Room at an address, with its host, or None; one query."""
        return self.select_related("host").filter(slug=slug).first()


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

    class CancelReason(models.TextChoices):
        HOST = "host", _("The host cancelled it")
        NOT_HELD = "not_held", _("The host did not open it")
        STAFF = "staff", _("Staff cancelled it")

    slug = models.CharField(_("address"), max_length=16, unique=True, default=new_slug, editable=False)
    host = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="hosted_rooms", verbose_name=_("host")
    )
    title = TypedColumn(_("title"), text=TITLE)
    topic = TypedColumn(_("topic"), text=TOPIC, blank=True)
    # Set by a takedown of title and topic: `title` then says so in the language of the room, `topic` is empty.
    title_removed = models.BooleanField(_("title removed"), default=False, db_default=False, editable=False)
    language = models.CharField(_("language"), max_length=8, default="en", choices=settings.LANGUAGES)
    speak_policy = models.CharField(
        _("who may speak"), max_length=10, choices=SpeakPolicy.choices, default=SpeakPolicy.EVERYONE
    )
    entry_policy = models.CharField(
        _("who may come in"), max_length=10, choices=EntryPolicy.choices, default=EntryPolicy.ANYONE
    )
    hands_locked = models.BooleanField(_("hands locked"), default=False)
    transcription = models.BooleanField(_("transcription"), default=True)
    # Set by the host: nobody makes clips, and those there are stay with host and co-hosts.
    clips_off = models.BooleanField(_("clips off"), default=False, db_default=False)
    max_speakers = models.PositiveSmallIntegerField(_("places on stage"), default=10)
    is_demo = models.BooleanField(_("demo"), default=False, editable=False)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.LIVE)
    # A prepared room: when it is to begin, and the wall time ("2026-12-24T20:00") and IANA zone that the host typed.
    starts_at = models.DateTimeField(_("to begin"), null=True, blank=True)
    starts_zone = models.CharField(_("zone"), max_length=64, blank=True, default="", db_default="")
    starts_wall = models.CharField(_("wall time"), max_length=16, blank=True, default="", db_default="")
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)
    cancel_reason = models.CharField(
        _("why it was cancelled"), max_length=8, choices=CancelReason.choices, blank=True, default="", db_default=""
    )
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    end_reason = models.CharField(_("why it ended"), max_length=12, choices=EndReason.choices, blank=True)
    ends_by = models.DateTimeField(_("ends at the latest"), null=True, blank=True)
    seq = models.BigIntegerField(_("last event"), default=0, editable=False)
    # Part of every address of live sound: a new one (`actions.new_epoch`) invalidates all earlier addresses.
    epoch = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    host_lost_at = models.DateTimeField(_("host lost"), null=True, blank=True, editable=False)
    # While the host is lost: whether a co-host gets the room if the host stays away; else it ends.
    hands_over = models.BooleanField(_("goes to a co-host"), default=False, editable=False)
    stage_empty_at = models.DateTimeField(_("stage empty since"), null=True, blank=True, editable=False)
    # Set while nothing is recorded because the disk is full. Everybody in the room is notified.
    recording_paused_at = models.DateTimeField(_("recording paused"), null=True, blank=True, editable=False)
    # Set by the purge alone, before it removes the first file: from then on the copy is neither read nor added to.
    purged_at = models.DateTimeField(_("copy purged"), null=True, blank=True, editable=False)
    # The moment from which the retention clock counts: the end, the cancellation, or when it should have begun.
    over_at = models.GeneratedField(
        expression=Coalesce("ended_at", Case(When(cancel_reason="not_held", then="starts_at"), default="cancelled_at")),
        output_field=models.DateTimeField(null=True),
        db_persist=True,
        verbose_name=_("over since"),
    )

    objects: ClassVar[RoomManager] = RoomManager()

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        constraints = [
            models.UniqueConstraint(fields=["host"], condition=Q(status="live"), name="room_one_live_a_host"),
            models.CheckConstraint(
                condition=Q(_NOT_CANCELLED, status="live", started_at__isnull=False, ended_at=None)
                | Q(
                    _NOT_CANCELLED,
                    status="ended",
                    started_at__isnull=False,
                    ended_at__isnull=False,
                    ended_at__gte=F("started_at"),
                )
                | Q(_NEVER_BEGAN, _NOT_CANCELLED, status="scheduled")
                | Q(_NEVER_BEGAN, ~Q(cancel_reason=""), status="cancelled", cancelled_at__isnull=False),
                name="room_status_and_times",
            ),
            ExclusionConstraint(
                name="room_starts_apart",
                expressions=[(_SAME_HOST, RangeOperators.OVERLAPS), (_FIRST_HOUR, RangeOperators.OVERLAPS)],
                condition=Q(status="scheduled"),
            ),
            models.CheckConstraint(condition=Q(max_speakers__range=(1, 10)), name="room_max_speakers"),
            models.CheckConstraint(condition=~Q(title=""), name="room_has_title"),
            models.CheckConstraint(condition=Q(purged_at=None) | Q(status__in=OVER), name="room_purged_after_end"),
            models.CheckConstraint(
                condition=Q(hands_over=False) | Q(host_lost_at__isnull=False), name="room_hands_over_without_host"
            ),
        ]
        indexes = [
            models.Index(fields=["status", "-started_at"], name="room_live_now"),
            # For the purge: a few hundred rooms, however many there have ever been.
            models.Index(
                fields=["over_at"],
                condition=Q(status__in=OVER, purged_at=None),
                name="room_to_purge",
            ),
            models.Index(fields=["starts_at"], condition=Q(status="scheduled"), name="room_coming_up"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="room_over_is_over",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__status__in=OVER) & pgtrigger.Q(old__status__df=pgtrigger.F("new__status")),
            ),
            pgtrigger.Protect(
                name="room_purged_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__purged_at__isnull=False, new__purged_at__isnull=True),
            ),
            pgtrigger.Trigger(
                name="room_title_taken_down",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("title", "topic", "title_removed"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Q(old__title__df=pgtrigger.F("new__title"))
                | pgtrigger.Q(old__topic__df=pgtrigger.F("new__topic"))
                | pgtrigger.Q(old__title_removed__df=pgtrigger.F("new__title_removed")),
                func="""
                    IF EXISTS (SELECT 1 FROM rooms_titletakedown WHERE room_id = OLD.id AND lifted_at IS NULL) THEN
                        RAISE EXCEPTION 'the title of this room was taken down';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return isolated(self.shown_title)

    def get_absolute_url(self) -> str:
        return f"/r/{self.slug}/"

    @property
    def shown_title(self) -> str:
        """The title, or words in the active language that moderators removed it. What shows a title shows this."""
        return gettext("Title removed") if self.title_removed else self.title

    @property
    def title_language(self) -> str:
        """The language of `shown_title`."""
        return (get_language() or self.language) if self.title_removed else self.language

    @property
    def is_live(self) -> bool:
        return self.status == self.Status.LIVE

    @property
    def is_over(self) -> bool:
        """Whether it is neither live nor to come."""
        return self.status in OVER

    @property
    def is_prepared(self) -> bool:
        return self.status == self.Status.SCHEDULED

    def room_time(self, at: datetime | None = None) -> int:
        """Milliseconds since the room started; 0 before that."""
        if self.started_at is None:
            return 0
        return max(0, round(((at or timezone.now()) - self.started_at).total_seconds() * 1000))
