"""Celery's app, with four queues: `clock` and `mail` (one worker with a process for each), `work`, and `speech`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("stamtafel")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

from config import signs_of_life  # noqa: E402, F401  (connects its receivers)
