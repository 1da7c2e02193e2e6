"""Celery tasks of people."""

from celery import shared_task

from people.actions.takedowns import remove_left_pictures
from people.actions.tidying import tidy_accounts
from people.own_data import making


@shared_task(name="people.tasks.tidy", ignore_result=True)
def tidy() -> None:
    """Delete expired sessions and tokens, sign-ups that nobody confirmed, and left files of removed pictures."""
    tidy_accounts()
    remove_left_pictures()


@shared_task(name="people.tasks.make_own_data", ignore_result=True)
def make_own_data(pk: int) -> None:
    """Make the own-data download that somebody asked for."""
    making.make(pk)


@shared_task(name="people.tasks.sweep_own_data", ignore_result=True)
def sweep_own_data() -> None:
    """Delete own-data downloads whose time is over, and have those made again that were lost."""
    making.sweep()
