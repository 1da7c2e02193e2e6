"""The notification that an account's standing changed, after which everything that depends on it is checked again."""

from __future__ import annotations

import logging

from django.db import transaction

from people import signals
from people.models import User

log = logging.getLogger(__name__)


def standing_changed(user: User, why: str, session: str = "") -> None:
    """Send `signals.standing_changed` once the transaction commits, so that sockets, seats, listening and rooms are
    checked again.

    `session` is the ident of the one session that ended; empty for the whole account. Exceptions of receivers are
    logged: the clock of rooms repeats the check.
    """
    pk = user.pk
    transaction.on_commit(lambda: _send(pk, why, session), robust=True)


def _send(user_pk: int, why: str, session: str) -> None:
    log.info("standing of %s changed: %s", user_pk, why)
    for receiver, error in signals.standing_changed.send_robust(None, user_pk=user_pk, why=why, session=session):
        if isinstance(error, Exception):
            log.error("%s did not take the change of %s", receiver, user_pk, exc_info=error)
