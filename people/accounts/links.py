"""Links in mails. They come from SITE_URL: the Host of a request is never used."""

from __future__ import annotations

from types import SimpleNamespace
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

LONGEST_NEXT = 500  # characters of a path that is kept through signing in


def site_link(path: str) -> str:
    """Return the full address of a path, for a mail."""
    return f"{settings.SITE_URL}{path}"


def local_next(request: HttpRequest | None) -> str:
    """Return the path in `next` of the form or address if it is on this site, else ""."""
    if request is None:
        return ""
    wanted: str = request.POST.get("next", "") or request.GET.get("next", "")
    ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if ours and len(wanted) <= LONGEST_NEXT else ""


def with_next(path: str, wanted: str) -> str:
    return f"{path}?{urlencode({'next': wanted})}" if wanted else path


def confirm_link(key: str, request: HttpRequest | None) -> str:
    """Return the link that confirms an address and then leads to the page the person was going to."""
    return with_next(site_link(reverse("account_confirm_email", args=[key])), local_next(request))


def reset_link(key: str) -> str:
    """Return the link for choosing a new password; `key` is allauth's, of account and token."""
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
    return site_link(path.replace("UID-KEY", key))


def this_site() -> SimpleNamespace:
    """Return the site as allauth's templates expect it (`current_site`)."""
    return SimpleNamespace(name=settings.SITE_NAME, domain=urlsplit(settings.SITE_URL).netloc)
