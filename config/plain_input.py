"""Refusal of input that no browser and no client of ours sends, before other code has to handle it.

PostgreSQL cannot store NUL, and Python has codecs that are no character sets. So a request with a NUL in its address,
headers or form, or in another character set than UTF-8, gets a 400. A cookie with control characters is only dropped:
it may come from a neighbour on the same domain, and a 400 would lock its owner out.
"""

from __future__ import annotations

from asyncio import iscoroutinefunction
from collections.abc import Awaitable, Callable, Iterable
from itertools import chain
from typing import Any, cast

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.decorators import sync_and_async_middleware

from core.refusals import as_error
from people.refusals import PeopleRefused

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


def is_plain(request: HttpRequest) -> bool:
    """Whether address and headers have no NUL, and the character set is UTF-8."""
    charset = (request.content_params or {}).get("charset", "utf-8")
    if charset.strip().lower() not in _UTF8:
        return False
    texts = [request.path_info, request.META.get("QUERY_STRING", "")]
    texts += [value for name, value in request.META.items() if name.startswith("HTTP_") and isinstance(value, str)]
    return _without_nul(texts) and "%00" not in request.META.get("QUERY_STRING", "")


def has_plain_form(request: HttpRequest) -> bool:
    """Whether the fields of a form and the names of its files have no NUL."""
    fields = chain.from_iterable((name, *values) for name, values in request.POST.lists())
    return _without_nul(fields) and _without_nul(name or "" for name in request.FILES)


def _without_nul(texts: Iterable[str]) -> bool:
    return not any("\x00" in text for text in texts)


def sends_form(request: HttpRequest) -> bool:
    """Whether the request has a form to check; the API reads none."""
    return request.method == "POST" and request.content_type in FORMS and not is_api(request)


def is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def drop_cookies(request: HttpRequest) -> None:
    """Remove cookies whose value has control characters: none of ours has."""
    found = request.COOKIES
    if not all(value.isprintable() for value in found.values()):
        request.COOKIES = {name: value for name, value in found.items() if value.isprintable()}


def refused(request: HttpRequest) -> HttpResponse:
    """Build the 400: JSON for programs, a page for people, in their language."""
    with translation.override(translation.get_language_from_request(request)):
        if is_api(request):
            why = PeopleRefused("bad_value")
            return JsonResponse({"error": as_error(why.code, why.text)}, status=why.status)
        return HttpResponse(render_to_string("400.html"), status=400)


@sync_and_async_middleware
def plain_input(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware that refuses such requests. Only a form is read in a thread; everything else needs none."""
    if iscoroutinefunction(get_response):
        ask = cast(Callable[[HttpRequest], Awaitable[HttpResponseBase]], get_response)

        async def later(request: HttpRequest) -> HttpResponseBase:
            drop_cookies(request)
            if not is_plain(request) or (sends_form(request) and not await sync_to_async(has_plain_form)(request)):
                return refused(request)
            return await ask(request)

        return later

    def now(request: HttpRequest) -> HttpResponseBase:
        drop_cookies(request)
        if not is_plain(request) or (sends_form(request) and not has_plain_form(request)):
            return refused(request)
        return cast(HttpResponseBase, get_response(request))

    return now
