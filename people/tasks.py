"""Celery tasks of people."""

from celery import shared_task

from people.actions.tidying import tidy_accounts


@shared_task(name="people.tasks.tidy", ignore_result=True)
def tidy() -> None:
    """Delete expired sessions and tokens, and sign-ups that nobody confirmed."""
    tidy_accounts()
