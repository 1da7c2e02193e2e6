"""/dev/: pages for development (demo accounts, their codes, mails), behind a key of their own.

The key (DEV_KEY) is in an address that script/server prints. It is exchanged for a cookie that is signed with it,
expires, and is only sent to these pages. Without key and cookie the pages answer 404. Without DEV_KEY they do not
exist, whatever DEBUG is.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from core.client_address import address_of_request, counted_as
from core.throttle import Limit
from mail import devmail
from people import demo
from people.refusals import PeopleRefused
from rooms.guests.demo import live_demo_room

COOKIE = "development"
PATH = "/dev/"
SECONDS = 12 * 3600  # that the cookie is valid
TRIES = Limit("development", 20, 20, PeopleRefused)  # tries of the key, by address


def behind_key(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Make a view answer 404 to browsers without the cookie, and forbid caching its pages."""

    @wraps(view)
    def gated(request: HttpRequest, **kwargs: str) -> HttpResponse:
        if not has_cookie(request):
            raise Http404("No such page.")
        response = view(request, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "same-origin"  # with "no-referrer" its forms would be refused
        return response

    return require_safe(gated)


def signer() -> signing.TimestampSigner:
    """Return the signer of cookies. It signs with DEV_KEY, so that a new key invalidates all cookies."""
    return signing.TimestampSigner(key=settings.DEV_KEY, salt="config.development")


def has_cookie(request: HttpRequest) -> bool:
    """Whether this browser has a valid cookie."""
    if not settings.DEV_KEY:
        return False
    try:
        signer().unsign(request.COOKIES.get(COOKIE, ""), max_age=SECONDS)
    except signing.BadSignature:
        return False
    return True


def enter(request: HttpRequest, offered: str) -> HttpResponse:
    """Exchange the key for the cookie, and redirect to the same page without the key in its address."""
    # Requests from other sites' pages are refused uncounted, so that such a page cannot use up its visitor's tries.
    if not settings.DEV_KEY or request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise Http404("No such page.")
    try:
        address = counted_as(address_of_request(request))
        TRIES.check(address)
    except PeopleRefused as error:
        raise Http404("No such page.") from error
    if not hmac.compare_digest(offered.encode(errors="replace"), settings.DEV_KEY.encode()):
        raise Http404("No such page.")
    response = HttpResponseRedirect(PATH)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.set_cookie(
        COOKIE,
        signer().sign("in"),
        max_age=SECONDS,
        path=PATH,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Strict",
    )
    return response


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Show the start page, or exchange the key in its address."""
    if "key" in request.GET:
        return enter(request, request.GET["key"])
    return start_page(request)


@behind_key
def start_page(request: HttpRequest) -> HttpResponse:
    """Show demo accounts with passwords, the present codes of demo staff, and links."""
    context: dict[str, Any] = {
        "accounts": demo.shown_accounts(),
        "password": demo.password(),
        "seconds": demo.code_seconds(),
        "room": live_demo_room(),
    }
    return render(request, "dev/start.html", context)


urls = [
    path("", start, name="dev_start"),
    path("mail/", behind_key(devmail.mailbox), name="devmail"),
    path("mail/<str:key>/", behind_key(devmail.one_mail), name="devmail_mail"),
]
