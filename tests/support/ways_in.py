"""Steps of signing up and signing in, for tests."""

from __future__ import annotations

import re
import time
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from django.core import mail
from django.test import Client

from people.demo import PERIOD
from tests.support.people import PASSWORD


def entered(**changes: Any) -> dict[str, Any]:
    """A sign-up form as somebody fills it in."""
    form = {
        "display_name": "Anna de Wit",
        "username": "Anna-de-Wit",
        "email": "Anna@Example.org",
        "password1": PASSWORD,
        "born": "1990-05-04",
        "rules": "on",
    }
    return {name: value for name, value in {**form, **changes}.items() if value is not None}


def link_in(letter: mail.EmailMessage) -> str:
    """The first link of a mail to a page of the way in, without the site's name."""
    found = re.search(rf"{settings.SITE_URL}(/accounts/\S+)", str(letter.body))
    assert found, letter.body
    return found[1]


def sign_in(client: Client, handle: str, password: str = PASSWORD) -> Any:
    return client.post("/accounts/login/", {"login": handle, "password": password})


def signed_in(client: Client) -> bool:
    return client.get("/settings/").status_code == 200


def confirm(client: Client, password: str = PASSWORD) -> None:
    """Say the password again, as one must before changing how one signs in."""
    assert client.post("/accounts/reauthenticate/", {"password": password}).status_code == 302


def seen(answer: Any) -> tuple[Any, ...]:
    """All that whoever asked can see of an answer, without what is random in it."""
    random = rb'nonce="[^"]*"|name="csrfmiddlewaretoken" value="[^"]*"|[\w.]+@example.org'
    changing = ("Content-Security-Policy", "Expires")
    headers = {name: value for name, value in answer.headers.items() if name not in changing}
    cookies = {name: {**morsel} for name, morsel in answer.cookies.items()}
    for morsel in cookies.values():
        morsel.pop("expires")
    return answer.status_code, headers, cookies, re.sub(random, b"", answer.content)


def code_of(secret: str) -> str:
    """The code that an authenticator app shows now. It is good for at least half a minute more; the one before, which
    is good too, may not be any more when a form arrives."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD)))


def reset(email: str, password: str, client: Client | None = None) -> Any:
    """Choose a new password by mail. Returns the answer to the form."""
    browser = client or Client()
    browser.post("/accounts/password/reset/", {"email": email})
    letter = [letter for letter in mail.outbox if letter.to == [email] and "/password/reset/key/" in letter.body][-1]
    where = browser.get(link_in(letter), follow=True).redirect_chain[-1][0]
    return browser.post(where, {"password1": password, "password2": password})
