"""Work in the background."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from retention import purge


@shared_task(name="retention.sweep")
def sweep() -> int:
    """Purge what is due (Celery beat, every RETENTION_SWEEP_SECONDS). How many rooms."""
    return len(purge.sweep().purged)


@shared_task(name="retention.tidy")
def tidy() -> int:
    """Erase what came back to purged rooms (Celery beat, every hour). How many rooms."""
    return len(purge.tidy(timezone.now(), since=timedelta(days=2)))
