"""Middleware for the reader's language and time zone, and for the list of sessions."""

import zoneinfo
from collections.abc import Callable
from datetime import timedelta
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from people.models import Session
from people.sessions import SessionStore
from people.zones import is_zone

TZ_COOKIE = "tz"
SEEN_AGAIN = timedelta(minutes=5)  # between two updates of seen_at


class SeenMiddleware:
    """Stores when a session was last seen, and in which browser, for the person's list of sessions."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        store = cast(SessionStore, request.session)
        row, now = store.row, timezone.now()
        device = request.headers.get("User-Agent", "")[:200]
        if row is None or row.user_id is None or (now - row.seen_at < SEEN_AGAIN and row.device == device):
            return response
        Session.objects.filter(pk=store.stored_key).update(seen_at=now, device=device)
        return response


class ReaderMiddleware:
    """Sets language and time zone: of the account, else of the language cookie or header and the `tz` cookie.

    Django's LocaleMiddleware ran before and has chosen for signed-out readers, so only the account's language is set
    here. The time zone is set for each request and reset after it, because threads are shared.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language, zone = self.reader(request)
        with timezone.override(zoneinfo.ZoneInfo(zone)):
            if language == translation.get_language():
                return self.get_response(request)
            with translation.override(language):
                request.LANGUAGE_CODE = language
                response = self.get_response(request)
            response.headers["Content-Language"] = language
            return response

    def reader(self, request: HttpRequest) -> tuple[str, str]:
        """Return (language, time zone) of the reader."""
        cookie = request.COOKIES.get(TZ_COOKIE, "")
        offered = cookie if is_zone(cookie) else settings.TIME_ZONE
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            return translation.get_language() or settings.LANGUAGE_CODE, offered
        user = request.user
        return user.language, user.time_zone if is_zone(user.time_zone) else offered
