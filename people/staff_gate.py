"""Before everything staff: a second step that is set up, that this session used lately, and no long pause since.

Permissions are granted to nobody else (`User.has_perm`), so every page, action and part of the API that asks for one is
behind this. `is_staff` is asked here alone: it says whose pages Django's admin are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlencode

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from people.accounts.links import local_next
from people.models import Session, User

STEPS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
SEEN = "staff_seen_at"  # in the session: seconds since 1970
NEXT = "staff_next"  # in the session: where a person wanted to go who has no second step yet
SEEN_AGAIN = 60  # seconds between two notes of it


def has_fresh_step(request: HttpRequest, user: User) -> bool:
    """Whether this session is good for staff now; notes that it is in use."""
    step = _last_step(get_authentication_records(request, user), request.session, time.time())
    if step is None or not _still_has(user.pk, step):
        return False
    if time.time() - max(float(step["at"]), float(request.session.get(SEEN, 0))) > SEEN_AGAIN:
        request.session[SEEN] = time.time()
    return True


def fresh_sessions(idents: Iterable[str]) -> set[str]:
    """The sessions among these that are good for staff now. One query, and one more a session of staff."""
    fresh = set()
    for row in Session.objects.filter(ident__in=set(idents), user__is_staff=True, user__is_active=True):
        data = row.get_decoded()
        records = get_authentication_records(cast(Any, SimpleNamespace(session=data)), row.user)
        step = _last_step(records, data, time.time())
        if step is not None and _still_has(row.user_id, step):
            fresh.add(row.ident)
    return fresh


def _last_step(records: list[dict[str, Any]], session: Any, now: float) -> dict[str, Any] | None:
    """The second step that a session used last; None where it used none, or not lately, or then paused for long."""
    used = [record for record in records if record.get("method") == "mfa"]
    if not used:
        return None
    at = float(used[-1]["at"])
    seen = max(at, float(session.get(SEEN, 0)))
    too_old = now - at > settings.STAFF_SECOND_STEP_MINUTES * 60 or now - seen > settings.STAFF_IDLE_MINUTES * 60
    return None if too_old else used[-1]


def _still_has(user_pk: int | None, step: dict[str, Any]) -> bool:
    kinds = dict(Authenticator.objects.filter(user=user_pk).values_list("pk", "type"))
    return step.get("id") in kinds and bool(set(kinds.values()) & set(STEPS))


class StaffGateMiddleware:
    """Gives the person of a session the check that permissions ask, and leads staff to their second step."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            user = request.user
            user.step_check = once(partial(has_fresh_step, request, user))
            if user.is_staff and is_admin(request.path_info):
                if not user.has_fresh_step:
                    return HttpResponseRedirect(second_step_url(request.get_full_path()))
                request.session.pop(NEXT, None)
        return self.get_response(request)


def once(check: Callable[[], bool]) -> Callable[[], bool]:
    """The check, made when it is first asked and kept: what a request may do does not change within it."""
    answer: list[bool] = []

    def ask() -> bool:
        if not answer:
            answer.append(check())
        return answer[0]

    return ask


def is_admin(path: str) -> bool:
    """Whether a path is of the admin, but for its way out."""
    return path.startswith(reverse("admin:index")) and path != reverse("admin:logout")


def may_see_admin(request: HttpRequest) -> bool:
    """Django's own question of the admin's every page."""
    user = request.user
    return bool(user.is_active and isinstance(user, User) and user.is_staff and user.has_fresh_step)


def second_step_url(wanted: str) -> str:
    return f"{reverse('people:second_step')}?{urlencode({'next': wanted})}"


@never_cache
@require_safe
@login_required
def second_step(request: HttpRequest) -> HttpResponse:
    """Lead staff to setting up their second step, or to using it; then to where they wanted to go."""
    user = cast(User, request.user)
    wanted = local_next(request) or request.session.get(NEXT, "") or reverse("admin:index")
    if user.has_fresh_step or not user.is_staff:
        request.session.pop(NEXT, None)
        return redirect(wanted if user.has_fresh_step else "/")
    kinds = set(Authenticator.objects.filter(user=user, type__in=STEPS).values_list("type", flat=True))
    request.session[NEXT] = wanted
    context: dict[str, Any] = {
        "kinds": kinds,
        "passkeys": settings.PASSKEYS,
        "next": urlencode({"next": wanted}),
        "minutes": settings.STAFF_IDLE_MINUTES,
    }
    return render(request, "people/second_step.html", context)


def close_admin() -> None:
    """Make Django's admin ask the gate; called where the admin is set up."""
    admin.site.has_permission = may_see_admin  # type: ignore[method-assign]
