"""Celery tasks of retention."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from retention import purge


@shared_task(name="retention.sweep")
def sweep() -> int:
    """Purge what is due (Celery beat, every RETENTION_SWEEP_SECONDS). Returns the number of rooms."""
    return len(purge.sweep().purged)


@shared_task(name="retention.tidy")
def tidy() -> int:
    """Delete data that reappeared in purged rooms (Celery beat, every hour). Returns the number of rooms."""
    return len(purge.tidy(timezone.now(), since=timedelta(days=2)))
