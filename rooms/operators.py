"""Mails to the people who run this house: everybody with all rights (`manage.py createsuperuser`) and an address."""

from __future__ import annotations

import logging

from django.db import transaction

from people import mails
from people.models import User

log = logging.getLogger(__name__)


def tell_operators(template: str, **context: object) -> int:
    """Send one mail each, in their language; how many. Raises OSError or DatabaseError when none can be written."""
    operators = list(User.objects.filter(is_superuser=True, is_active=True).exclude(email=""))
    if not operators:
        log.warning("nobody to tell of %s: no superuser has an address", template)
    with transaction.atomic():  # to all of them, or it is tried again for all of them
        for user in operators:
            mails.send(user, f"rooms/email/{template}.txt", **context)
    return len(operators)
