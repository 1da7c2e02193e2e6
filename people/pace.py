"""Rate limits of requests, by person or by address: enough for people, not for endless loops.

Static files and pictures are free; HLS has a limit of its own that 500 listeners behind one address need.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from core.client_address import address_of_request, counted_as
from core.refusals import as_error
from core.throttle import Limit
from people.refusals import PeopleRefused

FREE = ("/healthz", settings.STATIC_URL, settings.MEDIA_URL)  # beginnings of paths
HLS = "/hls/"
LIST = "/live.m3u8"


@dataclass(frozen=True)
class RequestLimit:
    """A rate limit: `most` at once, and as many again in `minutes`; `setting` names the number."""

    name: str
    setting: str
    minutes: int = 1

    def check(self, client_key: str) -> None:
        """Raise PeopleRefused("too_fast") with the seconds to wait."""
        most = int(getattr(settings, self.setting))
        Limit(self.name, most / self.minutes, most, PeopleRefused).check(client_key)


PERSON = RequestLimit("pages", "PAGES_PER_PERSON")
ADDRESS = RequestLimit("pages", "PAGES_PER_ADDRESS")
SOUND = RequestLimit("hls", "HLS_PER_ADDRESS")
SIGN_UP = RequestLimit("signup", "SIGNUPS_PER_ADDRESS", minutes=60)


class RequestLimitMiddleware:
    """Middleware after sessions and before any view. Answers 429 with a text and Retry-After."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            check(request)
        except PeopleRefused as refused:
            return refusal(request, refused)
        return self.get_response(request)


def check(request: HttpRequest) -> None:
    """Raise PeopleRefused("too_fast") for a request beyond the limits."""
    path = request.path_info
    if path.startswith(FREE):
        return
    address = counted_as(address_of_request(request))
    if path.startswith(HLS) or path.endswith(LIST):
        SOUND.check(address)
        return
    known = settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated
    if known:
        PERSON.check(f"u:{request.user.pk}")
    else:
        ADDRESS.check(address)
    if request.method == "POST" and path == reverse("account_signup"):
        SIGN_UP.check(address)


def refusal(request: HttpRequest, refused: PeopleRefused) -> HttpResponse:
    """Build the 429: a page for people, JSON for programs."""
    if request.path_info.startswith("/api/"):
        response: HttpResponse = JsonResponse({"error": as_error(refused.code, refused.text)}, status=refused.status)
    elif request.path_info.startswith(HLS) or request.path_info.endswith(LIST):
        response = HttpResponse(refused.text, status=refused.status, content_type="text/plain; charset=utf-8")
    else:
        response = render(request, "429.html", status=refused.status)
    response["Retry-After"] = str(max(1, math.ceil(refused.wait)))
    response["Cache-Control"] = "no-store"
    return response
