"""Addresses of the console that messages and mails link to."""

from __future__ import annotations

from django.urls import reverse


def path_of(case: int) -> str:
    """The path of a case's page, by its key."""
    return f"{reverse('admin:index')}moderation/case/{case}/"
