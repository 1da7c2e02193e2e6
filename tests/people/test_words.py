"""Texts of the way in and of its mails are ours, and in Dutch nobody is addressed formally."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import allauth
import pytest
from allauth.account.adapter import get_adapter
from django.contrib.auth.password_validation import get_default_password_validators
from django.core import mail
from django.template.loader import get_template
from django.test import Client
from django.utils import translation

from tests.support.people import PASSWORD, person

pytestmark = pytest.mark.django_db

FORMAL = re.compile(r"\b(u|uw|uzelf)\b", re.IGNORECASE)
STOCK = Path(allauth.__file__).parent / "templates"
# Ways in that this site does not have: phones, codes by mail, and a sign-up without a password.
UNUSED = re.compile(r"phone|code_sent|login_code|reset_code|password_reset_(message|subject)")


def stock_texts() -> list[str]:
    folders = ("account/messages", "account/email", "mfa/messages", "mfa/email")
    names = [str(path.relative_to(STOCK)) for folder in folders for path in (STOCK / folder).glob("*.txt")]
    return sorted(name for name in names if not UNUSED.search(name))


@pytest.mark.parametrize("name", stock_texts())
def test_every_message_and_mail_of_accounts_is_ours(name: str) -> None:
    origin = get_template(name).origin.name  # type: ignore[attr-defined]
    assert "site-packages" not in origin, f"{name} is allauth's own"


def test_nobody_is_addressed_formally() -> None:
    with translation.override("nl"):
        said = [str(text) for text in get_adapter().error_messages.values()]
        checks: list[Any] = get_default_password_validators()
        said += [check.get_error_message() for check in checks]
    assert [text for text in said if FORMAL.search(text.replace("a.u.b.", ""))] == []


def test_a_changed_password_is_told_in_our_words(client: Client) -> None:
    anna = person("anna")
    client.force_login(anna)
    new = "quite another password"
    values = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    page = client.post("/accounts/password/change/", values, follow=True).content.decode()
    assert len(re.findall('<li class="message', page)) == 1 and "Your password is changed." in page
    letter = mail.outbox[-1]
    assert letter.subject == "Your password is changed"
    assert "/settings/sessions/" in letter.body and "127.0.0.1" in letter.body and "&#" not in letter.body


def test_signing_in_says_nothing_beside_what_counts(client: Client) -> None:
    person("anna")
    page = client.post("/accounts/login/", {"login": "anna", "password": PASSWORD}, follow=True).content.decode()
    assert 'class="messages"' not in page
