"""Context processor: `site` in templates, with facts of the site and of the reader, and addresses of the way in."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property

from people.accounts.links import LONGEST_NEXT, local_next, with_next
from people.models import User
from people.standing import Standing, standing_of, why_not_host


class Site:
    """The site for templates. Queries run at most once a page, and only where their result is used."""

    def __init__(self, user: User | AnonymousUser | None) -> None:
        self.name = settings.SITE_NAME
        self.url = settings.SITE_URL
        self.minimum_age = settings.MINIMUM_AGE
        self.recording_days = settings.RECORDING_DAYS
        self.recording_days_violation = settings.RECORDING_DAYS_VIOLATION
        self.languages = settings.LANGUAGES
        self._user = user

    @cached_property
    def standing(self) -> Standing:
        return standing_of(self._user)

    @property
    def is_creator(self) -> bool:
        return self.standing.creator

    @property
    def may_host(self) -> bool:
        return why_not_host(self.standing) is None


def wanted_page(request: HttpRequest) -> str:
    """Return the path to go to after signing in: this page, on pages of the way in the one that they lead to."""
    if request.path.startswith("/accounts/"):
        try:
            return local_next(request)
        except SuspiciousOperation:  # unreadable, such as too many fields: the page that says so needs no way back
            return ""
    here = request.get_full_path()
    return "" if here == "/" or len(here) > LONGEST_NEXT else here


def site(request: HttpRequest) -> dict[str, Any]:
    """Add `site` to a template's context, and addresses of the way in, which lead back to the page where the reader is
    or was going to. They are no part of `site`: allauth's pages have another one."""
    wanted = wanted_page(request)
    return {
        "site": Site(getattr(request, "user", None)),
        "sign_in_url": with_next(reverse("account_login"), wanted),
        "sign_up_url": with_next(reverse("account_signup"), wanted),
    }
