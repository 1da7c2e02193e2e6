"""Celery tasks of rooms."""

from celery import shared_task

from rooms import actions


@shared_task(name="rooms.tasks.sweep")
def sweep() -> int:
    """Sweep live rooms, every 5 seconds by beat (`rooms.actions.sweep`), and write the reactions that wait. Returns how
    many rooms ended."""
    ended = actions.sweep_rooms()
    actions.keep_reactions()
    return ended
