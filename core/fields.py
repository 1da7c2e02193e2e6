"""Model and form fields for text that people type, with the rules of `core.text`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.db import models

from core.text import Text

if TYPE_CHECKING:
    Column = models.CharField[str, str]
else:
    Column = models.CharField


class TypedField(forms.CharField):
    """A form field for a `Text`. Scripts count as the server does (`static/js/typed.js`): `maxlength` would count
    UTF-16."""

    def __init__(self, *, text: Text, max_length: int | None = None, **options: Any) -> None:
        """Make the field; `max_length`, which a model's field passes on, is ignored in favour of `text`."""
        if text.lines:
            options.setdefault("widget", forms.Textarea(attrs={"rows": 3}))
        self.text = text
        super().__init__(strip=False, **options)

    def to_python(self, value: Any) -> str:
        typed = super().to_python(value) or ""
        return self.text.clean(typed, required=self.required) if typed.strip() else ""

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "dir": "auto", "data-most": str(self.text.most)}


class TypedColumn(Column):
    """A model field as wide as the longest text can be. `clean` applies the rule; stored text stays readable even where
    the rule would refuse it today."""

    def __init__(self, verbose_name: Any = None, *, text: Text, **options: Any) -> None:
        self.text = text
        super().__init__(verbose_name, **{**options, "max_length": text.longest})

    def deconstruct(self) -> Any:
        """Describe a plain CharField to migrations, which must not depend on later rules for texts."""
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.CharField", args, options

    def clone(self) -> TypedColumn:
        _name, _path, args, options = self.deconstruct()
        return type(self)(*args, text=self.text, **options)

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        if value and str(value).strip():
            value = self.text.clean(str(value), required=not self.blank)
        return super().clean(value or "", model_instance)

    def formfield(self, **options: Any) -> Any:
        widget = options.get("widget")
        if self.text.lines and not (isinstance(widget, forms.Textarea) or widget is forms.Textarea):
            options["widget"] = forms.Textarea(attrs={"rows": 3})
        return super().formfield(**{"form_class": TypedField, "text": self.text, **options})
