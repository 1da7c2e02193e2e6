"""The community's rules and the categories of reports, as versions: a decision keeps the wording it cited.

A wording is `{"en": {"title": …, "text": …}, "nl": {…}}`. Versions are never changed or deleted; a new wording is a new
version, and the last one is in force.
"""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


def worded(wording: dict[str, dict[str, str]], part: str, language: str | None = None) -> str:
    """Return a part of a wording in a language (default: the active one), else in English."""
    code = (language or get_language() or "en").partition("-")[0]
    return wording.get(code, {}).get(part) or wording["en"][part]


class Version(models.Model):
    """Columns of every version of an entry of the rulebook."""

    number = models.PositiveIntegerField(_("version"))
    wording = models.JSONField(_("wording"))
    since = models.DateTimeField(_("in force since"), default=timezone.now)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("made by")
    )

    class Meta:
        abstract = True

    def title(self, language: str | None = None) -> str:
        return worded(self.wording, "title", language)

    def text(self, language: str | None = None) -> str:
        return worded(self.wording, "text", language)


def _unchanged(name: str) -> list[Any]:
    return [pgtrigger.Protect(name=name, operation=pgtrigger.Update | pgtrigger.Delete)]


class Rule(models.Model):
    """A rule of the community; its text is in its versions."""

    key = models.SlugField(_("key"), max_length=40, primary_key=True)
    place = models.PositiveSmallIntegerField(_("place"), default=0)
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True)

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["place", "key"]
        permissions = [("change_rulebook", _("Can change rules and categories"))]

    def __str__(self) -> str:
        return self.key


class RuleVersion(Version):
    """Wording of a rule (`title`, `text`) from a moment on."""

    rule = models.ForeignKey(Rule, models.PROTECT, related_name="versions", verbose_name=_("rule"))

    class Meta:
        verbose_name = _("version of a rule")
        verbose_name_plural = _("versions of rules")
        ordering = ["rule", "number"]
        constraints = [models.UniqueConstraint(fields=["rule", "number"], name="rule_version_once")]
        triggers = _unchanged("rule_version_unchanged")

    def __str__(self) -> str:
        return f"{self.rule_id} {self.number}"


class Category(models.Model):
    """A category of reports. Code attaches its own way to some (`Route`): these cannot be retired."""

    class Route(models.TextChoices):
        ORDINARY = "ordinary", _("ordinary")
        CHILD_SAFETY = "child_safety", _("child safety")
        LIFE_IN_DANGER = "life_in_danger", _("life in danger")
        UNDER_AGE = "under_age", _("under age")
        OTHER = "other", _("in their words")  # the reporter has to say what it is

    key = models.SlugField(_("key"), max_length=40, primary_key=True)
    place = models.PositiveSmallIntegerField(_("place"), default=0)
    route = models.CharField(_("way"), max_length=16, choices=Route.choices, default=Route.ORDINARY)
    rule = models.ForeignKey(
        Rule, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("rule that is most often broken")
    )
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True)

    class Meta:
        verbose_name = _("category of reports")
        verbose_name_plural = _("categories of reports")
        ordering = ["place", "key"]
        constraints = [
            models.UniqueConstraint(fields=["route"], condition=~Q(route="ordinary"), name="category_of_route"),
            models.CheckConstraint(condition=Q(route="ordinary") | Q(retired_at=None), name="category_stays"),
        ]

    def __str__(self) -> str:
        return self.key


class CategoryVersion(Version):
    """Wording of a category (`title`) and its severity from a moment on; 4 is the worst."""

    category = models.ForeignKey(Category, models.PROTECT, related_name="versions", verbose_name=_("category"))
    severity = models.PositiveSmallIntegerField(_("severity"))

    class Meta:
        verbose_name = _("version of a category")
        verbose_name_plural = _("versions of categories")
        ordering = ["category", "number"]
        constraints = [
            models.UniqueConstraint(fields=["category", "number"], name="category_version_once"),
            models.CheckConstraint(condition=Q(severity__range=(1, 4)), name="category_severity"),
        ]
        triggers = _unchanged("category_version_unchanged")

    def __str__(self) -> str:
        return f"{self.category_id} {self.number}"
