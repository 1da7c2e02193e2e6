"""/dev/mail/: mails that development wrote to files instead of sending them (access: config/development.py)."""

import email
import email.policy
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

SHOWN = 50  # mails on the page
# Django's file backend ends each mail with a line of 79 dashes; a mail starts with this header.
BETWEEN = re.compile(rb"^-{79}\n(?=Content-Type: |\Z)", re.MULTILINE)
FILE_NAME = re.compile(r"^[\w-]+\.log$")


@dataclass(frozen=True)
class ShownMail:
    """A mail as the page shows it. `key` is its file's name and its number in that file."""

    key: str
    subject: str
    to: str
    sender: str
    at: datetime | None
    text: str


def read_mail(key: str, raw: bytes) -> ShownMail:
    """Parse a mail from its source; missing parts stay empty."""
    message = email.message_from_bytes(raw.strip() + b"\n", policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain", "html"))
    date = message["Date"]
    return ShownMail(
        key=key,
        subject=str(message["Subject"] or ""),
        to=str(message["To"] or ""),
        sender=str(message["From"] or ""),
        at=sent_at(str(date)) if date else None,
        text=str(body.get_content()) if body is not None else "",
    )


def sent_at(date: str) -> datetime:
    """Parse a Date header. Django writes UTC as -0000, which Python parses as a time without a zone."""
    at = parsedate_to_datetime(date)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def mails_of(file: Path) -> list[ShownMail]:
    """Return the mails in one file, which holds those of one connection, in the order they were sent."""
    sources = [part for part in BETWEEN.split(file.read_bytes()) if part.strip()]
    return [read_mail(f"{file.name}:{number}", source) for number, source in enumerate(sources)]


def newest_mails(limit: int = SHOWN) -> list[ShownMail]:
    """Return at most `limit` mails, newest first."""
    folder = Path(settings.MAIL_FOLDER)
    if not folder.is_dir():
        return []
    files = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    mails = [mail for file in files[:limit] for mail in reversed(mails_of(file))]
    return mails[:limit]


def mailbox(request: HttpRequest) -> HttpResponse:
    return render(request, "mail/devmail.html", {"mails": newest_mails(), "folder": settings.MAIL_FOLDER})


def one_mail(request: HttpRequest, key: str) -> HttpResponse:
    name, _colon, number = key.partition(":")
    file = Path(settings.MAIL_FOLDER) / name
    if not FILE_NAME.match(name) or not number.isdigit() or not file.is_file():
        raise Http404("No such mail.")
    mails = mails_of(file)
    if int(number) >= len(mails):
        raise Http404("No such mail.")
    return render(request, "mail/devmail.html", {"mail": mails[int(number)]})
