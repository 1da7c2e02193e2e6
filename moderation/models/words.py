"""Words that moderators look for in live captions, where they were said, and leave to read along in all live rooms."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import TypedColumn
from core.text import Text
from moderation.models.cases import Case
from moderation.models.rulebook import Category
from rooms.models import Room

PHRASE = Text(80)
WORD_NOTE = Text(300, lines=True)


class ListedWord(models.Model):
    """A word or phrase of the operator's list. Where live captions have it, it is marked, and nothing else happens.

    Phrase and language stay, so that what was found by it is counted of one thing.
    """

    phrase = TypedColumn(_("word or phrase"), text=PHRASE)
    folded = models.TextField(editable=False)  # its words as they are compared (`moderation.rules.word_match`)
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES, blank=True)  # empty: any
    category = models.ForeignKey(Category, models.PROTECT, related_name="+", verbose_name=_("category"))
    active = models.BooleanField(_("in use"), default=True)
    note = TypedColumn(_("note"), text=WORD_NOTE, blank=True, default="")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("added by"))
    added_at = models.DateTimeField(_("added"), default=timezone.now)

    class Meta:
        verbose_name = _("listed word")
        verbose_name_plural = _("listed words")
        default_permissions = ()
        ordering = ["folded", "language"]
        constraints = [
            models.UniqueConstraint(fields=["folded", "language"], name="listed_word_once"),
            models.CheckConstraint(condition=~Q(folded=""), name="listed_word_has_words"),
        ]

    def __str__(self) -> str:
        return self.phrase


class WordHit(models.Model):
    """A listed word in a line of live captions: a suggestion, until a moderator opens a case on it or dismisses it.

    It has no words of its own, and goes with the room's copy.
    """

    class Outcome(models.TextChoices):
        CASE = "case", _("case")
        DISMISSED = "dismissed", _("not a violation")

    word = models.ForeignKey(ListedWord, models.PROTECT, related_name="hits", verbose_name=_("listed word"))
    room = models.ForeignKey(Room, models.CASCADE, related_name="word_hits", verbose_name=_("room"))
    speaker = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("speaker"))
    line = models.PositiveIntegerField(_("line"))
    from_ms = models.PositiveBigIntegerField(_("from (ms of room time)"))
    to_ms = models.PositiveBigIntegerField(_("to (ms of room time)"))
    at = models.DateTimeField(_("when"), default=timezone.now)
    outcome = models.CharField(_("outcome"), max_length=9, choices=Outcome.choices, blank=True, default="")
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    handled_at = models.DateTimeField(_("handled"), null=True, blank=True)
    case = models.ForeignKey(
        Case, models.PROTECT, null=True, blank=True, related_name="word_hits", verbose_name=_("case")
    )

    class Meta:
        verbose_name = _("word that was found")
        verbose_name_plural = _("words that were found")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["word", "room", "line"], name="word_hit_once_a_line"),
            models.CheckConstraint(condition=Q(from_ms__lt=F("to_ms")), name="word_hit_times"),
            models.CheckConstraint(
                condition=Q(outcome="", handled_by=None, handled_at=None, case=None)
                | Q(handled_by__isnull=False, handled_at__isnull=False)
                & (Q(outcome="case", case__isnull=False) | Q(outcome="dismissed", case=None)),
                name="word_hit_handled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.word_id} in line {self.line} of {self.room_id}"


class SafetyGrant(models.Model):
    """Leave of a senior to read along in all live rooms for an hour. The reason stands in the ledger."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("person"))
    at = models.DateTimeField(_("when"), default=timezone.now)
    until = models.DateTimeField(_("until"))
    ended_at = models.DateTimeField(_("ended early"), null=True, blank=True)

    class Meta:
        verbose_name = _("leave to read along")
        verbose_name_plural = _("leaves to read along")
        default_permissions = ()
        permissions = [("watch_live", _("Can read along in all live rooms, with a reason"))]
        constraints = [
            models.CheckConstraint(condition=Q(until__gt=F("at")), name="safety_grant_times"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("at"), ended_at__lte=F("until")),
                name="safety_grant_ended",
            ),
        ]
        indexes = [models.Index(fields=["user", "-until"], name="safety_grant_of_person")]

    def __str__(self) -> str:
        return f"{self.user_id} until {self.until}"
