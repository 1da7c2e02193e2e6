"""Suspended accounts: they may sign in, read why, sign out, and open the pages that apps registered for them."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from core.refusals import as_error
from people.hooks import is_named, open_when_suspended
from people.models import Sanction, User
from people.refusals import PeopleRefused
from people.standing import standing_of, why_not_enter


class SuspensionMiddleware:
    """Middleware that answers every request of a suspended account with the same page, except public paths and
    those of `people.hooks.open_when_suspended`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        open_paths = ("account_logout", "set_language")
        self.open = (*map(reverse, open_paths), "/healthz", "/readyz")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or self.is_open(request.path_info):
            return self.get_response(request)
        if not request.user.is_authenticated:
            return self.get_response(request)
        user = request.user
        if why_not_enter(standing_of(user)) != "account_suspended" or is_named(request.path_info, open_when_suspended):
            return self.get_response(request)
        return refuse(request, user)

    def is_open(self, path: str) -> bool:
        return path in self.open or path.startswith((settings.STATIC_URL, settings.MEDIA_URL))


def refuse(request: HttpRequest, user: User) -> HttpResponse:
    refused = PeopleRefused("account_suspended")
    if request.path_info.startswith("/api/"):
        return JsonResponse({"error": as_error(refused.code, refused.text)}, status=refused.status)
    sanctions = Sanction.objects.in_force().filter(user=user, kind=Sanction.Kind.SUSPENDED)
    longest = max(sanctions, key=lambda one: (one.ends_at is None, one.ends_at or one.begins_at))
    return render(request, "people/suspended.html", {"sanction": longest}, status=refused.status)
