"""allauth's hooks: what an account starts with, and how its mails are signed."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from people.actions.profile import release_unconfirmed
from people.middleware import TZ_COOKIE
from people.models import User
from people.zones import is_zone

DIFFERENT_PASSWORD = _("This handle, address or password is not right. Capitals matter in the password.")


class HouseAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is not typed
    """Words of the house, and the facts of a sign-up."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_taken": _("Somebody has this handle already. Choose another one."),
        "username_blacklisted": _("This handle is kept free. Choose another one."),
        "email_taken": _("There is an account with this address already. Sign in, or reset its password."),
        "username_password_mismatch": DIFFERENT_PASSWORD,
        "email_password_mismatch": DIFFERENT_PASSWORD,
        "too_many_login_attempts": _("Too many wrong passwords. Wait five minutes, or reset your password."),
    }

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        """The date of birth was checked by the form and ends there: only that it was checked is kept."""
        data = form.cleaned_data
        cookie = request.COOKIES.get(TZ_COOKIE, "")
        user.display_name = data["display_name"]
        user.old_enough_at = timezone.now()
        user.rules_version = settings.RULES_VERSION
        user.language = translation.get_language() or settings.LANGUAGE_CODE
        user.time_zone = cookie if is_zone(cookie) else settings.TIME_ZONE
        saved: User = super().save_user(request, user, form, commit)
        return saved

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Who shows that an address is theirs has it: an account that never did must let it go first."""
        with transaction.atomic():
            release_unconfirmed(email_address.email, besides=email_address.user)
            return bool(super().confirm_email(request, email_address))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        names = {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL}
        super().send_mail(template_prefix, email, {**context, **names})
