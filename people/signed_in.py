"""Views for signed-in readers, and forms that were sent signed out: whoever signs in then is back at the form, is told
that nothing was changed, and finds what they typed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from core import bus
from people.accounts.links import LONGEST_NEXT
from people.models import User

log = logging.getLogger(__name__)

View = Callable[..., HttpResponse]

OWNER = "form_owner"  # field with the account for which a form was made; without it nothing typed is kept
KEPT = 1800  # seconds
MOST_KEPT = 10_000  # characters of one form
_COOKIE, _COOKIE_PATH = "unsent", "/accounts/"  # while signing in
_SALT = "people.signed_in"
_NOT_KEPT = ("csrfmiddlewaretoken", "once", OWNER)


def signed_in(view: View) -> View:
    """Require a signed-in reader, as `login_required` does; a form that was sent signed out changes nothing."""
    return _requiring(view, keeps=False)


def signed_in_keeping(view: View) -> View:
    """Require a signed-in reader, and keep what was typed into a form that was sent signed out (`typed_before`)."""
    return _requiring(view, keeps=True)


def _requiring(view: View, *, keeps: bool) -> View:
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        return ask_to_sign_in(request, keeps=keeps)

    return wrapped


def ask_to_sign_in(request: HttpRequest, *, keeps: bool = False) -> HttpResponse:
    """Redirect to the page for signing in, which leads back; after a form with a notice, there and afterwards."""
    if request.method != "POST":
        return redirect_to_login(request.get_full_path())
    if keeps:
        _keep_typed(request)
    response = redirect_to_login(page_of_form(request))
    messages.warning(request, _("You are signed out, so nothing was changed yet."))
    secure = settings.SESSION_COOKIE_SECURE
    response.set_cookie(_COOKIE, "1", KEPT, path=_COOKIE_PATH, secure=secure, httponly=True, samesite="Lax")
    return response


def page_of_form(request: HttpRequest) -> str:
    """Return the path of the page that a form was on, where the browser tells it, else the form's own target."""
    sent = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(sent, {request.get_host()}, require_https=request.is_secure()):
        parts = urlsplit(sent)
        path = urlunsplit(("", "", parts.path, parts.query, ""))
        ours = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
        if ours and len(path) <= LONGEST_NEXT:
            return path
    return request.get_full_path()


def tell_unsent(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Tell a reader who has signed in now that the form that they sent before did nothing."""
    if _COOKIE not in request.COOKIES:
        return
    with translation.override(user.language):
        messages.warning(request, _("You were signed out, so nothing was changed yet. Do it again."))
    response.delete_cookie(_COOKIE, path=_COOKIE_PATH)


# --- what was typed --------------------------------------------------------------------------------------------------


def owner_mark(user: User) -> str:
    """Return the value of a form's field `OWNER`: what is typed into it is given back to this account alone."""
    return signing.TimestampSigner(salt=_SALT).sign(str(user.pk))


def _keep_typed(request: HttpRequest) -> None:
    """Keep a form for its owner, in place of one that was kept before; in Redis, for `KEPT` seconds."""
    try:
        mark = request.POST.get(OWNER, "")
        owner = signing.TimestampSigner(salt=_SALT).unsign(mark, max_age=settings.SESSION_COOKIE_AGE)
    except signing.BadSignature:
        return
    values = {name: str(value) for name, value in request.POST.items() if name not in _NOT_KEPT}
    if sum(len(name) + len(value) for name, value in values.items()) > MOST_KEPT:
        return
    try:
        bus.client().set(_key(owner), json.dumps({"path": request.path, "values": values}), ex=KEPT)
    except RedisError as error:
        log.warning("what was typed signed out is not kept, Redis is away: %s", error)


def typed_before(request: HttpRequest) -> dict[str, str]:
    """Return once what the reader had typed into this page's form when they sent it signed out; {} otherwise."""
    if request.method != "GET" or not request.user.is_authenticated:
        return {}
    key = _key(str(request.user.pk))
    try:
        kept = json.loads(bus.client().get(key) or "{}")
        if kept.get("path") != request.path:
            return {}
        bus.client().delete(key)
    except RedisError as error:
        log.warning("what was typed signed out is not known, Redis is away: %s", error)
        return {}
    values: dict[str, str] = kept["values"]
    return values


def _key(owner: str) -> str:
    return bus.key(f"unsent:{owner}")
