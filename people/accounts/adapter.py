"""allauth's adapter: what an account starts with, what ends when its credentials change, and texts and links of its
mails."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.internal.stagekit import clear_login, unstash_login
from allauth.account.models import EmailAddress
from allauth.core import context as allauth_context
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from core.client_address import address_of_request
from core.text import nfc
from mail.addresses import canonical_address
from people.accounts.backend import by_address, by_login
from people.accounts.limits import may_mail, remember_device, try_password
from people.accounts.links import confirm_link, local_next, reset_link, site_link, this_site, with_next
from people.actions.account import lock_claimants, release_unconfirmed
from people.actions.credentials import end_credentials, prove_address
from people.middleware import TZ_COOKIE
from people.models import User
from people.queries import is_banned_address, is_held_handle
from people.sessions import SessionStore
from people.signed_in import tell_unsent
from people.spelling import plain_handle
from people.staff_gate import has_fresh_step
from people.zones import is_zone

DIFFERENT_PASSWORD = _("This handle, address or password is not right. Capitals matter in the password.")
SIGNED_OUT = "account/messages/logged_out.txt"
# What the links between these pages say, by allauth's ids.
REAUTHENTICATION = {
    "reauthenticate": _("With your password"),
    "mfa_reauthenticate": _("With a code"),
    "mfa_reauthenticate:webauthn": _("With a passkey"),
}
# Methods with which a sign-in may begin; a second step is not one of them.
FIRST_STEPS = ("password", "password_reset", "email")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is not typed
    """Our texts, rules and limits for allauth's flows of accounts."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_taken": _("Somebody has this handle already. Choose another one."),
        "username_blacklisted": _("This handle is kept free. Choose another one."),
        "username_password_mismatch": DIFFERENT_PASSWORD,
        "email_password_mismatch": DIFFERENT_PASSWORD,
        "too_many_login_attempts": _(
            "Too many tries from here. Wait a few minutes and try again, or reset your password."
        ),
        "account_inactive": _("This account is closed."),
        "cannot_remove_primary_email": _("An account needs an address: this one stays."),
        "duplicate_email": _("This is your address already."),
        "enter_current_password": _("This is not your password. Write the one you have now."),
        "incorrect_code": _("This code is not right. Write the one that your app shows now."),
        "incorrect_password": _("This is not your password."),
        "invalid_or_expired_key": _("This link no longer works."),
        "invalid_login": _("This did not work. Start again with signing in."),
        "invalid_password_reset": _("This link no longer works. Ask for a new one."),
        "max_email_addresses": _("You have %d addresses, and no more are possible."),
        "rate_limited": _("That went too fast. Wait a moment and try again."),
        "same_as_current": _("This is what it is already."),
        "unverified_primary_email": _("Confirm your address first."),
    }

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Return where to go after signing in without `next`: staff who used their second step go to their work."""
        user = cast(User, request.user)
        if user.is_staff and has_fresh_step(request, user):
            return reverse("admin:home")
        return str(super().get_login_redirect_url(request))

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        """Fill in a new account. The form checked the date of birth; only the moment of the check is stored."""
        data = form.cleaned_data
        cookie = request.COOKIES.get(TZ_COOKIE, "")
        user.display_name = data["display_name"]
        user.old_enough_at = timezone.now()
        user.rules_version = settings.RULES_VERSION
        # A cookie may hold NL; settings and mails use nl.
        user.language = (translation.get_language() or settings.LANGUAGE_CODE).lower()
        user.time_zone = cookie if is_zone(cookie) else settings.TIME_ZONE
        if cookie and not is_zone(cookie):
            self.warn_unknown_zone(request, cookie)
        user.signing_up = True
        super().save_user(request, user, form, commit=False)
        # Not its address yet: any number of accounts may sign up with it and the first to confirm it gets it, so no
        # answer reveals another account.
        user.email = ""
        if commit:
            user.save()
        return user

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """Validate a handle as allauth does, but look it up through our index."""
        name = str(super().clean_username(plain_handle(username), shallow=True))
        if not shallow and User.objects.with_handle(name).exists():
            raise self.validation_error("username_taken")
        if not shallow and is_held_handle(name):
            raise self.validation_error("username_blacklisted")
        return name

    def clean_email(self, email: str) -> str:
        """Return the canonical spelling of an address. Raises ValidationError where no mail could be sent to it."""
        return canonical_address(email)

    def clean_password(self, password: str, user: User | None = None) -> str:
        """Validate a password as it will be hashed, in normalisation form C."""
        return str(super().clean_password(nfc(password), user))

    def warn_unknown_zone(self, request: HttpRequest, name: str) -> None:
        """Warn that the browser's time zone is not in this machine's database, and that times are in another one."""
        text = _(
            "Your time zone, “%(name)s”, is not known here. Times are in %(zone)s until you choose one in Settings."
        )
        messages.warning(request, text % {"name": name[:64], "zone": settings.TIME_ZONE})

    # --- messages on the next page -----------------------------------------------------------------------------------

    def add_message(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Add a message in the language of the page that will show it, which changes on signing in and out."""
        with translation.override(self.next_language(request, args, kwargs)):
            super().add_message(request, *args, **kwargs)

    def next_language(self, request: HttpRequest, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
        if SIGNED_OUT in (*args, *kwargs.values()):
            return translation.get_language_from_request(request)
        if request.user.is_authenticated:
            return request.user.language
        return getattr(request, "will_be", None) or translation.get_language()

    # --- signing in --------------------------------------------------------------------------------------------------

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        login = credentials.get("username") or credentials.get("email") or ""
        self.attempt = try_password(request, by_login(login), login)
        if not self.attempt.allowed:
            raise self.validation_error("too_many_login_attempts")

    def _rollback_login_failed_rl_usage(self) -> None:
        """Give the attempt back; allauth calls this once the password was right."""
        self.attempt.give_back()

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        """Do nothing: after a reset the person is signed in, and the browser's cookie has buckets of its own from
        then on."""

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign in, unless credentials of the account ended after this sign-in began."""
        if user.credentials_at is not None:
            ended = user.credentials_at.timestamp()
            steps = [record["at"] for record in get_authentication_records(request, user) if first_step(record)]
            if steps and steps[-1] < ended:
                clear_login(request)
                raise ImmediateHttpResponse(redirect("account_login"))
        super().login(request, user)

    def post_login(self, request: HttpRequest, user: User, **facts: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **facts)
        remember_device(request, response, user)
        tell_unsent(request, response, user)
        return response

    def set_password(self, user: User, password: str) -> None:
        """Set a password. A change keeps the session that makes it; a reset ends all, also one in this browser."""
        request: HttpRequest = allauth_context.request
        mine = request.user.is_authenticated and request.user.pk == user.pk
        request.will_be = user.language  # type: ignore[attr-defined]  # setting a password signs in
        if mine and request.resolver_match and "reset" in (request.resolver_match.url_name or ""):
            logout(request)
        elif mine:
            user.keep_session = cast(SessionStore, request.session).stored_key
        with transaction.atomic():
            lock_claimants(user.email, user)
            super().set_password(user, password)
            if not mine or not user.keep_session:
                self.prove_by_reset(user)
        user.keep_session = ""

    def prove_by_reset(self, user: User) -> None:
        """Confirm an unconfirmed address after a reset: opening its link proved access to the mailbox."""
        address = EmailAddress.objects.filter(user=user, email=user.email).exclude(email="").first()
        if address is None or address.verified:
            return
        release_unconfirmed(user.email, besides=user)
        if address.set_verified():
            prove_address(user, same_person=True)

    # --- addresses ---------------------------------------------------------------------------------------------------

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Confirm an address, and remove it from accounts that never confirmed it: a confirmed address is unique.

        Credentials that were made before the address was first confirmed may be somebody else's, and end.
        """
        user = cast(User, email_address.user)
        signed_in = request.user.is_authenticated and request.user.pk == user.pk
        own = cast(SessionStore, request.session).stored_key if signed_in else ""
        same_person = signed_in or begun_here(request, user)
        with transaction.atomic():
            lock_claimants(email_address.email, user)
            release_unconfirmed(email_address.email, besides=user)
            if same_person:
                request.will_be = user.language  # type: ignore[attr-defined]
            if is_banned_address(email_address.email) or not super().confirm_email(request, email_address):
                return False
            user.refresh_from_db()
            if user.proved_at is None:
                prove_address(user, keep_session=own, same_person=same_person)
            else:
                end_credentials(user, "address_changed", keep_session=own)
        if same_person and not signed_in:
            record_authentication(request, user, "email", email=email_address.email)
        return True

    # --- mails -------------------------------------------------------------------------------------------------------

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        return confirm_link(emailconfirmation.key, request)

    def get_reset_password_from_key_url(self, key: str) -> str:
        return with_next(reset_link(key), local_next(self.request))

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """Send the link that confirms an address; to the owner of a confirmed account another mail, with the same
        page for both."""
        address: EmailAddress = emailconfirmation.email_address
        user = cast(User, address.user)
        kind = "signup" if user.signing_up else "address"
        if not may_mail(request, kind, address.email):
            return
        owner = by_address(address.email) if user.signing_up else None
        if is_banned_address(address.email):
            self.send_mail("account/email/address_refused", address.email, {})
        elif owner is not None and owner.proved_at is not None:
            self.send_account_already_exists_mail(address.email)
        else:
            super().send_confirmation_mail(request, emailconfirmation, signup)

    def send_account_already_exists_mail(self, email: str) -> None:
        owner = by_address(email)
        language = owner.language if owner is not None else translation.get_language()
        with translation.override(language):
            self.send_mail("account/email/account_already_exists", email, {"owner": owner})

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail whose links all lead to SITE_URL, also where allauth made one from the request."""
        names = {
            "site_name": settings.SITE_NAME,
            "site_url": settings.SITE_URL,
            "current_site": this_site(),
            "signup_url": site_link(reverse("account_signup")),
            "login_url": site_link(reverse("account_login")),
            "password_reset_page": site_link(reverse("account_reset_password")),
        }
        message = self.render_mail(template_prefix, email, {"email": email, **context, **names})
        message.send()

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Notify a person of a change, in their language, at the address they had before it."""
        with translation.override(user.language):
            super().send_notification_mail(template_prefix, user, context, email)

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        """List the pages on which a person can show again that it is them, each in our words."""
        ways: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [{**way, "description": str(REAUTHENTICATION[way["id"]])} for way in ways]

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of_request(request)

    def is_safe_url(self, url: str) -> bool:
        """Whether a redirect stays on this site: a path, or an address under SITE_URL."""
        return bool(super().is_safe_url(url)) and url.startswith(("/", settings.SITE_URL + "/"))


def first_step(record: dict[str, Any]) -> bool:
    """Whether a record of allauth's list of sign-in steps can begin a sign-in: a passkey can, a code cannot."""
    return record.get("method") in FIRST_STEPS or bool(record.get("passwordless"))


def begun_here(request: HttpRequest, user: User) -> bool:
    """Whether this browser is in the middle of a sign-up or sign-in to this account."""
    login = unstash_login(request, peek=True)
    return login is not None and login.user is not None and login.user.pk == user.pk
