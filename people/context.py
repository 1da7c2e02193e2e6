"""Context processor: `site` in templates, with facts of the site and of the reader."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.functional import cached_property

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


def site(request: HttpRequest) -> dict[str, Site]:
    """Add `site` to a template's context."""
    return {"site": Site(getattr(request, "user", None))}
