"""Addresses of the console that messages and mails link to."""

from __future__ import annotations

from django.urls import reverse

from moderation.wording import OF_REVIEWS


def path_of(case: int) -> str:
    """The path of a case's page, by its key."""
    return f"{reverse('admin:index')}moderation/case/{case}/"


def alarm_path(kind: str, case: int) -> str:
    """The path to which an alarm leads: a case's page; for its appeals the index, on which those have a card."""
    return reverse("admin:index") if kind in OF_REVIEWS else path_of(case)
