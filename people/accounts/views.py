"""allauth's pages where ours do something else."""

from __future__ import annotations

from typing import Any, cast

from allauth.account import views as allauth_views
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from people.accounts.adapter import begun_here
from people.accounts.links import local_next, with_next
from people.models import User


class ConfirmEmailView(allauth_views.ConfirmEmailView):  # type: ignore[misc]  # allauth is not typed
    """Confirm an address. In another browser than the one that signed up, choose a password too."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {**context, "elsewhere": self.object is not None and self.elsewhere()}

    def elsewhere(self) -> bool:
        """Whether this browser has not shown that it knows the account's password."""
        user = cast(User, self.object.email_address.user)
        here = self.request.user.pk == user.pk or begun_here(self.request, user)
        return user.proved_at is None and not here

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post(*args, **kwargs)
        user = User.objects.get(pk=self.object.email_address.user_id)
        if user.proved_at is None or user.has_usable_password() or self.request.user.is_authenticated:
            return response
        self.request.session[allauth_views.INTERNAL_RESET_SESSION_KEY] = default_token_generator.make_token(user)
        parts = {"uidb36": user_pk_to_url_str(user), "key": allauth_views.PasswordResetFromKeyView.reset_url_key}
        path = reverse("account_reset_password_from_key", kwargs=parts)
        return redirect(with_next(path, local_next(self.request)))
