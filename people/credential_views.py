"""Sessions, tokens and second steps of one's own account: a page that lists them, and views that end each."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.decorators import reauthentication_required
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from core.form_targets import post_only
from core.once import new_once, read_once
from people.actions import credentials
from people.devices import device_name
from people.forms import TokenForm
from people.models import ApiToken, Session, User
from people.refusals import PeopleRefused
from people.sessions import SessionStore
from people.signed_in import signed_in


def reader(request: HttpRequest) -> User:
    return cast(User, request.user)


def own_key(request: HttpRequest) -> str:
    """Return the stored key of the request's session."""
    return cast(SessionStore, request.session).stored_key


@never_cache
@require_safe
@signed_in
def sessions(request: HttpRequest) -> HttpResponse:
    """Show the sessions, tokens and second steps of the reader."""
    user, own = reader(request), own_key(request)
    rows = Session.objects.filter(user=user, expire_date__gt=timezone.now()).order_by("-seen_at")
    here = request.headers.get("User-Agent", "")
    listed: list[dict[str, Any]] = []
    for row in rows:
        this = row.session_key == own
        listed.append({"row": row, "device": device_name(here if this else row.device), "this": this})
    listed.sort(key=lambda one: not one["this"])
    context: dict[str, Any] = {
        "sessions": listed,
        "tokens": ApiToken.objects.filter(user=user).order_by("-created_at"),
        "factors": Authenticator.objects.filter(user=user).order_by("created_at"),
        "now": timezone.now(),
    }
    return render(request, "people/sessions.html", context)


@post_only("people:sessions")
@signed_in
def end_session(request: HttpRequest, key: str) -> HttpResponse:
    """End one session; the reader's present one through the page for signing out."""
    if key == own_key(request):
        return redirect("account_logout")
    if credentials.end_session(reader(request), key, "session_ended"):
        messages.success(request, _("That session has ended."))
    return redirect("people:sessions")


@post_only("people:sessions")
@signed_in
def end_others(request: HttpRequest) -> HttpResponse:
    """End every other session. Tokens stay: each can be ended on the same page."""
    ended = credentials.end_credentials(reader(request), "sessions_ended", keep_session=own_key(request), tokens=False)
    if ended.sessions:
        messages.success(request, _("All other sessions have ended."))
    return redirect("people:sessions")


@post_only("people:sessions")
@signed_in
def end_token(request: HttpRequest, pk: int) -> HttpResponse:
    if credentials.end_token(reader(request), pk):
        messages.success(request, _("The token no longer works."))
    return redirect("people:sessions")


@never_cache
@require_http_methods(["GET", "POST"])
@signed_in
@reauthentication_required(app="allauth.account")  # type: ignore[untyped-decorator]  # allauth is not typed
def new_token(request: HttpRequest) -> HttpResponse:
    """Make an API token and show it this once; allauth asks for the password first."""
    form = TokenForm(request.POST or None, initial={"once": new_once()})
    context: dict[str, Any] = {"form": form}
    status = 400 if form.errors else 200
    if request.method == "POST" and form.is_valid():
        try:
            context["token"], context["key"] = credentials.make_token(
                reader(request),
                form.cleaned_data["name"],
                session=own_key(request),
                once=read_once(form.cleaned_data["once"]),
            )
        except PeopleRefused as refused:
            form.add_error(None, refused.text)
            status = refused.status
    return render(request, "people/token.html", context, status=status)
