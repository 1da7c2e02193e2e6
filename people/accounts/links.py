"""Addresses of this site in mails. They come from SITE_URL: what a request claims to have asked decides nothing."""

from __future__ import annotations

from types import SimpleNamespace
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme


def site_link(path: str) -> str:
    """A path of this site as an address for a mail."""
    return f"{settings.SITE_URL}{path}"


def local_next(request: HttpRequest | None) -> str:
    """The path that the person wanted to go to, if it is one of this site; else nothing."""
    if request is None:
        return ""
    wanted: str = request.POST.get("next", "") or request.GET.get("next", "")
    ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if ours and len(wanted) <= 500 else ""


def with_next(path: str, wanted: str) -> str:
    return f"{path}?{urlencode({'next': wanted})}" if wanted else path


def confirm_link(key: str, request: HttpRequest | None) -> str:
    """The link that confirms an address, and leads on to where the person wanted to go."""
    return with_next(site_link(reverse("account_confirm_email", args=[key])), local_next(request))


def reset_link(key: str) -> str:
    """The link under which a new password is chosen; `key` is allauth's, of account and token."""
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
    return site_link(path.replace("UID-KEY", key))


def this_site() -> SimpleNamespace:
    """The site as allauth's texts know it (`current_site`)."""
    return SimpleNamespace(name=settings.SITE_NAME, domain=urlsplit(settings.SITE_URL).netloc)
