"""allauth's forms with our labels, texts and checks."""

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
from people.deleted import refuse_reserved
from people.handles import read_handle
from people.models import HANDLE, User

# Named by ACCOUNT_USERNAME_VALIDATORS. The model's constraint also makes handles unique in lower case.
HANDLE_VALIDATORS = [HANDLE, refuse_reserved]


def age_on(day: datetime.date, born: datetime.date) -> int:
    """Return the age in whole years. Who was born on 29 February is a year older on 1 March in a year without one."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


class NoPlaceholders(forms.Form):
    """Mixin that removes placeholders, which repeat the label and vanish on typing, and sets one hint for new
    passwords."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
        if address := self.fields.get("email"):
            address.validators = [validate_sendable]
        if password := self.fields.get("password1"):
            password.help_text = _("At least 10 characters. A few words that only you would put together.")

    def clean_password1(self) -> str:
        """Return the password in normalisation form C: the two may be typed on different keyboards."""
        return nfc(self.cleaned_data["password1"])

    def clean_password2(self) -> str:
        return nfc(self.cleaned_data["password2"])


class LoginForm(NoPlaceholders, allauth_forms.LoginForm):  # type: ignore[misc]
    """Sign-in by handle or address, and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("Handle or e-mail address")
        self.fields["login"].widget.attrs.update(autocomplete="username", autocapitalize="none", spellcheck="false")
        self.fields["remember"].label = _("Stay signed in on this device")


class SignupForm(NoPlaceholders, allauth_forms.SignupForm):  # type: ignore[misc]
    """Sign-up: name, handle, address, password, date of birth, and agreement to the rules."""

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
        link = format_html('<a href="/rules/" target="_blank">{}</a>', _("the rules"))
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
        """Accept every address: whether it has an account is only revealed by mail, to its owner."""
        return value

    def save(self, request: HttpRequest) -> User:
        """Create an account that is signing up. The address becomes its own once it is confirmed."""
        adapter = get_adapter(request)
        user: User = adapter.save_user(request, adapter.new_user(request), self)
        EmailAddress.objects.create(user=user, email=self.cleaned_data["email"], primary=True)
        return user

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Create the account. Of two people who send the same handle at once, the second sees the form again as
        typed."""
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
    """Answer a sign-up that was sent before with the same handle, address and password as it was answered then.

    None for any other. Sends no second mail, and reveals nothing without the password.
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


class ChangePasswordForm(NoPlaceholders, allauth_forms.ChangePasswordForm):  # type: ignore[misc]
    """Change the password. `changed_before` is set, without errors, where the same form already changed it."""

    changed_before = False

    def clean_oldpassword(self) -> str:
        new = str(self.data.get(self.add_prefix("password1"), ""))
        old = str(self.cleaned_data.get("oldpassword", ""))
        if new and not self.user.check_password(old) and self.user.check_password(new):
            self.changed_before = True
            return old
        return str(super().clean_oldpassword())


class ResetPasswordForm(NoPlaceholders, allauth_forms.ResetPasswordForm):  # type: ignore[misc]
    """Ask for a reset. The page is the same for every address; only the mail differs."""

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


class AddEmailForm(NoPlaceholders, allauth_forms.AddEmailForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("New e-mail address")

    def clean_email(self) -> str:
        """Check an address as allauth does, but without its look-up of other accounts, which would reveal them."""
        user, adapter = cast(User, self.user), get_adapter()
        email = canonical_address(self.cleaned_data["email"])
        if email == user.email or EmailAddress.objects.filter(user=user, email=email).exists():
            raise adapter.validation_error("duplicate_email")
        if not EmailAddress.objects.can_add_email(user):
            raise adapter.validation_error("max_email_addresses", app_settings.MAX_EMAIL_ADDRESSES)
        return email


def without_placeholders(form: type[forms.Form]) -> type[forms.Form]:
    """Make a class of one of allauth's forms, without placeholders."""
    return type(form.__name__, (NoPlaceholders, form), {"__doc__": form.__doc__})


ResetPasswordKeyForm = without_placeholders(allauth_forms.ResetPasswordKeyForm)
SetPasswordForm = without_placeholders(allauth_forms.SetPasswordForm)
ReauthenticateForm = without_placeholders(allauth_forms.ReauthenticateForm)
