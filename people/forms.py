"""Forms of the people pages. They parse and have the texts; the actions decide."""

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from core.fields import TypedField
from core.text import LABEL, PLAN
from people.handles import read_handle
from people.models import User
from people.zones import ZoneSelect, is_zone, zone_choices


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Name, text, language and time zone."""

    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zone_choices, widget=ZoneSelect)

    def __init__(self, *args: Any, device_zone: str = "", **kwargs: Any) -> None:
        """`device_zone` is what the browser says of itself; it is offered first."""
        super().__init__(*args, **kwargs)
        if is_zone(device_zone):
            first = (_("This device"), [(device_zone, device_zone.replace("_", " "))])
            cast(forms.ChoiceField, self.fields["time_zone"]).choices = [first, *zone_choices()]

    class Meta:
        model = User
        fields = ("display_name", "about", "language", "time_zone")
        labels = {
            "display_name": _("Name"),
            "about": _("About you"),
            "language": _("Language"),
        }
        help_texts = {"about": _("Two sentences that people read on your page.")}


class RoomsForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """How the account takes part in rooms."""

    class Meta:
        model = User
        fields = ("listens_unseen", "uses_keys")
        labels = {
            "listens_unseen": _("Listen unseen"),
            "uses_keys": _("Keys for what you do in a room"),
        }
        help_texts = {
            "listens_unseen": _(
                "You are counted among the listeners, and nobody reads your name until you raise a hand or sit down. "
                "You can choose anew in each room."
            ),
            "uses_keys": _("Single letters, such as M for your microphone. In a room, the key ? lists them."),
        }


class MessagesForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Form for who may write to the account, and how invitations reach it."""

    class Meta:
        model = User
        fields = ("messages_from", "invitations_by_mail")
        widgets = {"messages_from": forms.RadioSelect}
        labels = {
            "messages_from": _("Who may write to you?"),
            "invitations_by_mail": _("Invitations also by e-mail"),
        }
        help_texts = {
            "messages_from": _("Official messages of the site always arrive. Whom you write to may answer."),
            "invitations_by_mail": _("Otherwise they wait among your messages."),
        }


class PictureForm(forms.Form):
    """An upload; the action checks its content."""

    picture = forms.FileField(
        label=_("A new picture"),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp,image/gif"}),
        help_text=_("JPEG, PNG, WebP or GIF, at most 5 MB. It is cropped to a square; where it was taken is not kept."),
        error_messages={"empty": _("This file is empty. Choose another one.")},
    )


class AskForm(forms.Form):
    """A request to join the creator group."""

    plan = TypedField(
        label=_("What do you plan to host?"),
        text=PLAN,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Two or three sentences: the subject, how often, for whom."),
    )


class TokenForm(forms.Form):
    """A new API token."""

    name = TypedField(label=_("For which program?"), text=LABEL)
    once = forms.CharField(widget=forms.HiddenInput, required=False)


class DeleteForm(forms.Form):
    """The last confirmation before an account is deleted: its handle, typed, and a tick."""

    handle = forms.CharField(
        label=_("Your handle"),
        max_length=100,
        help_text=_("Type it, so that nobody deletes an account by accident."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    sure = forms.BooleanField(
        label=_("Delete my account for good. I know that this cannot be undone."),
        error_messages={"required": _("Without this tick nothing is deleted.")},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_handle(self) -> str:
        typed = read_handle(self.cleaned_data["handle"]) or ""
        if typed.lower() != self.user.handle.lower():
            text = _("This is not your handle: it is @%(handle)s.")
            raise ValidationError(text, "other", {"handle": self.user.handle})
        return typed
