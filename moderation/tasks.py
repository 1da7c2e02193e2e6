"""Celery tasks of trust and safety."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from moderation.actions.erasing import erase_words


@shared_task(name="moderation.tasks.erase_words")
def erase_old_words() -> int:
    """Erase words of reports whose time is over (Celery beat, every hour). Returns the number of rows."""
    return erase_words(timezone.now())
