"""Celery tasks of people."""

from celery import shared_task

from people.actions.forgetting import tidy_deleted
from people.actions.takedowns import remove_left_pictures
from people.actions.tidying import tidy_accounts


@shared_task(name="people.tasks.tidy", ignore_result=True)
def tidy() -> None:
    """Delete expired sessions and tokens, sign-ups that nobody confirmed, what is still kept of deleted accounts, and
    left files of removed pictures."""
    tidy_accounts()
    tidy_deleted()
    remove_left_pictures()
