"""Celery tasks of trust and safety."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from moderation.actions import sweep as sweeping
from moderation.actions import telling_people
from moderation.actions.erasing import erase_words


@shared_task(name="moderation.tasks.erase_words")
def erase_old_words() -> int:
    """Erase words of cases whose time is over (Celery beat, every hour). Returns the number of cases."""
    return erase_words(timezone.now())


@shared_task(name="moderation.tasks.sweep")
def sweep() -> int:
    """Do what is due in cases: late acts, proposals, claims (Celery beat, every 30 seconds). Returns how many."""
    return sweeping.sweep()


@shared_task(name="moderation.tasks.send_notification")
def send_notification(pk: int) -> bool:
    """Tell somebody what was decided; whether they were told now."""
    return telling_people.send_notification(pk)
