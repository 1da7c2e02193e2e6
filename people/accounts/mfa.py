"""allauth's MFA with our texts and limits, tied to SITE_URL instead of a request."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base import forms as base_forms
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.webauthn import forms as webauthn_forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from core.fields import TypedField
from core.text import LABEL
from people.accounts.limits import try_code


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth is not typed
    """allauth's MFA adapter. Passkeys are bound to the host of SITE_URL, never to that of a request."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": _("This second step has to stay."),
        "cannot_generate_recovery_codes": _("Recovery codes belong to a second step. Set one up first."),
        "incorrect_code": _("This code is not right. Write the one that your app shows now."),
        "unverified_email": _("Confirm your address first, then set up a second step."),
    }

    def _get_site_name(self) -> str:
        return settings.SITE_NAME

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": urlsplit(settings.SITE_URL).hostname or "", "name": settings.SITE_NAME}


class LimitedCode:
    """Mixin for forms with a code: limits tries by account and address, so that nobody can lock out the owner."""

    user: Any
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        attempt = try_code(context.request, self.user)
        if not attempt.allowed:
            raise get_account_adapter().validation_error("too_many_login_attempts")
        code: str = super().clean_code()  # type: ignore[misc]  # the form that is mixed in
        attempt.give_back()
        return code


class AuthenticateForm(LimitedCode, base_forms.AuthenticateForm):  # type: ignore[misc]
    """The code at sign-in."""


class ReauthenticateForm(LimitedCode, base_forms.ReauthenticateForm):  # type: ignore[misc]
    """The code of somebody who is signed in and confirms it again."""


class ActivateForm(LimitedCode, totp_forms.ActivateTOTPForm):  # type: ignore[misc]
    """The first code of an authenticator app."""


class AddPasskeyForm(webauthn_forms.AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey. The device has made it already, so an unfit name is cleaned instead of refused."""

    def clean_name(self) -> str:
        self.cleaned_data["name"] = LABEL.clean_leniently(self.cleaned_data["name"])
        return str(super().clean_name())


class EditPasskeyForm(webauthn_forms.EditWebAuthnForm):  # type: ignore[misc]
    """A new name for a passkey."""

    name = TypedField(text=LABEL)
