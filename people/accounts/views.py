"""allauth's views where ours behave differently."""

from __future__ import annotations

from typing import Any, cast

from allauth.account import views as allauth_views
from allauth.account.adapter import get_adapter
from allauth.account.forms import default_token_generator
from allauth.account.utils import get_login_redirect_url, user_pk_to_url_str
from django.contrib import messages
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from people.accounts.adapter import begun_here
from people.accounts.forms import sign_up_again
from people.accounts.links import local_next, with_next
from people.models import User

# Forms for signing in and up; signed-in people have no use for them.
ENTRANCE = frozenset(
    {
        *("account_login", "account_signup", "account_confirm_email", "account_reset_password_from_key"),
        *("mfa_authenticate", "mfa_login_webauthn"),
    }
)
CHOOSE_AT = "choose_password_at"  # session key: the page to choose a password at, after confirming in another browser


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose CSRF token does not match. Signing in changes the token: a sign-in sent twice has worked."""
    match = request.resolver_match
    if request.user.is_authenticated and match is not None and match.view_name in ENTRANCE:
        return redirect(get_login_redirect_url(request, local_next(request) or None))
    return render(request, "403_csrf.html", {"reason": reason}, status=403)


class SignupView(allauth_views.SignupView):  # type: ignore[misc]  # allauth is not typed
    """Sign up. The same form sent twice signs up once, and both lead to the same page."""

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        again = sign_up_again(self.request, form)
        if again is not None:
            return again
        response: HttpResponse = super().form_invalid(form)
        return response


class PasswordChangeView(allauth_views.PasswordChangeView):  # type: ignore[misc]  # allauth is not typed
    """Change the password. The same form sent twice changes it once: no second mail, no credentials ended again."""

    def form_valid(self, form: Any) -> HttpResponse:
        if form.changed_before:
            get_adapter().add_message(self.request, messages.SUCCESS, "account/messages/password_changed.txt")
            return redirect(self.get_success_url())
        response: HttpResponse = super().form_valid(form)
        return response


class ConfirmEmailView(allauth_views.ConfirmEmailView):  # type: ignore[misc]  # allauth is not typed
    """Confirm an address. In another browser than the one that signed up, the person also chooses a password."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {**context, "elsewhere": self.object is not None and self.elsewhere()}

    def elsewhere(self) -> bool:
        """Whether this is a first confirmation in a browser that has not shown to know the password."""
        user = cast(User, self.object.email_address.user)
        here = self.request.user.pk == user.pk or begun_here(self.request, user)
        return user.proved_at is None and not here

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        session = self.request.session
        try:
            response: HttpResponse = super().post(*args, **kwargs)
        except Http404:  # the link was used before, perhaps by this very form sent twice
            chosen = allauth_views.INTERNAL_RESET_SESSION_KEY not in session
            return redirect(self.request.path if chosen else session.get(CHOOSE_AT, self.request.path))
        user = User.objects.get(pk=self.object.email_address.user_id)
        if user.proved_at is None or user.has_usable_password() or self.request.user.is_authenticated:
            return response
        session[allauth_views.INTERNAL_RESET_SESSION_KEY] = default_token_generator.make_token(user)
        parts = {"uidb36": user_pk_to_url_str(user), "key": allauth_views.PasswordResetFromKeyView.reset_url_key}
        path = reverse("account_reset_password_from_key", kwargs=parts)
        session[CHOOSE_AT] = with_next(path, local_next(self.request))
        return redirect(session[CHOOSE_AT])
