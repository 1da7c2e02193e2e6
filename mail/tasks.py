"""Celery tasks that send mails."""

from __future__ import annotations

from celery import shared_task

from mail.outbox import send_all_due


@shared_task(name="mail.tasks.send_mails", ignore_result=True)
def send_mails() -> None:
    """Send the mails that are due; queued by each new mail, and by beat every minute for those that failed before."""
    send_all_due()
