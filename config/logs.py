"""Logging of clients' mistakes: one line each, without a traceback, and without what opens something."""

from __future__ import annotations

import logging
import re

# Of a personal link, of one to an appeal and of the sound there, of the receipt of a report, of one for a new password,
# and of one that confirms a mail address.
_TOKEN = re.compile(
    r"(/come/|/appeal/sound/|/appeal/(?!sound/|link/|code/)|/reports/|/accounts/password/reset/key/"
    r"|/accounts/confirm-email/)[^/?\s]+"
)


def without_tokens(path: str) -> str:
    """Return an address with an ellipsis in place of a token in its path."""
    return _TOKEN.sub(r"\1…", path)


class NoTracebackForRefusals(logging.Filter):
    """A log filter that removes the traceback of refusals and suspicious requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        refusal = record.name == "django.request" and record.levelno < logging.ERROR
        if refusal or record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
        if record.name.startswith("django.") and isinstance(record.args, tuple):
            record.args = tuple(without_tokens(arg) if isinstance(arg, str) else arg for arg in record.args)
        return True
