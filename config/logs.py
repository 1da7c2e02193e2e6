"""Logging of clients' mistakes: one line each, without a traceback."""

from __future__ import annotations

import logging


class NoTracebackForRefusals(logging.Filter):
    """A log filter that removes the traceback of refusals and suspicious requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        refusal = record.name == "django.request" and record.levelno < logging.ERROR
        if refusal or record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
        return True
