"""Log lines of mistakes that clients make: one line each, no traceback, which is for mistakes of ours."""

from __future__ import annotations

import logging


class TheirMistake(logging.Filter):
    """A filter that takes the traceback from what a request brought upon itself: refusals and suspicious requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        refusal = record.name == "django.request" and record.levelno < logging.ERROR
        if refusal or record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
        return True
