"""Measures of moderators on a room's recording and title: what the actions of this app obey until they are lifted."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import TypedColumn
from rooms.models.room import TITLE, TOPIC, Room


class Measure(models.Model):
    """Base of measures: when and by whom one was imposed, and when and by whom it was lifted, which is final.

    Several of a kind may stand at once, each of another decision; what they close stays closed until the last is
    lifted. `once` names the decision that imposed it: imposed again under the same name, it is the same row.
    """

    since = models.DateTimeField(_("since"), default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("imposed by")
    )
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("lifted by")
    )
    once = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None) | Q(lifted_at__gte=F("since")),
                name="%(class)s_lifted_after_it_began",
            ),
            models.UniqueConstraint(fields=["room", "once"], condition=~Q(once=""), name="%(class)s_once"),
        ]
        indexes = [models.Index(fields=["room"], condition=Q(lifted_at=None), name="%(class)s_standing")]


class Restriction(Measure):
    """Closes a room's recording for everybody outside the staff: download, replay, transcript, search, cards, feeds.
    One that is imposed while the room is live closes the later copy."""

    class Reason(models.TextChoices):
        DECISION = "decision", _("a decision")
        CHILD_SAFETY = "child_safety", _("a report of child abuse, until it was looked at")
        AT_ONCE = "at_once", _("at once, before the decision")

    room = models.ForeignKey(Room, models.PROTECT, related_name="restrictions", verbose_name=_("room"))
    reason = models.CharField(_("reason"), max_length=12, choices=Reason.choices)

    class Meta(Measure.Meta):
        verbose_name = _("restriction of a recording")
        verbose_name_plural = _("restrictions of recordings")
        triggers = [
            pgtrigger.Protect(
                name="restriction_lifted_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__lifted_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.room_id} {self.reason}"


class TitleTakedown(Measure):
    """Replaces a room's title by words that say so, and removes its topic: the two are one text. `title` and `topic`
    are what they were, and are again once the last takedown is lifted; a takedown has the topic only while it stands,
    so that a purge can blank it. The database refuses others meanwhile (`Room.Meta.triggers`)."""

    room = models.ForeignKey(Room, models.PROTECT, related_name="title_takedowns", verbose_name=_("room"))
    title = TypedColumn(_("title"), text=TITLE)
    topic = TypedColumn(_("topic"), text=TOPIC, blank=True, default="", db_default="")

    class Meta(Measure.Meta):
        verbose_name = _("takedown of a title")
        verbose_name_plural = _("takedowns of titles")
        constraints = [
            *Measure.Meta.constraints,
            models.CheckConstraint(condition=Q(lifted_at=None) | Q(topic=""), name="topic_while_it_stands"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="title_takedown_lifted_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__lifted_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.room_id}"
