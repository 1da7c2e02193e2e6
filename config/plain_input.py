"""Refuse what no browser and no program of ours sends, before anything can stumble over it.

NUL cannot be kept in PostgreSQL, and Python's codecs hold more than character sets. So neither passes: a request with a
NUL in its address, headers or form, or in another character set than UTF-8, is a 400. A cookie like that is dropped:
it may come from a neighbour on the same domain, and its owner would never get in again.
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
    """Whether address, headers and character set are what they should be."""
    charset = (request.content_params or {}).get("charset", "utf-8")
    if charset.strip().lower() not in _UTF8:
        return False
    texts = [request.path_info, request.META.get("QUERY_STRING", "")]
    texts += [value for name, value in request.META.items() if name.startswith("HTTP_") and isinstance(value, str)]
    return _without_nul(texts) and "%00" not in request.META.get("QUERY_STRING", "")


def has_plain_form(request: HttpRequest) -> bool:
    """The same for the fields of a form, and the names of its files."""
    fields = chain.from_iterable((name, *values) for name, values in request.POST.lists())
    return _without_nul(fields) and _without_nul(name or "" for name in request.FILES)


def _without_nul(texts: Iterable[str]) -> bool:
    return not any("\x00" in text for text in texts)


def sends_form(request: HttpRequest) -> bool:
    """Whether there is a form to look into; the API reads none."""
    return request.method == "POST" and request.content_type in FORMS and not is_api(request)


def is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def drop_cookies(request: HttpRequest) -> None:
    """Forget cookies whose value has control characters: ours have none."""
    found = request.COOKIES
    if not all(value.isprintable() for value in found.values()):
        request.COOKIES = {name: value for name, value in found.items() if value.isprintable()}


def refused(request: HttpRequest) -> HttpResponse:
    """Our usual refusal: JSON for programs, a page for people, in their language."""
    with translation.override(translation.get_language_from_request(request)):
        if is_api(request):
            why = PeopleRefused("bad_value")
            return JsonResponse({"error": as_error(why.code, why.text)}, status=why.status)
        return HttpResponse(render_to_string("400.html"), status=400)


@sync_and_async_middleware
def plain_input(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """The middleware. A form is read beside the event loop; everything else costs no thread."""
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
