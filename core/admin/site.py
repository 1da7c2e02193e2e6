"""The admin site: its index by task, and the page on which each member of staff begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.translation import gettext_lazy as _

from core.admin.tasks import tasks_for
from core.hooks import Hook

# Each returns the address on which its readers begin, or None for everybody else. The first registered counts.
admin_homes: Hook[Callable[[HttpRequest], str | None]] = Hook("core.admin_homes")


def admin_home(request: HttpRequest) -> str:
    """Return the address on which this member of staff begins after signing in; the index where no app has one."""
    return next((url for home in admin_homes.values() if (url := home(request))), reverse("admin:index"))


class StaffSite(AdminSite):
    """Django's admin in the look of the pages (`templates/admin`), without its side bar, sign-in and theme switch."""

    site_title = site_header = "Stamtafel"
    index_title = _("Administration")
    enable_nav_sidebar = False
    index_template = "admin/index.html"
    empty_value_display = "–"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Add the address that leads each member of staff to their first page."""
        return [path("home/", self.admin_view(self.home), name="home"), *super().get_urls()]

    def home(self, request: HttpRequest) -> HttpResponse:
        return redirect(admin_home(request))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {"tasks": tasks_for(request), **(extra_context or {})})

    def password_change(  # type: ignore[override]  # a redirect, where Django renders
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirect to the page on which everybody changes their password."""
        return redirect("account_change_password")
