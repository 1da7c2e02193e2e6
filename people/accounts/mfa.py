"""allauth's second steps in the words of the house, with its limits, and tied to SITE_URL instead of a request."""

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

from core.fields import TypedField
from core.text import LABEL
from people.accounts.limits import try_code


class SecondStepAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth is not typed
    """A passkey belongs to the site's own name, which no request decides."""

    def _get_site_name(self) -> str:
        return settings.SITE_NAME

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": urlsplit(settings.SITE_URL).hostname or "", "name": settings.SITE_NAME}


class Limited:
    """A form with a code. Tries are counted by account and address, so that nobody locks out the owner."""

    user: Any
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        attempt = try_code(context.request, self.user)
        if not attempt.allowed:
            raise get_account_adapter().validation_error("too_many_login_attempts")
        code: str = super().clean_code()  # type: ignore[misc]  # the form that is mixed in
        attempt.give_back()
        return code


class AuthenticateForm(Limited, base_forms.AuthenticateForm):  # type: ignore[misc]
    """The code of a sign-in."""


class ReauthenticateForm(Limited, base_forms.ReauthenticateForm):  # type: ignore[misc]
    """The code of somebody who is signed in."""


class ActivateForm(Limited, totp_forms.ActivateTOTPForm):  # type: ignore[misc]
    """The first code of an authenticator app."""


class AddPasskeyForm(webauthn_forms.AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey. The device has made it already: what does not fit in its name is left out, never refused."""

    def clean_name(self) -> str:
        self.cleaned_data["name"] = LABEL.clean_leniently(self.cleaned_data["name"])
        return str(super().clean_name())


class EditPasskeyForm(webauthn_forms.EditWebAuthnForm):  # type: ignore[misc]
    """Another name for a passkey."""

    name = TypedField(text=LABEL)
