"""The model of what moderators removed from a profile. `people.models` has it among its models."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import TypedColumn
from core.text import ABOUT, NAME


class ProfileTakedown(models.Model):
    """Moderators removed an account's picture, or its name and text. Their owner can set no others while one stands.

    Several may stand at once, each of another decision; what it was comes back once the last is lifted. `once` names
    the decision that imposed it: imposed again under the same name, it is the same row.
    """

    class Kind(models.TextChoices):
        PICTURE = "picture", _("picture")
        PROFILE = "profile", _("name and text")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="profile_takedowns", verbose_name=_("person")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    display_name = TypedColumn(_("name"), text=NAME, blank=True)
    about = TypedColumn(_("about you"), text=ABOUT, blank=True)
    picture = models.CharField(_("picture"), max_length=100, blank=True)  # the name that its file had
    kept_as = models.CharField(max_length=100, blank=True, editable=False)  # the name that its file has
    since = models.DateTimeField(_("since"), default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("imposed by")
    )
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("lifted by")
    )
    once = models.CharField(max_length=64, blank=True, default="", editable=False)

    class Meta:
        verbose_name = _("takedown of a profile")
        verbose_name_plural = _("takedowns of profiles")
        constraints = [
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None) | Q(lifted_at__gte=F("since")),
                name="profile_takedown_lifted_after",
            ),
            models.UniqueConstraint(
                fields=["user", "kind", "once"], condition=~Q(once=""), name="profile_takedown_once"
            ),
        ]
        indexes = [models.Index(fields=["user", "kind"], condition=Q(lifted_at=None), name="profile_takedown_standing")]
        triggers = [
            pgtrigger.Protect(
                name="profile_takedown_is_final",
                operation=pgtrigger.Update,
                # Erasing what a deleted account had is no change of the takedown.
                condition=pgtrigger.Q(old__lifted_at__isnull=False)
                & (
                    ~pgtrigger.Q(new__display_name="", new__about="", new__picture="", new__kept_as="")
                    | pgtrigger.Q(new__lifted_at__df=pgtrigger.F("old__lifted_at"))
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind}"
