"""The admin of people: accounts, second steps, sanctions, the creator group."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from core.admin.search import normalise_searches
from people.admin import mfa, standing, users
from people.creators import admin as creators
from people.staff_gate import install_gate

_sign_in = secure_admin_login(admin.site.login)


def sign_in(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Sign staff in on the same page as everybody, with its rate limits and second step. Who asked for the admin as a
    whole begins at their first page."""
    if request.GET.get(REDIRECT_FIELD_NAME) == reverse("admin:index"):
        return redirect_to_login(reverse("admin:home"))
    answer: HttpResponse = _sign_in(request, extra_context)
    return answer


admin.site.login = sign_in  # type: ignore[method-assign]
install_gate()
normalise_searches()

__all__ = ["creators", "mfa", "standing", "users"]
