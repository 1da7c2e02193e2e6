"""Celery's app, with four queues: `clock` and `mail` (one worker with a process for each), `work`, and `speech`.

A worker does nothing before what a restored backup has forgotten was applied, at its start and again before a task
where a backup was put back under it (`core/after_restore.py`).
"""

import os
from typing import Any

from celery import Celery, Task
from celery.signals import worker_init

from core import after_restore

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class AfterRestoreTask(Task):  # type: ignore[misc]  # Celery has no types
    """A task that looks first whether a backup was put back."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        after_restore.look_again()
        return super().__call__(*args, **kwargs)


app = Celery("stamtafel", task_cls=AfterRestoreTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

from config import signs_of_life  # noqa: E402, F401  (connects its receivers)


@worker_init.connect  # type: ignore[untyped-decorator]
def on_worker_init(**_signal: object) -> None:
    """Apply it before the worker takes its first task. Celery logs what a receiver raises, and goes on: so it ends."""
    try:
        after_restore.begin()
    except Exception as error:
        raise SystemExit(f"nothing is done: {error}") from error
