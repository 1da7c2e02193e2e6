"""The one word to everything that depends on an account: what it may do has changed, ask again."""

from __future__ import annotations

import logging

from django.db import transaction

from people import signals
from people.models import User

log = logging.getLogger(__name__)


def standing_changed(user: User, why: str, session: str = "") -> None:
    """Ask again, once the transaction commits, what depends on this account: sockets, seats, listening, rooms.

    `session` is the ident of the one session that ended. Whatever a receiver raises is logged: the clock of rooms
    is the net behind this.
    """
    pk = user.pk
    transaction.on_commit(lambda: _send(pk, why, session), robust=True)


def _send(user_pk: int, why: str, session: str) -> None:
    log.info("standing of %s changed: %s", user_pk, why)
    for receiver, error in signals.standing_changed.send_robust(None, user_pk=user_pk, why=why, session=session):
        if isinstance(error, Exception):
            log.error("%s did not take the change of %s", receiver, user_pk, exc_info=error)
