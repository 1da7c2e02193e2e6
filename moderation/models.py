"""Models of trust and safety: reports, and the proxy of a room for its retention clock."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import TypedColumn
from core.text import Text
from rooms.models import Room

WORDS = Text(2000, lines=True)


class RoomClock(Room):
    """Proxy of an ended room, for the admin's list of retention clocks: kept, held and due."""

    class Meta:
        proxy = True
        # `view_roomclock` (made by Django) is for moderators; `view_health` opens the details of /readyz to operators.
        permissions = [("view_health", "Can see how the parts of the site are")]
        verbose_name = _("retention clock")
        verbose_name_plural = _("retention clocks")


class Notice(models.Model):
    """Columns that every report has. `receipt` is all that the reporter gets of it; `once` is the mark of a form or
    program, by which a repeated request is the same report."""

    class Category(models.TextChoices):
        CHILD_SAFETY = "child_safety", _("A child is abused or in danger")
        LIFE_IN_DANGER = "life_in_danger", _("Somebody’s life is in danger")
        VIOLENCE = "violence", _("Threats or violence")
        HATE = "hate", _("Hate against a group of people")
        HARASSMENT = "harassment", _("Harassment or bullying")
        UNDER_AGE = "under_age", _("Somebody here is too young")
        SPAM_OR_FRAUD = "spam_or_fraud", _("Spam or fraud")
        OTHER = "other", _("Something else")

    receipt = models.UUIDField(_("receipt"), default=uuid.uuid4, unique=True, editable=False)
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("reporter"))
    category = models.CharField(_("category"), max_length=14, choices=Category.choices)
    words = TypedColumn(_("in their words"), text=WORDS, blank=True)
    once = models.CharField(max_length=64, blank=True, default="", editable=False)  # "" for none
    at = models.DateTimeField(_("when"), default=timezone.now)
    erased_at = models.DateTimeField(_("words erased"), null=True, blank=True, editable=False)

    class Meta:
        abstract = True


class Report(Notice):
    """Notice to moderators about a range of a room, from `from_ms` to `to_ms` of room time, by one person (`subject`)
    or, without one, by the room as a whole."""

    room = models.ForeignKey(Room, models.PROTECT, related_name="+", verbose_name=_("room"))
    subject = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("about")
    )
    from_ms = models.PositiveBigIntegerField(_("from (ms of room time)"))
    to_ms = models.PositiveBigIntegerField(_("to (ms of room time)"))

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        constraints = [
            models.UniqueConstraint(fields=["reporter", "once"], condition=~Q(once=""), name="report_once"),
            models.CheckConstraint(condition=Q(from_ms__lt=F("to_ms")), name="report_range"),
            models.CheckConstraint(
                condition=Q(subject=None) | ~Q(subject=F("reporter")), name="report_not_about_oneself"
            ),
            models.CheckConstraint(
                condition=~Q(category="other", words="", erased_at=None), name="report_other_has_words"
            ),
            models.CheckConstraint(condition=Q(erased_at=None) | Q(words=""), name="report_erased"),
        ]
        indexes = [
            models.Index(fields=["room", "subject", "at"], name="report_of_room"),
            models.Index(fields=["at"], condition=Q(erased_at=None), name="report_not_erased"),
        ]

    def __str__(self) -> str:
        return f"{self.receipt}: {self.category} in {self.room_id}"


class MessageReport(Notice):
    """Notice to moderators about a message that its receiver got from `subject`. Moderators see what is copied into it
    (`ReportedMessage`), and nothing else of the conversation. `message` is that one's key, also when it is deleted: no
    foreign key, so that deleting messages takes the same statements whether or not one was reported."""

    message = models.BigIntegerField(_("key of the message"))
    subject = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("about"))

    class Meta:
        verbose_name = _("report of a message")
        verbose_name_plural = _("reports of messages")
        constraints = [
            models.UniqueConstraint(fields=["reporter", "once"], condition=~Q(once=""), name="message_report_once"),
            models.CheckConstraint(condition=~Q(subject=F("reporter")), name="message_report_not_about_oneself"),
            models.CheckConstraint(
                condition=~Q(category="other", words="", erased_at=None), name="message_report_other_has_words"
            ),
            models.CheckConstraint(condition=Q(erased_at=None) | Q(words=""), name="message_report_erased"),
        ]
        indexes = [
            models.Index(fields=["subject", "at"], name="message_report_of_person"),
            models.Index(fields=["at"], condition=Q(erased_at=None), name="message_report_not_erased"),
        ]

    def __str__(self) -> str:
        return f"{self.receipt}: {self.category} by message"


class ReportedMessage(models.Model):
    """One message as it stood when it was reported, in the order of the conversation: the reported one (`reported`),
    and at most five on each side that the reporter saw. `line` is its text, or that of its card in English; `data` is
    what the card said then (`social.hooks.DrawnMessage.data`), from which it is written in the language of a reader."""

    report = models.ForeignKey(MessageReport, models.CASCADE, related_name="copies", verbose_name=_("report"))
    place = models.PositiveSmallIntegerField(_("place"))
    reported = models.BooleanField(_("reported"), default=False)
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("sender")
    )
    kind = models.CharField(_("kind"), max_length=20)
    line = models.TextField(_("text"))
    data = models.JSONField(default=dict, editable=False)
    sent_at = models.DateTimeField(_("sent"))

    class Meta:
        verbose_name = _("reported message")
        verbose_name_plural = _("reported messages")
        ordering = ["report", "place"]
        constraints = [
            models.UniqueConstraint(fields=["report", "place"], name="reported_message_place"),
            models.UniqueConstraint(fields=["report"], condition=Q(reported=True), name="reported_message_once"),
        ]

    def __str__(self) -> str:
        return f"{self.place} of {self.report_id}"
