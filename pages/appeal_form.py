"""The form of an appeal."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from core.fields import TypedField
from core.once import new_once, read_once
from moderation.models.appeals import APPEAL


class AppealForm(forms.Form):
    """Words of somebody who sees it differently; `once` marks the form, so that it is filed once."""

    words = TypedField(
        label=_("Why do you see it differently?"),
        text=APPEAL,
        error_messages={"required": _("Write in a few words why you see it differently.")},
        help_text=_("Say what we should know: what was meant, what came before, what is not true."),
    )
    once = forms.CharField(required=False, widget=forms.HiddenInput, initial=new_once)

    def clean_once(self) -> str:
        return read_once(self.cleaned_data["once"])
