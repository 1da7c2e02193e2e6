"""Mails about decisions and appeals: to a person, or to whoever reported without an account. Each is plain text, and
the same as simple HTML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation

from moderation.models import Report
from people.models import User
from people.queries import address_to_tell, reached
from people.zones import is_zone


def address_of(person: User | None, report: Report | None) -> str:
    """Return the address of a person, also of a deleted account that may still be told, else of whoever sent a report;
    "" where there is none."""
    if person is not None:
        return address_to_tell(person)
    return "" if report is None else report.reporter_email


def mail_to(person: User | None, report: Report | None, name: str, values: Mapping[str, Any]) -> bool:
    """Send a mail in its reader's language and zone, in the caller's transaction; whether there was an address.

    `templates/moderation/email/<name>.txt` has the subject in its first line; the HTML is made of it, where there is no
    `<name>.html` that says the same. A mail is kept until the mail server took it (`mail/`).
    """
    address = address_of(person, report)
    if not address:
        return False
    language = reached(person).language if person is not None else report.language if report is not None else "en"
    names = {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL, "person": person, **values}
    zone = person.time_zone if person is not None and is_zone(person.time_zone) else settings.TIME_ZONE
    with translation.override(language), timezone.override(zone):
        source = render_to_string(f"moderation/email/{name}.txt", names)
        subject, _newline, text = source.strip().partition("\n")
        subject = " ".join(subject.split())
        pages = [f"moderation/email/{name}.html", "moderation/email/page.html"]
        page = render_to_string(
            pages, {**names, "language": language, "subject": subject, "text": text.partition("\n--\n")[0].strip()}
        )
    mail = EmailMultiAlternatives(subject, text.strip() + "\n", to=[address])
    mail.attach_alternative(page, "text/html")
    mail.send()
    return True
