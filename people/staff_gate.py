"""The gate before all rights of staff: a second step that this session used lately, and no long pause since.

No permission is granted without it (`User.has_perm`), so it protects every page, action and part of the API that checks
one. `is_staff` is only read here: it says who may open Django's admin.
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
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from people.accounts.links import local_next
from people.hooks import is_named, polled
from people.models import Session, User
from people.signed_in import signed_in

STEPS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
SEEN = "staff_seen_at"  # session key: seconds since 1970
NEXT = "staff_next"  # session key: the page to return to once a second step is set up
SEEN_AGAIN = 60  # seconds between two updates of SEEN


def has_fresh_step(request: HttpRequest, user: User) -> bool:
    """Whether this session may have rights of staff now; stores that it is in use, unless a script asks."""
    step = _last_step(get_authentication_records(request, user), request.session, time.time())
    if step is None or not _still_has(user.pk, step):
        return False
    seen = max(float(step["at"]), float(request.session.get(SEEN, 0)))
    if time.time() - seen > SEEN_AGAIN and not is_named(request.path_info, polled):
        request.session[SEEN] = time.time()
    return True


def fresh_sessions(idents: Iterable[str], *, present: bool = False) -> set[str]:
    """Return those sessions that may have rights of staff now. One query, and one for each session of staff. With
    `present` the caller knows that they are in use, though not by requests: only the step's age binds them then."""
    return {row.ident for row in _fresh(idents, present=present)}


def fresh_sessions_with(permission: str, idents: Iterable[str]) -> set[str]:
    """Return those sessions that may use a permission (`app.codename`) now. One query, and four for each session of
    staff."""
    return {row.ident for row in _fresh(idents) if row.user is not None and has_permission(row.user, permission)}


def has_permission(user: User, permission: str) -> bool:
    """Whether an account was given a permission, for callers that checked the second step of its session."""
    asked = User.objects.get(pk=user.pk)  # an object remembers its permissions
    asked.step_check = lambda: True
    return asked.has_perm(permission)


def with_step_of(user: User, ident: str) -> User:
    """Load an account anew for one of its sessions, so that `User.has_perm` answers as in a request of it."""
    row = User.objects.get(pk=user.pk)
    row.step_check = cached(lambda: bool(fresh_sessions([ident])))
    return row


def _fresh(idents: Iterable[str], *, present: bool = False) -> list[Session]:
    fresh = []
    rows = Session.objects.filter(ident__one_of=list(set(idents)), user__is_staff=True, user__is_active=True)
    for row in rows.select_related("user"):
        data = row.get_decoded()
        records = get_authentication_records(cast(Any, SimpleNamespace(session=data)), row.user)
        step = _last_step(records, data, time.time(), present=present)
        if step is not None and _still_has(row.user_id, step):
            fresh.append(row)
    return fresh


def _last_step(
    records: list[dict[str, Any]], session: Any, now: float, *, present: bool = False
) -> dict[str, Any] | None:
    """Return the record of the second step that a session used last; None where missing, old or too long idle."""
    used = [record for record in records if record.get("method") == "mfa"]
    if not used:
        return None
    at = float(used[-1]["at"])
    seen = max(at, float(session.get(SEEN, 0)))
    too_old = now - at > settings.STAFF_SECOND_STEP_MINUTES * 60
    idle = not present and now - seen > settings.STAFF_IDLE_MINUTES * 60
    return None if too_old or idle else used[-1]


def _still_has(user_pk: int | None, step: dict[str, Any]) -> bool:
    kinds = dict(Authenticator.objects.filter(user=user_pk).values_list("pk", "type"))
    return step.get("id") in kinds and bool(set(kinds.values()) & set(STEPS))


class StaffGateMiddleware:
    """Middleware that sets the check behind permissions, and redirects staff to their second step."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            user = request.user
            user.step_check = cached(partial(has_fresh_step, request, user))
            if user.is_staff and is_admin(request.path_info):
                if not user.has_fresh_step:
                    return HttpResponseRedirect(second_step_url(request.get_full_path()))
                request.session.pop(NEXT, None)
        return self.get_response(request)


def cached(check: Callable[[], bool]) -> Callable[[], bool]:
    """Cache the result of a check: rights do not change within a request."""
    answer: list[bool] = []

    def ask() -> bool:
        if not answer:
            answer.append(check())
        return answer[0]

    return ask


def is_admin(path: str) -> bool:
    """Whether a path is in the admin, except its page for signing out."""
    return path.startswith(reverse("admin:index")) and path != reverse("admin:logout")


def may_see_admin(request: HttpRequest) -> bool:
    """Whether the reader may open the admin; Django calls it for every page."""
    user = request.user
    return bool(user.is_active and isinstance(user, User) and user.is_staff and user.has_fresh_step)


def second_step_url(wanted: str) -> str:
    return f"{reverse('people:second_step')}?{urlencode({'next': wanted})}"


@never_cache
@require_safe
@signed_in
def second_step(request: HttpRequest) -> HttpResponse:
    """Redirect staff to set up or use their second step, and then to the page they wanted."""
    user = cast(User, request.user)
    wanted = local_next(request) or request.session.get(NEXT, "") or reverse("admin:index")
    if wanted == reverse("admin:index"):
        wanted = reverse("admin:home")  # which leads on by what the reader may see
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


def install_gate() -> None:
    """Make Django's admin use `may_see_admin`; called where the admin is set up."""
    admin.site.has_permission = may_see_admin  # type: ignore[method-assign]
