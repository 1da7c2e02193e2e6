"""Mails of ours (not allauth's) to people and operators, each in the reader's language."""

import logging
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

from people.models import ApiToken, User
from people.queries import Reached, reached

log = logging.getLogger(__name__)


def send(user: User, template: str, *, also_deleted: bool = False, **context: Any) -> None:
    """Send a mail from a template: its first line is the subject. An account without an address gets none; a deleted
    one has one for what it must be told of a case alone (`also_deleted`).

    With a mail server it is a row of the caller's transaction: sent if that commits.
    """
    to = reached(user) if also_deleted else Reached(user.email, user.language)
    if not to.email:
        return
    with translation.override(to.language):
        names = {
            "user": user,
            "site_name": settings.SITE_NAME,
            "site_url": settings.SITE_URL,
            "recording_days": settings.RECORDING_DAYS,
        }
        source = render_to_string(template, {**names, **context})
    subject, _newline, text = source.strip().partition("\n")
    EmailMessage(" ".join(subject.split()), text.strip() + "\n", to=[to.email]).send()


def notify_new_creator(user: User) -> None:
    send(user, "people/email/creator_added.txt")


def notify_new_token(user: User, token: ApiToken) -> None:
    send(user, "people/email/token_made.txt", token=token)


def tell_operators(template: str, **context: Any) -> int:
    """Send a mail to every superuser with an address; returns how many.

    Raises OSError or DatabaseError when none can be written.
    """
    operators = list(User.objects.filter(is_superuser=True, is_active=True).exclude(email=""))
    if not operators:
        log.warning("nobody to tell of %s: no superuser has an address", template)
    with transaction.atomic():  # all or none, so that the caller can try again
        for user in operators:
            send(user, template, **context)
    return len(operators)
