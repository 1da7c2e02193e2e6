"""Work in the background for people."""

from celery import shared_task

from people.actions.tidying import tidy_accounts
from people.outbox import send_all_due


@shared_task(name="people.tasks.send_mails", ignore_result=True)
def send_mails() -> None:
    """Send the mails that are due; woken by each new mail, and by beat for those that failed before."""
    send_all_due()


@shared_task(name="people.tasks.tidy", ignore_result=True)
def tidy() -> None:
    """Delete sessions and tokens that are over, and sign-ups that nobody confirmed."""
    tidy_accounts()
