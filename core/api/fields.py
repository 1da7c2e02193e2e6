"""API fields for text that people type."""

from typing import Any

from rest_framework import serializers

from core.text import Text


class TypedField(serializers.CharField):
    """Text checked by a `core.text.Text`. The schema's `maxLength` is the most code points that are stored."""

    def __init__(self, *, text: Text, **options: Any) -> None:
        self.text = text
        super().__init__(**options, trim_whitespace=False, max_length=text.longest)

    def to_internal_value(self, data: Any) -> str:
        return self.text.clean(super().to_internal_value(data), required=not self.allow_blank)
