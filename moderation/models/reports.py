"""Models of reports: notices to moderators about a room, a person in it, a message, a title, a picture or a profile."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import TypedColumn
from core.text import Text
from moderation.models.cases import Case, SubjectKind, subject_columns
from moderation.models.rulebook import Category
from rooms.models import Room

WORDS = Text(2000, lines=True)
QUESTION = Text(1000, lines=True)
NAME = Text(100)
LAW = Text(200)


class Report(models.Model):
    """Notice to moderators, about what `kind` says. About a room or a person in it: from `from_ms` to `to_ms` of room
    time. `receipt` is all that the reporter gets of it; `once` is the mark of a form or program, by which a repeated
    request is the same report.

    `message` is the key of a message also when that is deleted: no foreign key, so that deleting messages takes the
    same statements whether or not one was reported. `shown` and `picture` are what was reported as it stood then.
    """

    class Outcome(models.TextChoices):
        FOUNDED = "founded", _("founded")
        UNFOUNDED = "unfounded", _("unfounded")

    receipt = models.UUIDField(_("receipt"), default=uuid.uuid4, unique=True, editable=False)
    case = models.ForeignKey(Case, models.PROTECT, related_name="reports", verbose_name=_("case"))
    kind = models.CharField(_("kind"), max_length=8, choices=SubjectKind.choices)
    room = models.ForeignKey(Room, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("room"))
    subject = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("about")
    )
    message = models.BigIntegerField(_("key of the message"), null=True, blank=True)
    from_ms = models.PositiveBigIntegerField(_("from (ms of room time)"), null=True, blank=True)
    to_ms = models.PositiveBigIntegerField(_("to (ms of room time)"), null=True, blank=True)
    shown = models.TextField(_("as it stood"), blank=True, default="")
    picture = models.BinaryField(_("picture as it stood"), null=True, editable=False)
    # The reporter: an account, or (signed out) a name and an address, which a child-abuse report does not need.
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("reporter")
    )
    reporter_name = TypedColumn(_("name"), text=NAME, blank=True, default="")
    reporter_email = models.EmailField(_("e-mail"), blank=True, default="")
    language = models.CharField(_("language"), max_length=8, default="en", choices=settings.LANGUAGES)
    category = models.ForeignKey(
        Category, models.PROTECT, related_name="+", db_column="category", verbose_name=_("category")
    )
    words = TypedColumn(_("in their words"), text=WORDS, blank=True)
    law = TypedColumn(_("law or rule, as they see it"), text=LAW, blank=True, default="")
    once = models.CharField(max_length=64, blank=True, default="", editable=False)  # "" for none
    at = models.DateTimeField(_("when"), default=timezone.now)
    outcome = models.CharField(_("outcome"), max_length=9, choices=Outcome.choices, blank=True, default="")
    # Last moment for the reporter's appeal; None until they were told the outcome.
    appeal_until = models.DateTimeField(_("appeal until"), null=True, blank=True)
    erased_at = models.DateTimeField(_("words erased"), null=True, blank=True, editable=False)
    # Beginning of a row's subject in the ledger, where it is not "report:<key>": reports of before cases.
    old_subject = models.CharField(max_length=40, blank=True, default="", editable=False)

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        constraints = [
            models.UniqueConstraint(
                fields=["reporter", "once"], condition=~Q(once=""), name="report_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(from_ms=None, to_ms=None) | Q(from_ms__isnull=False, from_ms__lt=F("to_ms")),
                name="report_range",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["room", "person"], from_ms__isnull=False)
                | Q(~Q(kind__in=["room", "person"]), from_ms=None),
                name="report_range_of_rooms",
            ),
            models.CheckConstraint(condition=subject_columns(), name="report_subject"),
            models.CheckConstraint(
                condition=Q(subject=None) | Q(reporter=None) | ~Q(subject=F("reporter")),
                name="report_not_about_oneself",
            ),
            models.CheckConstraint(condition=~Q(category="other", words="", erased_at=None), name="report_has_words"),
            models.CheckConstraint(
                condition=Q(reporter=None) | Q(reporter_name="", reporter_email=""), name="report_reporter"
            ),
            models.CheckConstraint(
                condition=Q(erased_at=None)
                | Q(words="", law="", shown="", picture=None, reporter_name="", reporter_email=""),
                name="report_erased",
            ),
        ]
        indexes = [
            models.Index(fields=["case", "at"], name="report_of_case"),
            models.Index(fields=["category", "case"], name="report_of_category"),
            models.Index(fields=["room", "at"], name="report_of_room"),
            models.Index(fields=["reporter", "at"], name="report_by_reporter"),
            models.Index(fields=["at"], condition=Q(erased_at=None), name="report_not_erased"),
        ]

    def __str__(self) -> str:
        return f"{self.receipt}: {self.category_id}"

    @property
    def ledger_subject(self) -> str:
        return self.old_subject or f"report:{self.pk}"


class ReportedMessage(models.Model):
    """One message as it stood when it was reported, in the order of the conversation: the reported one (`reported`),
    and at most five on each side that the reporter saw. `line` is its text, or that of its card in English; `data` is
    what the card said then (`social.hooks.DrawnMessage.data`), from which it is written in the language of a reader."""

    report = models.ForeignKey(Report, models.CASCADE, related_name="copies", verbose_name=_("report"))
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


class ReportQuestion(models.Model):
    """One line of the exchange between a reporter and the moderators. The reporter never sees `author`."""

    report = models.ForeignKey(Report, models.PROTECT, related_name="questions", verbose_name=_("report"))
    # The moderator; None for a line by the reporter.
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    text = TypedColumn(_("text"), text=QUESTION, blank=True)  # empty once it is erased
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("question on a report")
        verbose_name_plural = _("questions on reports")
        ordering = ["report", "at", "pk"]

    def __str__(self) -> str:
        return f"{self.pk} on {self.report_id}"
