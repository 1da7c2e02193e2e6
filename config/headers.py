"""Security headers of every response: Permissions-Policy and Cache-Control.

The outermost middleware, so that responses of all others, also refusals and errors, have them.
"""

from __future__ import annotations

from asyncio import iscoroutinefunction
from collections.abc import Awaitable, Callable
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

OURS, NOBODY = "(self)", "()"
# Only names that browsers know: Chromium complains of others in the console of every page.
_POWERS = {
    "accelerometer": NOBODY,
    "autoplay": OURS,
    "camera": NOBODY,
    "display-capture": NOBODY,
    "encrypted-media": NOBODY,
    "fullscreen": NOBODY,
    "geolocation": NOBODY,
    "gyroscope": NOBODY,
    "hid": NOBODY,
    "idle-detection": NOBODY,
    "local-fonts": NOBODY,
    "magnetometer": NOBODY,
    "microphone": OURS,
    "midi": NOBODY,
    "payment": NOBODY,
    "picture-in-picture": NOBODY,
    "publickey-credentials-create": OURS,
    "publickey-credentials-get": OURS,
    "screen-wake-lock": OURS,
    "serial": NOBODY,
    "usb": NOBODY,
    "xr-spatial-tracking": NOBODY,
}
PERMISSIONS_POLICY = ", ".join(f"{name}={whose}" for name, whose in _POWERS.items())
# Personal pages are never cached: after signing out, "back" must not show them.
NOT_KEPT = "private, no-store"
# A signed-out page is only personal by its form token: its browser may keep it for "back", and revalidates.
ASKED_AGAIN = "private, no-cache"
_PERSONAL = ("/api/", "/admin/", "/accounts/", "/settings/", "/dev/")


def add_headers(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Add the headers that the view did not set itself."""
    response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
    response.headers.setdefault("Cache-Control", NOT_KEPT if is_personal(request, response) else ASKED_AGAIN)
    return response


def is_personal(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether a response may contain what only its reader should see; anything but a public page counts."""
    return (
        request.method not in ("GET", "HEAD")
        or settings.SESSION_COOKIE_NAME in request.COOKIES
        or "Authorization" in request.headers
        or settings.SESSION_COOKIE_NAME in response.cookies
        or request.path_info.startswith(_PERSONAL)
    )


@sync_and_async_middleware
def safe_headers(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware that adds the headers; needs no thread in an asynchronous server."""
    if iscoroutinefunction(get_response):
        ask = cast(Callable[[HttpRequest], Awaitable[HttpResponseBase]], get_response)

        async def later(request: HttpRequest) -> HttpResponseBase:
            return add_headers(request, await ask(request))

        return later

    def now(request: HttpRequest) -> HttpResponseBase:
        return add_headers(request, get_response(request))

    return now
