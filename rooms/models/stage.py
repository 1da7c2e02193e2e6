"""Models of the stage: consents, seats and hands."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rooms.models.room import Room


class Consent(models.Model):
    """Consent of a person to being recorded in a room, given before the microphone opens."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="consents", verbose_name=_("room"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))
    text_version = models.CharField(_("text agreed to"), max_length=20)
    at = models.DateTimeField(_("when"), default=timezone.now)
    # Whether the room was captioned then: where captions come later, they are not of this person unasked.
    captioned = models.BooleanField(_("with captions"), default=False)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [models.UniqueConstraint(fields=["room", "user", "text_version"], name="consent_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.room_id}: {self.text_version}"


class Seat(models.Model):
    """One stay on stage, `taken_at` to `left_at`. Place 0 is the host's, 1–10 are speakers', 11 and 12 co-hosts'."""

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
    # Set by host or co-host: only they open this microphone again. Passed on to the person's next seat in the room.
    mute_held = models.BooleanField(_("microphone held off"), default=False)
    # As of `CaptionsOff`, for what everybody sees of the seat.
    captions_off = models.BooleanField(_("without captions"), default=False)
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
            # With the two constraints above, this limits the size of the stage.
            models.CheckConstraint(
                condition=Q(role="host", place=0)
                | Q(role="speaker", place__range=(1, 10))
                | Q(role="cohost", place__range=(11, 12)),
                name="seat_place_of_role",
            ),
            models.CheckConstraint(condition=Q(mute_held=False) | Q(muted=True), name="seat_held_is_muted"),
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


class Hand(models.Model):
    """One request of a listener to speak, `raised_at` to `lowered_at`. Open hands are one queue, oldest first."""

    class Outcome(models.TextChoices):
        LOWERED = "lowered", _("lowered")
        SEATED = "seated", _("came on stage")
        DECLINED = "declined", _("declined")
        LEFT = "left", _("left the room")
        LOST = "lost", _("lost the connection")
        NOT_ALLOWED = "not_allowed", _("may not be here or on a stage any more")
        ROOM_ENDED = "room_ended", _("the room ended")

    room = models.ForeignKey(Room, models.CASCADE, related_name="hands", verbose_name=_("room"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="hands", verbose_name=_("person"))
    invited = models.BooleanField(_("accepted an invitation to speak"), default=False)
    raised_at = models.DateTimeField(_("raised"), default=timezone.now)
    lowered_at = models.DateTimeField(_("lowered"), null=True, blank=True)
    outcome = models.CharField(_("how it ended"), max_length=11, choices=Outcome.choices, blank=True)

    class Meta:
        verbose_name = _("hand")
        verbose_name_plural = _("hands")
        constraints = [
            models.UniqueConstraint(fields=["room", "user"], condition=Q(lowered_at=None), name="hand_one_a_person"),
            models.CheckConstraint(
                condition=Q(lowered_at=None, outcome="") | (Q(lowered_at__isnull=False) & ~Q(outcome="")),
                name="hand_outcome_when_lowered",
            ),
        ]
        indexes = [models.Index(fields=["room", "raised_at", "id"], condition=Q(lowered_at=None), name="hand_queue")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.room_id}, {self.outcome or 'up'}"
