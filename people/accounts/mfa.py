"""allauth's MFA with our texts and limits, tied to SITE_URL instead of a request."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base import forms as base_forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.webauthn import forms as webauthn_forms
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.fields import TypedField
from core.text import LABEL
from people.accounts.limits import try_code
from people.models import User


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

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        """Return the name that a new passkey has until its owner types another one."""
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return gettext("Passkey %(number)d") % {"number": number}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": urlsplit(settings.SITE_URL).hostname or "", "name": settings.SITE_NAME}


class LimitedCode(forms.Form):
    """Mixin for forms with a code: limits tries by account and address, so that nobody can lock out the owner."""

    user: Any
    hint = _("The six digits that your authenticator app shows now, or one of your recovery codes.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = self.fields["code"]
        code.label, code.help_text = _("Code"), self.hint
        code.widget.attrs = {"autocomplete": "one-time-code", "inputmode": "numeric"}

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

    hint = _("The six digits that the app shows now.")


class PasskeyForm(forms.Form):
    """Mixin for forms with a credential, which script fills in. What goes wrong is said of a passkey, not of a code."""

    failed = _("This passkey did not work. Try again, or take another way.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        credential = self.fields["credential"]
        credential.label = _("Passkey")
        credential.error_messages.update(required=self.failed, invalid=self.failed)

    def add_error(self, field: str | None, error: Any) -> None:
        wrong_code = isinstance(error, ValidationError) and getattr(error, "code", "") == "incorrect_code"
        super().add_error(field, ValidationError(self.failed, "passkey") if wrong_code else error)


class AuthenticatePasskeyForm(PasskeyForm, webauthn_forms.AuthenticateWebAuthnForm):  # type: ignore[misc]
    """The passkey at sign-in, after the password."""


class ReauthenticatePasskeyForm(PasskeyForm, webauthn_forms.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """The passkey of somebody who is signed in and confirms it again."""


class LoginPasskeyForm(PasskeyForm, webauthn_forms.LoginWebAuthnForm):  # type: ignore[misc]
    """The passkey at sign-in, instead of a password."""


class AddPasskeyForm(PasskeyForm, webauthn_forms.AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey. The device has made it already, so an unfit name is cleaned instead of refused."""

    failed = _("No passkey was made. Try again.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = self.fields["name"]
        name.label, name.help_text = _("Name"), _("A name by which you know it again, such as that of the device.")
        if alone := self.fields.get("passwordless"):
            alone.label = _("Sign in with it instead of the password")
            alone.help_text = _("The device must then check that it is you, by your finger, your face or its PIN.")

    def clean_name(self) -> str:
        self.cleaned_data["name"] = LABEL.clean_leniently(self.cleaned_data["name"])
        return str(super().clean_name())


class EditPasskeyForm(webauthn_forms.EditWebAuthnForm):  # type: ignore[misc]
    """A new name for a passkey."""

    name = TypedField(label=_("Name"), text=LABEL)
