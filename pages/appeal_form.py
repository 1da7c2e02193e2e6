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
        label=_("Why you see it differently"),
        text=APPEAL,
        widget=forms.Textarea(attrs={"rows": 7}),
        error_messages={"required": _("Write in a few words why you see it differently.")},
        help_text=_("For example what you meant, what came before it, or what is not true."),
    )
    once = forms.CharField(required=False, widget=forms.HiddenInput, initial=new_once)

    def clean_once(self) -> str:
        return read_once(self.cleaned_data["once"])
