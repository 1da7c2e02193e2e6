"""Mails of stories, as the worker sends them after a commit: what arrives at an address, and the links in it."""

from __future__ import annotations

import re

from mail.devmail import ShownMail, newest_mails
from moderation.models import Notification
from people.models import User
from tests.support.waiting import wait_until

# Subjects.
STATEMENT, OUTCOME = "What our moderators decided about you", "What became of your report"
ARRIVED, DECIDED, CHANGED = "Your appeal has arrived", "Your appeal was decided", "A decision has changed"
LINK = re.compile(r"/appeal/[A-Za-z0-9_-]{43}/")


def letter(to: User | str, subject: str) -> str:
    """Wait for the latest mail with this subject to an address; returns its text."""
    address = to if isinstance(to, str) else to.email

    def arrived() -> ShownMail | None:
        return next((one for one in newest_mails() if (one.to, one.subject) == (address, subject)), None)

    found: ShownMail = wait_until(arrived, 20, f"{subject} to {address}", 0.1)
    return found.text


def link_in(text: str) -> str:
    """The one link of a mail that opens an appeal."""
    (found,) = LINK.findall(text)
    return str(found)


def told_of(user: User | None) -> list[str]:
    """Wait until nothing waits to be told; returns the kinds of what a person, or reporters without an account, were
    told, in order."""
    wait_until(lambda: not Notification.objects.filter(told_at=None).exists(), 20, "that everybody is told", 0.1)
    return list(Notification.objects.filter(person=user).order_by("pk").values_list("kind", flat=True))


def code_in(text: str) -> str:
    """The code of a mail by which a clip can be heard again."""
    (found,) = re.findall(r"^\d{8}$", text, re.MULTILINE)
    return str(found)
