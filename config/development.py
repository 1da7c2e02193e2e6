"""/dev/: the start page of a development site (demo accounts, their codes, mails), behind a key of its own.

The key (DEV_KEY) stands once in an address, which script/server prints. It is exchanged for a cookie that is made from
it, ends by itself and is sent to these pages alone. Whoever has neither is told what everybody is told of a page that
does not exist. Without a key there are no such pages, whatever DEBUG says.
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
SECONDS = 12 * 3600  # for as long as a browser is let in
TRIES = Limit("development", 20, 20, PeopleRefused)  # keys that an address may try


def behind_key(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page that exists for browsers with the cookie alone; none of it is kept by them or by anything between."""

    @wraps(view)
    def gated(request: HttpRequest, **kwargs: str) -> HttpResponse:
        if not has_cookie(request):
            raise Http404("No such page.")
        response = view(request, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return require_safe(gated)


def signer() -> signing.TimestampSigner:
    """Signs cookies with the key itself: another key, and all cookies end."""
    return signing.TimestampSigner(key=settings.DEV_KEY, salt="config.development")


def has_cookie(request: HttpRequest) -> bool:
    """Whether this browser was let in, within the last hours and with today's key."""
    if not settings.DEV_KEY:
        return False
    try:
        signer().unsign(request.COOKIES.get(COOKIE, ""), max_age=SECONDS)
    except signing.BadSignature:
        return False
    return True


def enter(request: HttpRequest, offered: str) -> HttpResponse:
    """Exchange the key for the cookie, and lead to the same page without the key in its address."""
    # Another site's page cannot know the key: it is not even let try, so that it uses up nobody's tries.
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
    """The start page, or the door to it."""
    if "key" in request.GET:
        return enter(request, request.GET["key"])
    return start_page(request)


@behind_key
def start_page(request: HttpRequest) -> HttpResponse:
    """Demo accounts with passwords, the codes of demo staff as they are now, and what else is worth a look."""
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
