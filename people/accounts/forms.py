"""allauth's forms in the words of the house."""

import datetime
from typing import Any, cast

from allauth.account import app_settings
from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from allauth.account.internal.stagekit import stash_login, unstash_login
from allauth.account.models import EmailAddress, Login
from allauth.account.stages import EmailVerificationStage, LoginStageController
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import timezone, translation
from django.utils.html import format_html
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from core.fields import TypedField
from core.text import NAME, nfc
from mail.addresses import canonical_address, lookup_address, validate_sendable
from people.accounts.backend import by_address
from people.accounts.limits import may_mail
from people.accounts.links import local_next
from people.handles import read_handle
from people.models import HANDLE, User

# Read by allauth's setting; a handle also has no two spellings (the model's constraint is on lower case).
HANDLE_VALIDATORS = [HANDLE]


def age_on(day: datetime.date, born: datetime.date) -> int:
    """Whole years. Who was born on 29 February is a year older on 1 March where there is no 29th."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


class Plain(forms.Form):
    """No placeholders: they repeat the label, and are gone as soon as one types. One hint for a new password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
        if address := self.fields.get("email"):
            address.validators = [validate_sendable]
        if password := self.fields.get("password1"):
            password.help_text = _("At least 10 characters. A few words that only you would put together.")

    def clean_password1(self) -> str:
        """As it is kept: whoever types it twice may do so on two keyboards."""
        return nfc(self.cleaned_data["password1"])

    def clean_password2(self) -> str:
        return nfc(self.cleaned_data["password2"])


class LoginForm(Plain, allauth_forms.LoginForm):  # type: ignore[misc]
    """Handle or address, and the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("Handle or e-mail address")
        self.fields["login"].widget.attrs.update(autocomplete="username", autocapitalize="none", spellcheck="false")
        self.fields["remember"].label = _("Stay signed in on this device")


class SignupForm(Plain, allauth_forms.SignupForm):  # type: ignore[misc]
    """An account: how one is called, how one is reached, old enough, agreed to the rules."""

    field_order = ("display_name", "username", "email", "password1", "born", "rules")

    display_name = TypedField(
        label=_("Name"),
        text=NAME,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text=_("As others at the table read it."),
    )
    born = forms.DateField(
        label=_("Date of birth"),
        widget=forms.DateInput(attrs={"type": "date", "autocomplete": "bday", "min": "1900-01-01"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Write a date that exists, as year-month-day.")},
    )
    rules = forms.BooleanField(error_messages={"required": _("Without agreeing to the rules there is no account.")})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        handle = self.fields["username"]
        handle.label = _("Handle")
        handle.help_text = _("Your address here: 3 to 30 letters and digits, “-” or “_” between them. It stays.")
        handle.widget.attrs.update(autocomplete="username", autocapitalize="none", spellcheck="false")
        self.fields["email"].label = _("E-mail address")
        self.fields["email"].help_text = _("To reset your password and to tell you what concerns you. Nobody sees it.")
        self.fields["born"].help_text = format_lazy(
            _("You must be {age} or older. The date is checked now and not kept."), age=settings.MINIMUM_AGE
        )
        link = format_html('<a href="{}" target="_blank">{}</a>', reverse_lazy("people:rules"), _("the rules"))
        self.fields["rules"].label = format_html(str(_("I have read {} and keep to them.")), link)

    def clean_born(self) -> datetime.date:
        born: datetime.date = self.cleaned_data["born"]
        today = timezone.localdate()
        if born > today or born.year < 1900:
            raise ValidationError(_("This cannot be a date of birth. Write it as year-month-day."), "impossible")
        if age_on(today, born) < settings.MINIMUM_AGE:
            text = _("You must be %(age)s or older to have an account here. You can still listen without one.")
            raise ValidationError(text, "too_young", {"age": settings.MINIMUM_AGE})
        return born

    def validate_unique_email(self, value: str) -> str:
        """Every address is as good as another here: whether it has an account is told by mail alone."""
        return value

    def save(self, request: HttpRequest) -> User:
        """An account that is signing up. Its address is its own once it is confirmed."""
        adapter = get_adapter(request)
        user: User = adapter.save_user(request, adapter.new_user(request), self)
        EmailAddress.objects.create(user=user, email=self.cleaned_data["email"], primary=True)
        return user

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Two people may send the same handle at once: the second sees the form again, with what was typed."""
        try:
            with transaction.atomic():
                return self.save(request), None
        except IntegrityError:
            again = sign_up_again(request, self)
            if again is not None:
                return None, again
            self.add_error("username", _("Somebody took this a moment ago. Choose another one."))
            return None, render(request, "account/signup.html", {"form": self}, status=409)


def sign_up_again(request: HttpRequest, form: forms.BaseForm) -> HttpResponse | None:
    """The answer to a sign-up that was sent before, with the same handle, address and password: the same as then.

    None for any other. It sends no second mail, and tells nothing to whoever does not know the password.
    """
    email = lookup_address(str(form.data.get("email", "")))
    user = User.objects.by_handle(read_handle(form.data.get("username")) or "", signing_up=True)
    if user is None or not EmailAddress.objects.filter(user=user, email=email, verified=False).exists():
        return None
    if not user.check_password(str(form.data.get("password1", ""))):
        return None
    known = unstash_login(request, peek=True)
    if known is None or known.user is None or known.user.pk != user.pk:
        login = Login(user=user, email=email, signup=True, redirect_url=local_next(request) or None)
        LoginStageController(request, login).set_current(EmailVerificationStage.key)
        stash_login(request, login)
    return redirect("account_email_verification_sent")


class ChangePasswordForm(Plain, allauth_forms.ChangePasswordForm):  # type: ignore[misc]
    """Sent twice, it asks for the password that is set by then: `changed_before`, and nothing is wrong."""

    changed_before = False

    def clean_oldpassword(self) -> str:
        new = str(self.data.get(self.add_prefix("password1"), ""))
        old = str(self.cleaned_data.get("oldpassword", ""))
        if new and not self.user.check_password(old) and self.user.check_password(new):
            self.changed_before = True
            return old
        return str(super().clean_oldpassword())


class ResetPasswordForm(Plain, allauth_forms.ResetPasswordForm):  # type: ignore[misc]
    """The page answers the same for every address; the mail tells what there is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail address of your account")

    def clean_email(self) -> str:
        return canonical_address(self.cleaned_data["email"])

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        email: str = self.cleaned_data["email"]
        if not may_mail(request, "reset", email):
            return email
        user = by_address(email)
        language = user.language if user is not None else translation.get_language()
        with translation.override(language):
            if user is None:
                get_adapter(request).send_mail("account/email/unknown_account", email, {})
            elif not user.is_active:
                get_adapter(request).send_mail("account/email/account_closed", email, {})
            else:
                self.users = [user]
                super().save(request, **kwargs)
        return email


class AddEmailForm(Plain, allauth_forms.AddEmailForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("New e-mail address")

    def clean_email(self) -> str:
        """As allauth does, but for its look-up of all accounts with this address: nobody is told of another's."""
        user, adapter = cast(User, self.user), get_adapter()
        email = canonical_address(self.cleaned_data["email"])
        if email == user.email or EmailAddress.objects.filter(user=user, email=email).exists():
            raise adapter.validation_error("duplicate_email")
        if not EmailAddress.objects.can_add_email(user):
            raise adapter.validation_error("max_email_addresses", app_settings.MAX_EMAIL_ADDRESSES)
        return email


def plain(form: type[forms.Form]) -> type[forms.Form]:
    """One of allauth's forms, as it is, without placeholders."""
    return type(form.__name__, (Plain, form), {"__doc__": form.__doc__})


ResetPasswordKeyForm = plain(allauth_forms.ResetPasswordKeyForm)
SetPasswordForm = plain(allauth_forms.SetPasswordForm)
ReauthenticateForm = plain(allauth_forms.ReauthenticateForm)
