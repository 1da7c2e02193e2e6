"""Work in the background."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from moderation import retention


@shared_task(name="moderation.sweep")
def sweep() -> int:
    """Purge what is due (Celery beat, every RETENTION_SWEEP_SECONDS). How many rooms."""
    return len(retention.sweep().purged)


@shared_task(name="moderation.tidy")
def tidy() -> int:
    """Erase what came back to purged rooms (Celery beat, every hour). How many rooms."""
    return len(retention.tidy(timezone.now(), since=timedelta(days=2)))
