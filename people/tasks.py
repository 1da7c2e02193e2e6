"""Work in the background for people."""

from celery import shared_task

from people.actions.tidying import tidy_accounts


@shared_task(name="people.tasks.tidy", ignore_result=True)
def tidy() -> None:
    """Delete sessions and tokens that are over, and sign-ups that nobody confirmed."""
    tidy_accounts()
