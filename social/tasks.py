"""Celery tasks of social."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from social.actions.messages import deliver_left, deliver_messages
from social.actions.sweep import sweep_messages


@shared_task(name="social.tasks.deliver", ignore_result=True)
def deliver(pks: list[int]) -> None:
    """Deliver messages that were sent, by their primary keys."""
    deliver_messages(pks)


@shared_task(name="social.tasks.deliver_left", ignore_result=True)
def deliver_what_is_left() -> None:
    """Deliver messages whose own task was lost."""
    deliver_left(timezone.now())


@shared_task(name="social.tasks.tidy", ignore_result=True)
def tidy() -> None:
    """Delete messages whose time has come, and threads in which nothing is left."""
    sweep_messages(timezone.now())
