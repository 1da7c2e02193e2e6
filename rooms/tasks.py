"""Work in the background for rooms."""

from celery import shared_task

from rooms import actions


@shared_task(name="rooms.tasks.sweep")
def sweep() -> int:
    """Every 5 s by beat: see `rooms.actions.sweep`."""
    return actions.sweep()
