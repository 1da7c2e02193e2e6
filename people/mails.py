"""Mails to people that are not allauth's, in the reader's language."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation

from people.models import ApiToken, User


def send(user: User, template: str, **context: object) -> None:
    """The first line of the template is the subject, the rest the text. An account without an address gets none.

    With a mail server it is a row of the caller's transaction: sent if that stands, and then for certain.
    """
    if not user.email:
        return
    with translation.override(user.language):
        names = {
            "user": user,
            "site_name": settings.SITE_NAME,
            "site_url": settings.SITE_URL,
            "recording_days": settings.RECORDING_DAYS,
        }
        source = render_to_string(template, {**names, **context})
    subject, _newline, text = source.strip().partition("\n")
    EmailMessage(" ".join(subject.split()), text.strip() + "\n", to=[user.email]).send()


def tell_new_creator(user: User) -> None:
    send(user, "people/email/creator_added.txt")


def tell_new_token(user: User, token: ApiToken) -> None:
    send(user, "people/email/token_made.txt", token=token)
